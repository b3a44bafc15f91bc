/**
 * The API server put together: kinds and a store in, one handler of authenticated requests out. What listens, who asks and where
 * the store keeps its rows is the caller's business.
 */
import type { Clock } from "#io/clock.ts";
import type { Digest } from "#io/digest.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import { silent } from "#io/log.ts";
import type { Definition, Extension } from "#schema/definition.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Admission } from "./admission/admission.ts";
import { extensionRules } from "./admission/extension.ts";
import { namespaceLifecycle } from "./admission/namespace-lifecycle.ts";
import { createDiscovery } from "./discovery/discovery.ts";
import { createResourceHandler } from "./handlers/resource.ts";
import { answerVersion, createHealth } from "./health.ts";
import type { Check, Version } from "./health.ts";
import { CustomResources } from "./lifecycle/custom-resources.ts";
import { Expiry } from "./lifecycle/expiry.ts";
import { GarbageCollector } from "./lifecycle/garbage.ts";
import { Namespaces } from "./lifecycle/namespaces.ts";
import type { LifecyclePart, LifecyclePorts } from "./lifecycle/ports.ts";
import { ServiceAccounts } from "./lifecycle/accounts.ts";
import { terminatingKind } from "./lifecycle/terminating-kind.ts";
import { createWriter } from "./lifecycle/writer.ts";
import { createOpenApi } from "./openapi/openapi.ts";
import { Registry } from "./registry.ts";
import { createChooseRenderer } from "./render/choose.ts";
import type { ApiHandler } from "./request.ts";
import { createRouter } from "./router.ts";
import type { Store } from "./store/store.ts";

export interface ApiServerOptions {
  readonly store: Store;
  /** Built-in kinds; CustomResourceDefinition, Namespace and ServiceAccount must be among them. */
  readonly definitions: readonly Definition[];
  /** CRDs that are there from the start, in the state that this program knows. */
  readonly crds?: readonly KubeObject[];
  /** What is done in process for custom kinds we know, by `<group>/<Kind>`. */
  readonly extensions?: ReadonlyMap<string, Extension>;
  readonly version: Version;
  /** Besides `ping`, for `/livez` and `/readyz`. */
  readonly checks?: readonly Check[];
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly digest: Digest;
  readonly log?: Log;
}

export interface ApiServer {
  readonly handler: ApiHandler;
  readonly registry: Registry;
  /** Resolves when the first namespaces and all `crds` are there and served; until then only discovery and health mean anything. */
  start(): Promise<void>;
  /** Resolves when nothing is under way beside the requests: for tests that look at what follows from a request. */
  idle(): Promise<void>;
  /** Ends what runs beside the requests; the store stays open. */
  stop(): Promise<void>;
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { store, clock, entropy, digest } = options;
  const log = options.log ?? silent;
  const registry = new Registry();
  for (const definition of options.definitions) registry.set(definition);

  const ports: LifecyclePorts = {
    store,
    registry,
    writer: createWriter(store, clock, entropy),
    clock,
    entropy,
    report: (part, key, fault) => log.warn("will be tried again", { part, key, error: fault.message, code: fault.code }),
  };
  const customResources = new CustomResources(ports, options.extensions ?? new Map());
  const namespaces = new Namespaces(ports);
  const parts: LifecyclePart[] = [
    customResources,
    namespaces,
    new ServiceAccounts(ports),
    new GarbageCollector(ports),
    new Expiry(ports),
  ];

  let isStarted = false;
  const starting: Check = { name: "start", problem: () => (isStarted ? undefined : "still starting"), readyOnly: true };
  const health = createHealth([starting, ...(options.checks ?? [])]);
  const handler = createRouter({
    registry,
    resources: createResourceHandler({
      store,
      registry,
      clock,
      entropy,
      admission: new Admission([namespaceLifecycle(store), terminatingKind, extensionRules]),
      chooseRenderer: createChooseRenderer(clock),
    }),
    discovery: createDiscovery(registry, digest),
    openapi: createOpenApi(registry, digest),
    health: (request, route) => health(request, route.endpoint, route.check),
    version: (request) => answerVersion(request, options.version),
    paths: ["/healthz", "/livez", "/readyz", "/version", "/openapi/v2", "/openapi/v3"],
  });

  return {
    handler,
    registry,
    async start() {
      for (const part of parts) part.start();
      await Promise.all([namespaces.createWellKnown(), customResources.install(options.crds ?? [])]);
      isStarted = true;
    },
    async idle() {
      // What one part does may be work for another.
      for (let revision = -1; revision !== store.revision;) {
        revision = store.revision;
        await Promise.all(parts.map((part) => part.idle()));
        await store.settled();
      }
    },
    async stop() {
      await Promise.all(parts.map((part) => part.stop()));
    },
  };
}
