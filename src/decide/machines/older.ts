/** Conditions of contract v1beta1, which follow from those of v1beta2: some names and reasons are other ones, and bad ones have a severity. */
import type { Condition } from "#kinds/condition.ts";
import { type ClusterCondition, type Said, setClusterCondition } from "#schema/condition.ts";
import { stamp } from "../lifecycle/time.ts";

export interface Older {
  readonly type: string;
  /** Undefined when it is good. */
  readonly bad: Pick<Condition, "reason" | "message"> | undefined;
}

interface Deprecated {
  readonly v1beta1?: { conditions?: Condition[]; failureReason?: string; failureMessage?: string };
}

/** The part of a status that is `deprecated`, with these and Ready, which is as bad as the first bad one of them. */
export function withOlder(before: Deprecated | undefined, all: readonly Older[], now: number) {
  const ready = { type: "Ready", bad: all.find(({ bad }) => bad !== undefined)?.bad };
  let list = (before?.v1beta1?.conditions ?? []) as readonly ClusterCondition[];
  for (const { type, bad } of [...all, ready]) list = setClusterCondition(list, saidOf(type, bad), stamp(now));
  return { ...before, v1beta1: { ...before?.v1beta1, conditions: [...list] as Condition[] } };
}

function saidOf(type: string, bad: Older["bad"]): Said<ClusterCondition> {
  if (bad === undefined) return { type, status: "True" };
  const { reason = "Unknown", message } = bad;
  return { type, status: "False", severity: "Warning", reason, ...(message === undefined ? {} : { message }) };
}

/** Bad when the condition is not what it should be. */
export function olderOf(type: string, said: Said<Condition> | undefined, good: "True" | "False", reason?: string): Older {
  if (said === undefined || said.status === good) return { type, bad: undefined };
  return {
    type,
    bad: { reason: reason ?? said.reason ?? "Unknown", ...(said.message === undefined ? {} : { message: said.message }) },
  };
}
