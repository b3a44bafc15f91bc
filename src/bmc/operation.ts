/** Carries an operation out, step by step, and tries again while that can help. */
import type { BootOnce, PowerAction, PowerOperation, PowerStep } from "#decide/power.ts";
import { sleep } from "#io/clock.ts";
import { fraction } from "#io/entropy.ts";
import type { Entropy } from "#io/entropy.ts";
import { Fault } from "#std/fault.ts";
import type { PowerSwitch } from "./power-change.ts";
import { changePower } from "./power-change.ts";
import type { FleetSettings } from "./settings.ts";

export interface OperationPorts extends PowerSwitch {
  readonly entropy: Entropy;
  readonly settings: FleetSettings;
  readonly bootOnce: (boot: BootOnce) => Promise<void>;
  readonly identify: (on: boolean) => Promise<void>;
  readonly onStep: (step: PowerStep) => void;
  /** Told of every try that failed; false: there is to be no other. */
  readonly onFailure: (fault: Fault) => boolean;
}

/** Milliseconds before the second try; a BMC that is busy, with POST for one, is so for a while. */
const FIRST = 1000;
const FIRST_BUSY = 5000;
const MOST = 30_000;

/**
 * Resolves when every step's effect was read back. Rejects with the Fault of the last try, or with the reason of the signal. A try is all steps from the
 * first one: a machine must not start without what it was to boot from, and a BMC that was reset has forgotten it.
 */
export async function perform({ steps }: PowerOperation, ports: OperationPorts): Promise<void> {
  const { clock, entropy, settings, signal } = ports;
  const end = clock.monotonic() + settings.budget;
  for (let failures = 1; ; failures++) {
    try {
      for (const step of steps) {
        signal.throwIfAborted();
        ports.onStep(step);
        await take(step, ports);
      }
      return;
    } catch (error) {
      signal.throwIfAborted();
      const fault = Fault.from(error);
      const wait = delay(failures, fault, fraction(entropy));
      const isLast = !ports.onFailure(fault) || fault.retry !== "soon" || clock.monotonic() + wait > end;
      if (isLast) throw fault;
      await sleep(clock, wait, signal);
    }
  }
}

function take(step: PowerStep, ports: OperationPorts): Promise<void> {
  switch (step.do) {
    case "boot-once":
      return ports.bootOnce(step.boot);
    case "power":
      return changePower(step.action, ports);
    case "identify":
      return ports.identify(step.on);
  }
}

function delay(failures: number, { code }: Fault, chance: number): number {
  const full = Math.min(MOST, (code === "bmc.busy" ? FIRST_BUSY : FIRST) * 2 ** (failures - 1));
  return (full * (1 + chance)) / 2;
}

/** What the machine boots from when it is started by this operation. */
export function bootOf({ steps }: PowerOperation): BootOnce | undefined {
  return steps.find((step) => step.do === "boot-once")?.boot;
}

/** Whether the action has the machine start from the beginning. */
export function starts(action: PowerAction): boolean {
  return action === "on" || action === "cycle" || action === "reset";
}
