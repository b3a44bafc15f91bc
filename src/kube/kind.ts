/** How a kind is named on the wire, and which TypeScript type its objects have. Every `kind(…)` of `#schema/kind.ts` is one. */
import { apiVersionOf, type KubeObject } from "#schema/meta.ts";

export interface KindRef<T extends KubeObject = KubeObject> {
  /** "" for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope: "Cluster" | "Namespaced";
  /** Never there at run time: it carries the object's type to whoever is handed the reference. */
  readonly $type?: T;
}

/** A reference to a kind that no constant of `#kinds` describes (Lease, Event, a foreign CRD), with its type named by the caller. */
export function kindRef<T extends KubeObject>(ref: Omit<KindRef<T>, "$type">): KindRef<T> {
  return ref;
}

/** Identity of a kind in maps: all versions of one kind are the same objects, but a client reads one of them. */
export function kindName(kind: KindRef): string {
  return `${kind.kind}.${apiVersionOf(kind.group, kind.version)}`;
}

/** Key of an object in caches and queues: `namespace/name`, or the bare name of a cluster-scoped object. */
export function keyOf(object: KubeObject): string {
  const { namespace, name = "" } = object.metadata;
  return namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;
}

/** The inverse of {@link keyOf}; namespace is "" for cluster scope. */
export function parseKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf("/");
  return slash < 0 ? { namespace: "", name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
