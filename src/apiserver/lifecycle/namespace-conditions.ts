/** What a terminating namespace says about itself (kube-controller-manager, namespace deletion). */
import type { Definition } from "#schema/definition.ts";
import { equal } from "#std/json.ts";
import type { Entry } from "../store/store.ts";

export interface NamespaceCondition {
  type: string;
  status: "True" | "False";
  lastTransitionTime: string;
  reason: string;
  message: string;
}

/** An object that is still there. */
export interface Remainder {
  readonly definition: Definition;
  readonly object: Entry;
}

type Verdict = Omit<NamespaceCondition, "lastTransitionTime">;

const FINE: readonly Verdict[] = [
  fine("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
  fine("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
  fine("NamespaceDeletionContentFailure", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
];

function fine(type: string, reason: string, message: string): Verdict {
  return { type, status: "False", reason, message };
}

/** The namespace's conditions, undefined when they are the ones it has. The time of a condition is that of its last change of status. */
export function namespaceConditions(
  remaining: readonly Remainder[],
  known: readonly NamespaceCondition[],
  now: string,
): NamespaceCondition[] | undefined {
  const conditions = [...FINE, contentRemaining(remaining), finalizersRemaining(remaining)].map((verdict) => {
    const old = known.find((condition) => condition.type === verdict.type);
    return { ...verdict, lastTransitionTime: old?.status === verdict.status ? old.lastTransitionTime : now };
  });
  return equal(conditions, known) ? undefined : conditions;
}

function contentRemaining(remaining: readonly Remainder[]): Verdict {
  const counts = countBy(remaining.map(({ definition }) => `${definition.plural}.${definition.group}`));
  const list = counts.map(([resource, count]) => `${resource} has ${count} resource instances`).join(", ");
  return {
    type: "NamespaceContentRemaining",
    status: "True",
    reason: "SomeResourcesRemain",
    message: `Some resources are remaining: ${list}`,
  };
}

function finalizersRemaining(remaining: readonly Remainder[]): Verdict {
  const counts = countBy(remaining.flatMap(({ object }) => object.object().metadata.finalizers ?? []));
  const type = "NamespaceFinalizersRemaining";
  if (counts.length === 0) return fine(type, "ContentHasNoFinalizers", "All content-preserving finalizers finished");
  const list = counts.map(([finalizer, count]) => `${finalizer} in ${count} resource instances`).join(", ");
  return {
    type,
    status: "True",
    reason: "SomeFinalizersRemain",
    message: `Some content in the namespace has finalizers remaining: ${list}`,
  };
}

function countBy(names: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}
