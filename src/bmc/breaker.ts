/**
 * The circuit breaker of a BMC: who does not answer is left alone for a while, so that it costs nobody anything, and an account is not locked by
 * us. A failure is a whole attempt (a reading, a try of an operation), not a call. Pure.
 */
import type { Breaker } from "#decide/power.ts";

export interface BreakerPolicy {
  /** Failures in a row that open it. */
  readonly threshold: number;
  /** The same for a BMC that says it is busy: in POST it does so for minutes. */
  readonly busy: number;
  /** Milliseconds that it stays open first; doubles with each failure up to `most`. */
  readonly base: number;
  readonly most: number;
  /** Milliseconds for one that does not take our credentials: every further try may lock the account. */
  readonly denied: number;
}

export const POLICY: BreakerPolicy = { threshold: 3, busy: 8, base: 15_000, most: 600_000, denied: 1_800_000 };

export const CLOSED: Breaker = { state: "closed", failures: 0 };

/** It answered, and that is why these say nothing against its being there. */
const ANSWERS: ReadonlySet<string> = new Set(["bmc.refused", "bmc.unsupported", "bmc.not-verified"]);

/** Whether a failure with this code is one of the BMC as a whole. */
export function isOfBmc(code: string): boolean {
  return !ANSWERS.has(code);
}

/** `chance`: a random number in [0, 1), so that BMCs that failed together are not tried together. `now`: milliseconds since 1970. */
export function afterFailure(
  before: Breaker,
  fault: { readonly code: string; readonly message: string },
  now: number,
  chance: number,
  policy: BreakerPolicy = POLICY,
): Breaker {
  const failures = before.failures + 1;
  const since = before.since ?? now;
  const error = fault.message;
  const isCredentials = fault.code === "bmc.denied" || fault.code === "bmc.no-credentials";
  const threshold = fault.code === "bmc.busy" ? policy.busy : policy.threshold;
  if (before.state === "closed" && failures < threshold && !isCredentials) return { state: "closed", failures, error, since };
  const doublings = Math.min(Math.max(failures - policy.threshold, 0), 30);
  const full = fault.code === "bmc.denied" ? policy.denied : Math.min(policy.most, policy.base * 2 ** doublings);
  // What is waited for with an account that is locked is waited for whole.
  const wait = fault.code === "bmc.denied" ? full * (1 + chance / 4) : (full * (1 + chance)) / 2;
  return { state: "open", failures, error, since, retryAt: now + Math.round(wait) };
}

/** `now`: milliseconds since 1970. */
export function admits({ state, retryAt = 0 }: Breaker, now: number): boolean {
  return state !== "open" || now >= retryAt;
}

/** One call is on its way to find out. */
export function probing(breaker: Breaker): Breaker {
  return breaker.state === "open" ? { ...breaker, state: "half-open" } : breaker;
}
