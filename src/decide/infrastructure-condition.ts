/** Conditions of the infrastructure provider: one list that the contracts v1beta1 (with severities) and v1beta2 (meta/v1) both read. */
import type { Condition } from "#kinds/condition.ts";
import { setCondition } from "#schema/condition.ts";

export interface Verdict {
  readonly type: string;
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message?: string;
  /** Of a status of False that is not as it should be. */
  readonly severity?: "Error" | "Warning" | "Info";
}

/** `conditions` with the verdict; `now` in milliseconds since 1970. */
export function judged(
  conditions: readonly Condition[],
  { type, status, reason, message = "", severity }: Verdict,
  generation: number | undefined,
  now: number,
): readonly Condition[] {
  const said = {
    type,
    status,
    reason,
    message,
    ...(severity !== undefined && { severity }),
    ...(generation !== undefined && { observedGeneration: generation }),
  };
  return setCondition<Condition>(conditions, said, `${new Date(now).toISOString().slice(0, 19)}Z`);
}

/** Cluster API's condition of an object that is left alone, or not. */
export function pauseVerdict(because: string | undefined): Verdict {
  if (because !== undefined) return { type: "Paused", status: "True", reason: "Paused", message: because };
  return { type: "Paused", status: "False", reason: "NotPaused" };
}
