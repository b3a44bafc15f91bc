/**
 * Changes a machine's power until reading back shows it. A BMC that says yes has done nothing yet, and some never do. What is as it should be is left
 * as it is, so that everything here can be repeated.
 */
import type { PowerAction, PowerState } from "#decide/power.ts";
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import { formatDuration } from "#std/duration.ts";
import { Fault } from "#std/fault.ts";
import type { FleetSettings } from "./settings.ts";
import { ACTION_TEXT } from "./settings.ts";

export interface PowerSwitch {
  readonly clock: Clock;
  readonly settings: Pick<FleetSettings, "verify" | "softOff" | "pause">;
  /** Whether the BMC is known not to have that action. */
  readonly lacks: (action: PowerAction) => boolean;
  readonly read: () => Promise<PowerState>;
  readonly command: (action: PowerAction) => Promise<void>;
  /** Ends waiting, with its reason; a call under way is the caller's to end. */
  readonly signal: AbortSignal;
}

/** Milliseconds between readings, from the first one after a command on. */
const LOOKS = [250, 500, 1000, 2000];
/** The same for a machine that shuts down. */
const SLOW_LOOKS = [2000, 3000, 5000];

/**
 * Resolves when the machine is as `action` wants it. Rejects with Fault `bmc.not-verified` when the BMC claims to have done it and the machine shows
 * otherwise, with the BMC's own faults, or with the signal's reason.
 *
 * `cycle` is off and on, each of them seen: after a BMC's own cycle a machine is on, and so it is when nothing has happened. Only a BMC that cannot do
 * it otherwise is believed. A machine that is off is switched on by `cycle` and `reset`.
 */
export async function changePower(action: PowerAction, machine: PowerSwitch): Promise<void> {
  const before = await machine.read();
  switch (action) {
    case "on":
      return before === "on" ? undefined : order("on", "on", machine);
    case "off":
      return before === "off" ? undefined : order("off", "off", machine);
    case "soft-off":
      return before === "off" ? undefined : shutDown(machine);
    case "reset":
      if (before === "off") return order("on", "on", machine);
      return machine.lacks("reset") ? cycle(machine) : order("reset", "on", machine);
    case "cycle":
      return before === "off" ? order("on", "on", machine) : cycle(machine);
  }
}

async function cycle(machine: PowerSwitch): Promise<void> {
  if (machine.lacks("off") || machine.lacks("on")) return order("cycle", "on", machine);
  await order("off", "off", machine);
  await sleep(machine.clock, machine.settings.pause, machine.signal);
  await order("on", "on", machine);
}

/** The operating system may take its time, refuse, or not be there. */
async function shutDown(machine: PowerSwitch): Promise<void> {
  const isAsked = !machine.lacks("soft-off") && (await asked(machine));
  const { softOff } = machine.settings;
  if (isAsked && (await becomes("off", softOff, SLOW_LOOKS, machine)) === "off") return;
  await order("off", "off", machine);
}

async function asked(machine: PowerSwitch): Promise<boolean> {
  try {
    await machine.command("soft-off");
    return true;
  } catch (error) {
    if (Fault.is(error, "bmc.unsupported") || Fault.is(error, "bmc.refused")) return false;
    throw error;
  }
}

async function order(action: PowerAction, wanted: PowerState, machine: PowerSwitch): Promise<void> {
  await machine.command(action);
  const { verify } = machine.settings;
  const seen = await becomes(wanted, verify, LOOKS, machine);
  if (seen === wanted) return;
  const message = `the BMC was told to ${ACTION_TEXT[action]} and agreed; ${formatDuration(verify)} later it says that the machine is ${seen}`;
  throw new Fault("bmc.not-verified", message, { fault: "peer", retry: "soon" });
}

/** Looks until the machine is as wanted, or for so many milliseconds; what was seen last. A BMC may be busy with what it was told. */
async function becomes(wanted: PowerState, limit: number, looks: readonly number[], machine: PowerSwitch): Promise<PowerState> {
  const { clock, signal, read } = machine;
  const end = clock.monotonic() + limit;
  for (let look = 0; ; look++) {
    await sleep(clock, looks[Math.min(look, looks.length - 1)]!, signal);
    const isLast = clock.monotonic() >= end;
    try {
      const seen = await read();
      if (seen === wanted || isLast) return seen;
    } catch (error) {
      if (isLast || signal.aborted || Fault.from(error).retry !== "soon") throw error;
    }
  }
}
