/** The resource handlers alone, on a memory journal and a virtual clock: requests in, answers and watch events out. */
import type { Sink } from "#io/serve.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { MemoryJournal } from "#io/memory/journal.ts";
import { Fault } from "#std/fault.ts";
import { statusOf } from "#kube/status.ts";
import type { Definition, Extension, Strategy, VersionDefinition } from "#schema/definition.ts";
import type { KubeObject, ListMeta, ObjectMeta } from "#schema/meta.ts";
import type { Schema } from "#schema/structural.ts";
import { Admission } from "#apiserver/admission/admission.ts";
import type { AdmissionPlugin } from "#apiserver/admission/admission.ts";
import { extensionRules } from "#apiserver/admission/extension.ts";
import { namespaceLifecycle } from "#apiserver/admission/namespace-lifecycle.ts";
import { createResourceHandler } from "#apiserver/handlers/resource.ts";
import { Registry } from "#apiserver/registry.ts";
import { createChooseRenderer } from "#apiserver/render/choose.ts";
import { parseRoute } from "#apiserver/route.ts";
import type { ResourceRoute } from "#apiserver/route.ts";
import { createStore } from "#apiserver/store/mvcc.ts";
import type { StoreOptions } from "#apiserver/store/mvcc.ts";

export const WIDGETS = "/apis/example.com/v1/namespaces/default/widgets";

const string: Schema = { type: "string" };
const integer: Schema = { type: "integer" };
const widgetSchema: Schema = {
  type: "object",
  required: ["spec"],
  properties: {
    spec: {
      type: "object",
      properties: {
        color: { type: "string", enum: ["red", "blue"] },
        size: { type: "integer", default: 1, maximum: 100 },
        replicas: integer,
        tags: { type: "array", items: string },
        any: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      },
    },
    status: { type: "object", properties: { phase: string, replicas: integer, selector: string } },
  },
};

const widgetVersion: VersionDefinition = {
  name: "v1",
  served: true,
  schema: widgetSchema,
  columns: [],
  hasStatus: true,
  scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".status.selector" },
  selectable: [".spec.color"],
};

function kind(
  group: string,
  plural: string,
  name: string,
  namespaced: boolean,
  custom: boolean,
  strategy: Strategy,
  versions: VersionDefinition[],
): Definition {
  const names = { plural, singular: name.toLowerCase(), kind: name, listKind: `${name}List`, shortNames: [], categories: [] };
  return { group, ...names, namespaced, storageVersion: versions[0]!.name, versions, custom, strategy };
}

/** A custom kind with status, scale, a selectable field and a default. */
export const widget: Definition = kind("example.com", "widgets", "Widget", true, true, { hasGeneration: true }, [widgetVersion]);

function builtIn(schema: Schema): VersionDefinition {
  return { name: "v1", served: true, schema, columns: [], hasStatus: false, selectable: [] };
}

const namespaceStrategy: Strategy = {
  hasGeneration: false,
  specFinalizers: true,
  prepareCreate: (object) => Object.assign(object, { spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } }),
  prepareUpdate: (object, old) => Object.assign(object, { spec: old["spec"] }),
  prepareDelete: (object) => Object.assign(object, { status: { phase: "Terminating" } }),
};

const namespace = kind("", "namespaces", "Namespace", false, false, namespaceStrategy, [
  {
    ...builtIn({
      type: "object",
      properties: {
        spec: { type: "object", properties: { finalizers: { type: "array", items: string } } },
        status: { type: "object", properties: { phase: string } },
      },
    }),
    hasStatus: true,
  },
]);

const configMap = kind("", "configmaps", "ConfigMap", true, false, { hasGeneration: false }, [
  builtIn({
    type: "object",
    properties: { data: { type: "object", additionalProperties: string }, immutable: { type: "boolean" } },
  }),
]);

const lease = kind("coordination.k8s.io", "leases", "Lease", true, false, { hasGeneration: false, createOnUpdate: true }, [
  builtIn({ type: "object", properties: { spec: { type: "object", properties: { holderIdentity: string } } } }),
]);

/** A cluster-scoped kind in two versions, v2 calls `a` `b`. */
export function gear(extension: Extension = {}): Definition {
  const version = (name: string, field: string): VersionDefinition => ({
    name,
    served: true,
    schema: { type: "object", properties: { spec: { type: "object", properties: { [field]: string } } } },
    columns: [],
    hasStatus: false,
    selectable: [],
    ...(name === "v2" ? { deprecated: true } : {}),
  });
  const convert = (object: KubeObject, to: string): KubeObject => {
    const spec = (object["spec"] ?? {}) as Record<string, unknown>;
    return { ...object, spec: to === "v2" ? { b: spec["a"] } : { a: spec["b"] } };
  };
  const definition = kind("example.com", "gears", "Gear", false, true, { hasGeneration: true }, [
    version("v1", "a"),
    version("v2", "b"),
  ]);
  return { ...definition, extension: { convert, ...extension } };
}

/** An answer as its reader takes it: a kind's object, a list or a Status; a case knows which, and so which members are there. */
export interface Seen extends KubeObject {
  metadata: ObjectMeta & ListMeta;
  spec: Record<string, unknown>;
  items: Seen[];
  message: string;
  reason: string;
  code: number;
}

export interface Answer {
  readonly status: number;
  readonly object: Seen;
  readonly warnings: string[];
}

export interface WatchEvent {
  readonly type: string;
  readonly object: Seen;
}

/** A watch whose client can stop reading. */
export class Stream implements Sink {
  readonly events: WatchEvent[] = [];
  readonly buffers: Buffer[] = [];
  full = false;
  ended = false;
  #resume: (() => void) | undefined;
  #room = 0;
  readonly abort: AbortController = new AbortController();

  write(bytes: Buffer): void {
    if (--this.#room === 0) this.full = true;
    this.buffers.push(bytes);
    this.events.push(JSON.parse(bytes.toString("utf8")) as WatchEvent);
  }
  onDrain(resume: () => void): void {
    this.#resume = resume;
  }
  end(): void {
    this.ended = true;
  }
  /** Takes so many more before it is full again. */
  refill(room: number): void {
    this.#room = room;
  }
  drain(): void {
    this.full = false;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
  /** `ADDED a@5`, for comparing with what is expected. */
  get log(): string[] {
    return this.events.map(
      ({ type, object }) => `${type} ${object.metadata.name ?? ""}@${object.metadata.resourceVersion ?? object["code"]}`,
    );
  }
}

export interface FixtureOptions {
  readonly store?: Partial<StoreOptions>;
  readonly plugins?: readonly AdmissionPlugin[];
  readonly journal?: MemoryJournal;
}

export class Resources {
  readonly clock: VirtualClock = new VirtualClock();
  readonly registry: Registry = new Registry();
  #request!: (
    method: string,
    target: string,
    body: string,
    headers: Record<string, string>,
    abort: AbortSignal,
  ) => Promise<{ answer: Answer; open?: (sink: Sink) => void }>;

  static async create(options: FixtureOptions = {}): Promise<Resources> {
    const resources = new Resources();
    const { clock, registry } = resources;
    for (const definition of [namespace, configMap, lease, widget, gear()]) registry.set(definition);
    const store = await createStore({ journal: options.journal ?? new MemoryJournal(), clock, ...options.store });
    const handle = createResourceHandler({
      store,
      registry,
      clock,
      entropy: new SeededEntropy(1),
      admission: new Admission([namespaceLifecycle(store), extensionRules, ...(options.plugins ?? [])]),
      chooseRenderer: createChooseRenderer(clock),
    });
    resources.#request = async (method, target, body, headers, signal) => {
      const [path, search] = target.split("?") as [string, string?];
      const query = new URLSearchParams(search ?? "");
      const warnings: string[] = [];
      const user = { name: "admin", groups: ["system:masters"] };
      const bytes = Buffer.from(body);
      const request = {
        method,
        target,
        headers,
        peer: { address: "" },
        body: async () => bytes,
        signal,
        user,
        path,
        query,
        warnings,
      };
      try {
        const outgoing = await handle(request, parseRoute(method, path, query) as ResourceRoute);
        if (!Array.isArray(outgoing.body))
          return {
            answer: { status: outgoing.status, object: {} as Seen, warnings },
            open: (sink) => (outgoing.body as { open(sink: Sink): void }).open(sink),
          };
        return {
          answer: {
            status: outgoing.status,
            object: JSON.parse(Buffer.concat(outgoing.body as Buffer[]).toString("utf8")) as Seen,
            warnings,
          },
        };
      } catch (error) {
        const status = statusOf(error);
        if (!Fault.is(error)) throw error;
        return { answer: { status: status.code, object: status as unknown as Seen, warnings } };
      }
    };
    await resources.post("/api/v1/namespaces", { metadata: { name: "default" } });
    return resources;
  }

  async request(method: string, target: string, body: unknown = "", headers: Record<string, string> = {}): Promise<Answer> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return (await this.#request(method, target, text, headers, new AbortController().signal)).answer;
  }
  get(target: string): Promise<Answer> {
    return this.request("GET", target);
  }
  post(target: string, body: unknown): Promise<Answer> {
    return this.request("POST", target, body);
  }
  put(target: string, body: unknown): Promise<Answer> {
    return this.request("PUT", target, body);
  }
  delete(target: string, body: unknown = ""): Promise<Answer> {
    return this.request("DELETE", target, body);
  }
  patch(target: string, body: unknown, type: "merge" | "json" | "strategic" = "merge"): Promise<Answer> {
    const types = {
      merge: "application/merge-patch+json",
      json: "application/json-patch+json",
      strategic: "application/strategic-merge-patch+json",
    };
    return this.request("PATCH", target, body, { "content-type": types[type] });
  }
  async watch(target: string, stream: Stream = new Stream(), headers: Record<string, string> = {}): Promise<Stream> {
    const separator = target.includes("?") ? "&" : "?";
    const { answer, open } = await this.#request("GET", `${target}${separator}watch=true`, "", headers, stream.abort.signal);
    if (open === undefined) throw new Error(`no stream: ${JSON.stringify(answer.object)}`);
    open(stream);
    return stream;
  }
}

/** A widget of this name. */
export function aWidget(name: string, rest: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): KubeObject {
  return { apiVersion: "example.com/v1", kind: "Widget", metadata: { name, ...metadata }, spec: {}, ...rest };
}
