/**
 * Conditions in the two styles that exist side by side: meta/v1 (KEP-1623), and the older one of Cluster API v1beta1 with its
 * severity. All functions are pure and give back the very list they were given when nothing changes, so that a status that says
 * nothing new is not written.
 */
import { equal } from "#std/json.ts";
import type { Condition } from "./meta.ts";

/** Cluster API v1beta1 (`sigs.k8s.io/cluster-api/api/core/v1beta1` Condition). */
export interface ClusterCondition {
  type: string;
  status: "True" | "False" | "Unknown";
  /** How bad a False one is; never with another status. */
  severity?: "Error" | "Warning" | "Info";
  lastTransitionTime: string;
  reason?: string;
  message?: string;
}

/** What is said of a condition; when it began to hold follows from what was said before. */
export type Said<C> = Omit<C, "lastTransitionTime">;

interface Timed {
  type: string;
  status: string;
  lastTransitionTime: string;
}

/**
 * The list with `said` in the place of the condition of its type, or at the end. lastTransitionTime is `now` (RFC 3339, whole
 * seconds) when the status is another one, and stays when only reason or message change.
 */
export function setCondition<C extends Timed = Condition>(conditions: readonly C[], said: Said<C>, now: string): readonly C[] {
  const old = findCondition(conditions, said.type);
  const lastTransitionTime = old !== undefined && old.status === said.status ? old.lastTransitionTime : now;
  const condition = { ...said, lastTransitionTime } as C;
  if (old === undefined) return [...conditions, condition];
  return equal(old, condition) ? conditions : conditions.map((each) => (each === old ? condition : each));
}

/** As {@link setCondition}, in the order Cluster API keeps: Ready first, the others by type. */
export function setClusterCondition(
  conditions: readonly ClusterCondition[],
  said: Said<ClusterCondition>,
  now: string,
): readonly ClusterCondition[] {
  const { severity, ...rest } = said;
  const list = setCondition(conditions, said.status === "False" && severity !== undefined ? { ...rest, severity } : rest, now);
  return list.length === conditions.length ? list : list.toSorted(readyFirst);
}

export function findCondition<C extends Timed = Condition>(conditions: readonly C[], type: string): C | undefined {
  return conditions.find((condition) => condition.type === type);
}

export function removeCondition<C extends Timed = Condition>(conditions: readonly C[], type: string): readonly C[] {
  return findCondition(conditions, type) === undefined ? conditions : conditions.filter((each) => each.type !== type);
}

function readyFirst(a: Timed, b: Timed): number {
  const [first, second] = [a.type === "Ready" ? "" : a.type, b.type === "Ready" ? "" : b.type];
  return first < second ? -1 : first > second ? 1 : 0;
}
