/** The Kubernetes API of a simulated cluster: our own API server, in memory. What is kept in it lives and dies with the cluster's etcd. */
import { createAuthenticator } from "#apiserver/authenticate.ts";
import { createEdge } from "#apiserver/edge.ts";
import { createApiServer } from "#apiserver/server.ts";
import { createStore } from "#apiserver/store/mvcc.ts";
import type { Store } from "#apiserver/store/store.ts";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import { MemoryJournal } from "#io/memory/journal.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import { digest } from "#io/node/digest.ts";
import type { Handler } from "#io/serve.ts";
import { coreDefinitions } from "#kinds/core/definitions.ts";
import { createClient } from "#kube/client.ts";
import type { Client } from "#kube/client.ts";
import { kindRef } from "#kube/kind.ts";
import type { WorkloadNode } from "#kube/workload.ts";
import { Fault } from "#std/fault.ts";
import { pod } from "./pod.ts";

export const Nodes = kindRef<WorkloadNode>({ group: "", version: "v1", kind: "Node", plural: "nodes", scope: "Cluster" });

export interface Kubernetes {
  readonly handler: Handler;
  /** As the cluster's own parts have it. */
  readonly client: Client;
  readonly store: Store;
  stop(): Promise<void>;
}

export interface KubernetesOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** `v1.36.0` */
  readonly version: string;
  /** Whether anybody answers now. */
  readonly isServing: () => boolean;
}

export async function startKubernetes({ clock, entropy, version, isServing }: KubernetesOptions): Promise<Kubernetes> {
  const store = await createStore({ journal: new MemoryJournal(), clock });
  const has = coreDefinitions.some(({ group, plural }) => group === "" && plural === "pods");
  const server = createApiServer({
    store,
    definitions: has ? coreDefinitions : [...coreDefinitions, pod],
    version: { version: version.replace(/^v/, ""), platform: "linux/amd64" },
    clock,
    entropy,
    digest,
  });
  const inner = createEdge({ authenticate: createAuthenticator({ clock }), handler: server.handler, clock, entropy });
  const handler: Handler = async (incoming) => {
    if (!isServing()) throw new Fault("io.unreachable", "connection refused", { fault: "world", retry: "soon" });
    return await inner(incoming);
  };
  await server.start();
  const transport = createMemoryTransport(handler, { principal: { name: "system:apiserver", groups: ["system:masters"] } });
  return {
    handler,
    store,
    client: createClient({ transport, clock, entropy, userAgent: "kubelet" }),
    async stop() {
      await transport.close();
      await server.stop();
      await store.close();
    },
  };
}
