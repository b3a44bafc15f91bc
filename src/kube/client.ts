/**
 * The typed client of a Kubernetes API: `client.for(Server).get(name)` is a Promise of a Server. Whatever the server refuses
 * comes back as the Fault of its Status (`status.ts`); 429 and 503 with Retry-After are waited out here, because then the
 * server promises that it has done nothing yet.
 */
import { Fault } from "#std/fault.ts";
import { isObject, type Json, type JsonObject } from "#std/json.ts";
import { apiVersionOf, type KubeList, type KubeObject } from "#schema/meta.ts";
import { jittered } from "./backoff.ts";
import { createExchanger, isStatus, type ExchangeOptions } from "./exchange.ts";
import type { KindRef } from "./kind.ts";
import { badRequest, faultOf, isExpired } from "./status.ts";

export interface ClientOptions extends Omit<ExchangeOptions, "userAgent"> {
  /** `sidero/0.1.0`, the default being `sidero`. */
  readonly userAgent?: string;
  /** Who the server's field management says has written; default: the user agent up to its slash, as the server itself would. */
  readonly fieldManager?: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}
export interface SelectOptions extends CallOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion?: string | undefined;
}
export interface ListOptions extends SelectOptions {
  readonly limit?: number;
  readonly continue?: string | undefined;
  readonly resourceVersionMatch?: "Exact" | "NotOlderThan";
}
export interface ListAllOptions extends ListOptions {
  /** Awaited between two pages: where the server is this very process, others get their turn. */
  readonly pause?: () => Promise<void>;
}
export interface WatchOptions extends SelectOptions {
  /** Seconds after which the server ends the stream. Default: between 5 and 10 minutes, so that watches do not end together. */
  readonly timeoutSeconds?: number;
  /** Called once the server has taken the watch; its first event may be hours away. */
  readonly onOpen?: () => void;
}
export interface WriteOptions extends CallOptions {
  readonly subresource?: "status" | "scale";
  readonly dryRun?: boolean;
  readonly fieldValidation?: "Ignore" | "Warn" | "Strict";
}
export interface PatchOptions extends WriteOptions {
  /** Default `merge` (RFC 7386). `strategic` is for built-in kinds only, `json` (RFC 6902) takes a list of operations. */
  readonly type?: "merge" | "json" | "strategic";
}
export interface DeleteOptions extends CallOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly gracePeriodSeconds?: number;
  readonly dryRun?: boolean;
}

export type WatchEvent<T> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  /** Nothing later than this version has been sent yet. */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

/** One kind, in every namespace or in one. Every call may reject with the Fault of a Status, `api.timeout` or a transport's `io.*`. */
export interface ResourceClient<T extends KubeObject> {
  readonly kind: KindRef<T>;
  /** The same kind in one namespace; "" for all of them and for cluster-scoped kinds. */
  in(namespace: string): ResourceClient<T>;
  get(name: string, options?: CallOptions): Promise<T>;
  /** One page. */
  list(options?: ListOptions): Promise<KubeList<T>>;
  /** Every page, `limit` objects at a time (default 500), as of one revision. */
  listAll(options?: ListAllOptions): Promise<KubeList<T>>;
  /** apiVersion and kind are filled in; the namespace is the object's, or this view's. */
  create(object: Draft<T>, options?: WriteOptions): Promise<T>;
  /** Fault `api.conflict` when metadata.resourceVersion is no longer the newest. */
  update(object: T, options?: WriteOptions): Promise<T>;
  /** A `metadata.resourceVersion` or `metadata.uid` in a merge patch is a precondition. */
  patch(name: string, patch: Json, options?: PatchOptions): Promise<T>;
  /** Resolves when the server has taken the order, with the object while finalizers keep it. */
  delete(name: string, options?: DeleteOptions): Promise<T | undefined>;
  /**
   * Events after `resourceVersion`, until the server ends the stream. Throws Fault `api.expired` when history no longer reaches
   * back to it. Without it, the present objects come first, as ADDED.
   */
  watch(options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
}

/** What `create` needs of an object: everything but what the kind already says. */
export type Draft<T extends KubeObject> = { [K in keyof T as K extends "apiVersion" | "kind" ? never : K]: T[K] };

export interface RawOptions extends CallOptions {
  readonly body?: Json;
  /** False: "come back later" is an answer like any other, and not waited out. */
  readonly patient?: boolean;
}

export interface Client {
  for<T extends KubeObject>(kind: KindRef<T>): ResourceClient<T>;
  /** Any path: `/version`, `/apis`. The answer's JSON. */
  raw(method: string, target: string, options?: RawOptions): Promise<Json>;
}

const PATCH_TYPES = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json",
} as const;

export function createClient(options: ClientOptions): Client {
  const { userAgent = "sidero", fieldManager = userAgent.split("/")[0]! } = options;
  const { call, stream } = createExchanger({ ...options, userAgent });

  function resource<T extends KubeObject>(kind: KindRef<T>, view: string): ResourceClient<T> {
    const apiVersion = apiVersionOf(kind.group, kind.version);
    const root = kind.group === "" ? `/api/${apiVersion}` : `/apis/${apiVersion}`;

    function collection(namespace: string): string {
      const inside = namespace === "" || kind.scope === "Cluster" ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
      return `${root}${inside}/${kind.plural}`;
    }
    /** An empty name would turn a DELETE of one object into one of all of them. */
    function path(namespace: string, name: string | undefined, subresource?: string): string {
      if (name === undefined || name === "" || name === "." || name === "..")
        throw badRequest(`${kind.kind}: resource name may not be "${name ?? ""}"`);
      if (kind.scope === "Namespaced" && namespace === "")
        throw badRequest(`${kind.kind} "${name}": an empty namespace may not be set when a resource name is provided`);
      return `${collection(namespace)}/${encodeURIComponent(name)}${subresource === undefined ? "" : `/${subresource}`}`;
    }
    function filled(object: Draft<T> | T): JsonObject {
      return { ...(object as unknown as JsonObject), apiVersion, kind: kind.kind };
    }
    /** The server leaves apiVersion and kind out of the items of a list of a built-in kind. */
    function typed(item: Json): T {
      if (!isObject(item) || !isObject(item["metadata"]))
        throw new Fault("api.malformed", `the API server's answer is not a ${kind.kind}`, { fault: "peer", retry: "soon" });
      return (item["kind"] === undefined ? { apiVersion, kind: kind.kind, ...item } : item) as unknown as T;
    }
    function writeQuery(write: WriteOptions | undefined): Record<string, string | undefined> {
      return { fieldManager, fieldValidation: write?.fieldValidation, dryRun: write?.dryRun === true ? "All" : undefined };
    }
    function selection(select: SelectOptions | undefined): Record<string, string | undefined> {
      return {
        labelSelector: select?.labelSelector,
        fieldSelector: select?.fieldSelector,
        resourceVersion: select?.resourceVersion,
      };
    }
    async function write(
      method: string,
      target: string,
      query: Record<string, string | undefined>,
      body: Json,
      signal: AbortSignal | undefined,
      contentType?: string,
    ): Promise<T> {
      const exchange = {
        method,
        target: target + queryOf(query),
        body,
        signal,
        ...(contentType === undefined ? {} : { contentType }),
      };
      return typed(await call(exchange));
    }

    const self: ResourceClient<T> = {
      kind,
      in: (namespace) => resource(kind, namespace),
      get: async (name, get) => typed(await call({ method: "GET", target: path(view, name), signal: get?.signal })),

      async list(list) {
        const query = {
          ...selection(list),
          limit: text(list?.limit),
          continue: list?.continue,
          resourceVersionMatch: list?.resourceVersionMatch,
        };
        const answer = await call({ method: "GET", target: collection(view) + queryOf(query), signal: list?.signal });
        if (!isObject(answer) || !Array.isArray(answer["items"]))
          throw new Fault("api.malformed", `the API server's answer is not a list of ${kind.plural}`, {
            fault: "peer",
            retry: "soon",
          });
        return { ...(answer as unknown as KubeList<T>), items: answer["items"].map(typed) };
      },

      async listAll(list) {
        const first = await self.list({ limit: 500, ...list });
        const items = first.items;
        try {
          for (let next = first.metadata.continue; next !== undefined && next !== "";) {
            await list?.pause?.();
            const page = await self.list({ ...list, limit: list?.limit ?? 500, continue: next, resourceVersion: undefined });
            for (const item of page.items) items.push(item);
            next = page.metadata.continue;
          }
        } catch (error) {
          // The list took longer than the server's history is kept: one big page is then the only consistent answer.
          if (!isExpired(error)) throw error;
          return await self.list({ ...list, limit: 0 });
        }
        return { ...first, metadata: { resourceVersion: first.metadata.resourceVersion ?? "" }, items };
      },

      create: async (object, create) =>
        await write("POST", collection(object.metadata.namespace ?? view), writeQuery(create), filled(object), create?.signal),

      async update(object, update) {
        const target = path(object.metadata.namespace ?? view, object.metadata.name, update?.subresource);
        return await write("PUT", target, writeQuery(update), filled(object), update?.signal);
      },

      async patch(name, patch, how) {
        const target = path(view, name, how?.subresource);
        return await write("PATCH", target, writeQuery(how), patch, how?.signal, PATCH_TYPES[how?.type ?? "merge"]);
      },

      async delete(name, how) {
        const body: JsonObject = { apiVersion: "v1", kind: "DeleteOptions" };
        if (how?.preconditions !== undefined) body["preconditions"] = { ...how.preconditions };
        if (how?.propagationPolicy !== undefined) body["propagationPolicy"] = how.propagationPolicy;
        if (how?.gracePeriodSeconds !== undefined) body["gracePeriodSeconds"] = how.gracePeriodSeconds;
        if (how?.dryRun === true) body["dryRun"] = ["All"];
        const answer = await call({ method: "DELETE", target: path(view, name), body, signal: how?.signal });
        return isObject(answer) && answer["kind"] === kind.kind ? typed(answer) : undefined;
      },

      async *watch(watch) {
        const seconds = watch?.timeoutSeconds ?? Math.round(jittered(300, 1, options.entropy));
        const query = { watch: "true", allowWatchBookmarks: "true", timeoutSeconds: text(seconds), ...selection(watch) };
        const exchange = { method: "GET", target: collection(view) + queryOf(query), signal: watch?.signal };
        for await (const line of stream(exchange, seconds, watch?.onOpen)) yield eventOf(line);
      },
    };

    function eventOf(line: Json): WatchEvent<T> {
      const type = isObject(line) ? line["type"] : undefined;
      const object = isObject(line) ? line["object"] : undefined;
      if (type === "ERROR" && isStatus(object)) throw faultOf(object);
      if (type === "BOOKMARK") return { type, resourceVersion: typed(object ?? null).metadata.resourceVersion ?? "" };
      if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") return { type, object: typed(object ?? null) };
      throw new Fault("api.malformed", `a watch of ${kind.plural} sent an event of type ${JSON.stringify(type ?? null)}`, {
        fault: "peer",
        retry: "soon",
      });
    }

    return self;
  }

  return {
    for: (kind) => resource(kind, ""),
    raw: (method, target, raw) => call({ method, target, body: raw?.body, signal: raw?.signal, patient: raw?.patient }),
  };
}

function text(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function queryOf(query: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs).toString()}`;
}
