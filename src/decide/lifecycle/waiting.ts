/** Every wait explains itself: what for, since when, until when, what comes then, and what a person can do (DESIGN §4.5). */
import type { Machine, Record, Wait } from "./machine.ts";
import { stamp } from "./time.ts";

/** Whoever waited for the same reason before has waited since then. */
export function waitingOf({ record }: Machine, wait: Wait | undefined, now: number): Record["waiting"] {
  if (wait === undefined) return undefined;
  const { reason, waitingFor, since, deadline, next, remedy } = wait;
  const before = record.waiting?.reason === reason ? record.waiting.since : undefined;
  return {
    reason,
    waitingFor,
    since: since === undefined ? (before ?? stamp(now)) : stamp(since),
    ...(deadline !== undefined && { deadline: stamp(deadline) }),
    ...(next !== undefined && { next }),
    ...(remedy !== undefined && { remedy }),
  };
}
