/** Owner references as Cluster API keeps them (§2.8), and labels beside them. */
import { parseApiVersion } from "#schema/meta.ts";
import type { KubeObject, OwnerReference } from "#schema/meta.ts";
import { equal } from "#std/json.ts";
import { CLUSTER_NAME } from "#kinds/cluster/keys.ts";

/** The owner's own words: a reference to it. */
export function ownedBy({ apiVersion, kind, metadata }: KubeObject, controller: boolean): OwnerReference {
  const { name = "", uid = "" } = metadata;
  return { apiVersion, kind, name, uid, controller, blockOwnerDeletion: true };
}

/** They name the same object, in whatever version and life. */
export function isSameOwner(a: OwnerReference, b: OwnerReference): boolean {
  return a.kind === b.kind && a.name === b.name && groupOf(a) === groupOf(b);
}

export function groupOf({ apiVersion }: { readonly apiVersion: string }): string {
  return parseApiVersion(apiVersion)?.group ?? "";
}

/** The reference that says controller, if there is one. */
export function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true);
}

export interface Ownership {
  readonly ownerReferences: readonly OwnerReference[];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * What to write so that the object is the owner's and carries its cluster's label; undefined when it is so already. `gone`: owners that give it up. A
 * string says why it cannot be had: it is somebody else's.
 */
export function owning(
  object: KubeObject,
  owner: OwnerReference,
  cluster: string,
  isGone: (reference: OwnerReference) => boolean = () => false,
): Ownership | string | undefined {
  const { ownerReferences: before = [], labels = {} } = object.metadata;
  const others = before.filter((each) => !isSameOwner(each, owner) && !isGone(each));
  const rival = owner.controller === true ? others.find(({ controller }) => controller === true) : undefined;
  if (rival !== undefined) return `${object.kind} ${object.metadata.name} is already controlled by ${rival.kind} ${rival.name}`;
  const present = before.find((each) => isSameOwner(each, owner));
  // Fields that only others set (blockOwnerDeletion) stay as they are.
  const mine = present === undefined ? owner : { ...present, ...pick(owner) };
  const next = before.flatMap((each) => (isGone(each) ? [] : isSameOwner(each, owner) ? [mine] : [each]));
  const ownerReferences = present === undefined ? [...next, mine] : next;
  if (equal(ownerReferences, before) && labels[CLUSTER_NAME] === cluster) return undefined;
  return { ownerReferences, labels: { [CLUSTER_NAME]: cluster } };
}

function pick({ apiVersion, uid, controller }: OwnerReference): Partial<OwnerReference> {
  return { apiVersion, uid, ...(controller === undefined ? {} : { controller }) };
}
