/** When a machine's power is read next. Pure. */
import type { Breaker } from "#decide/power.ts";
import type { FleetSettings } from "./settings.ts";

/** Where in the period of `rest` a machine's readings lie, in [0, 1): the same for the same machine, and spread evenly over many (FNV-1a, 32 bits). */
export function phaseOf(machine: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < machine.length; i++) hash = Math.imul(hash ^ machine.charCodeAt(i), 0x01000193);
  // Names that differ in their last character only would differ in low bits only.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

export interface PollState {
  /** Milliseconds since the beginning of time, as {@link Breaker} counts. */
  readonly now: number;
  readonly breaker: Breaker;
  /** Readings since something was done to the machine, or it changed by itself. Infinity: long ago. */
  readonly quiet: number;
  readonly phase: number;
}

/** Milliseconds until the next reading. */
export function nextReading(state: PollState, { rest, soon }: Pick<FleetSettings, "rest" | "soon">): number {
  const { now, breaker, quiet, phase } = state;
  if (breaker.state === "open") return Math.max(0, (breaker.retryAt ?? now) - now);
  if (breaker.failures > 0) return Math.min(rest, soon * 2 ** Math.min(breaker.failures - 1, 20));
  const quick = soon * 2 ** Math.min(quiet, 40);
  if (quick < rest / 2) return quick;
  // At the machine's own moment of the period, but not at once again.
  const ahead = (((phase * rest - now) % rest) + rest) % rest;
  return ahead < rest / 2 ? ahead + rest : ahead;
}
