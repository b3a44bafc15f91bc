/** Owners that are deleted with `--cascade=orphan`: what they own, and the machines behind it, is to stay as it is. */
import type { KubeObject } from "#schema/meta.ts";

/** The garbage collector's finalizer, which is there until it has taken the owner off everything. */
const ORPHAN = "orphan";

export function leavesDependents({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(ORPHAN) === true;
}

/**
 * What goes with an owner that is being deleted. What nobody controls was let go, maybe a moment ago by the garbage collector: that goes with its
 * cluster alone (`cluster`; undefined: it is gone).
 */
export function goingWith<T extends KubeObject>(
  { metadata: { uid } }: KubeObject,
  objects: readonly T[],
  cluster: KubeObject | undefined,
): readonly T[] {
  if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return objects;
  return objects.filter(({ metadata }) => metadata.ownerReferences?.some((each) => each.controller === true && each.uid === uid));
}
