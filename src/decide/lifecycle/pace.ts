/** How fast: nothing is done to a machine that may still be on its way up, and what fails is tried again ever more seldom. */
import type { Duration } from "#std/duration.ts";
import { actionTime, isStart } from "./action.ts";
import type { Machine } from "./machine.ts";
import { MINUTE, SECOND } from "./time.ts";

/** How often a machine is started for one wipe, or into its Environment with nothing seen of it. */
export const MOST_BOOTS = 5;
/** How often one thing is asked of a BMC that fails. */
export const MOST_TRIES = 8;
/** After that, one more try at this interval, and only while the BMC answers otherwise. */
export const SLOW_RETRY = 15 * MINUTE;

const UNLEARNED: Duration = 3 * MINUTE;
const SHORTEST: Duration = MINUTE;
const LONGEST: Duration = 15 * MINUTE;
/** What machines of one model differ in. */
const MARGIN = 1.5;

/** How long a machine is left alone after it was started. Learned by model: a small virtual machine is up in seconds, large ones take ten minutes. */
export function bootTime({ seen, settings }: Machine): Duration {
  const { modelBootSeconds } = seen;
  const learned = modelBootSeconds === undefined ? UNLEARNED : modelBootSeconds * MARGIN * SECOND;
  return Math.min(settings.rebootTimeout, Math.max(SHORTEST, Math.min(LONGEST, learned)));
}

/** Until when the machine is on its way up because we started it; undefined when it is not, or has arrived. */
export function startingUntil(machine: Machine, now: number): number | undefined {
  const { action } = machine.record;
  if (action === undefined || !isStart(action) || action.state === "failed") return undefined;
  const begun = actionTime(action);
  if (machine.seen.agent !== undefined && machine.seen.agent.since >= begun) return undefined;
  const until = begun + bootTime(machine);
  return now < until ? until : undefined;
}

/** Milliseconds to wait after `failures` in a row: doubling, bounded, and not in step with other machines that failed at the same moment. */
export function backoff(failures: number, name: string, base: Duration): Duration {
  const full = Math.min(5 * MINUTE, base * 2 ** Math.min(failures - 1, 20));
  return Math.round(full * (0.75 + 0.5 * fraction(`${name}/${failures}`)));
}

/** From 0 up to 1, always the same for the same text (FNV-1a). */
export function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // The last characters differ most, and the last multiplication alone does not spread them.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) / 2 ** 32;
}
