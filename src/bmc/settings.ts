/** How patient the fleet is with BMCs, and how considerate. All times in milliseconds. */
import type { PowerAction } from "#decide/power.ts";
import { POLICY } from "./breaker.ts";
import type { BreakerPolicy } from "./breaker.ts";

export type CallName = "capabilities" | "inventory" | "power" | "command" | "bootOnce" | "identify" | "health" | "console";

export interface FleetSettings {
  /** Between two readings of a machine's power when nothing is expected to change: upstream's PowerCheckPeriod. */
  readonly rest: number;
  /** The same right after something was done to it; doubles up to `rest`. */
  readonly soon: number;
  readonly health: number;
  /** Capabilities and inventory are read again after that long. */
  readonly identity: number;
  /** A session that nothing is due for is closed. */
  readonly idle: number;
  /** How long a call may take. A BMC's inventory may take minutes to gather. */
  readonly calls: Readonly<Record<CallName, number>>;
  /** A BMC is asked no more often than every `least`, and in the long run every `mean`; up to `burst` calls may be closer than `mean`. */
  readonly pace: { readonly least: number; readonly mean: number; readonly burst: number };
  /** How long a machine may take to do what its BMC was told, and to go off by itself before it is cut off. */
  readonly verify: number;
  readonly softOff: number;
  /** Between off and on of a machine that is cycled. IPMI 2.0 §28.3 asks for one second at least. */
  readonly pause: number;
  /** How long a failing operation is tried again. */
  readonly budget: number;
  /** Readings under way at once; one that has not ended in `turn` gives its place to the next, and goes on. */
  readonly places: number;
  readonly turn: number;
  readonly breaker: BreakerPolicy;
}

export const SETTINGS: FleetSettings = {
  rest: 300_000,
  soon: 5000,
  health: 600_000,
  identity: 6 * 3_600_000,
  idle: 60_000,
  calls: {
    capabilities: 60_000,
    inventory: 120_000,
    power: 30_000,
    command: 60_000,
    bootOnce: 120_000,
    identify: 30_000,
    health: 180_000,
    console: 30_000,
  },
  pace: { least: 50, mean: 500, burst: 60 },
  verify: 30_000,
  softOff: 120_000,
  pause: 2000,
  budget: 180_000,
  places: 64,
  turn: 250,
  breaker: POLICY,
};

/** For people: `it was told to switch the machine on`. */
export const ACTION_TEXT: Readonly<Record<PowerAction, string>> = {
  on: "switch the machine on",
  off: "switch the machine off",
  "soft-off": "have the machine shut down",
  cycle: "switch the machine off and on",
  reset: "reset the machine",
};
