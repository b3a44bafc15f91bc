/** What an event does to the ServerBinding of the machine it came from, exactly as upstream has it (facts §8.3). */
import type { ClusterCondition, Said } from "#schema/condition.ts";
import { setClusterCondition } from "#schema/condition.ts";
import { equal } from "#std/json.ts";
import type { LinkEvent } from "./event.ts";
import type { Network } from "./filter.ts";
import { addressesOf } from "./filter.ts";

/** The part of a ServerBinding that events change. */
export interface Reported {
  readonly conditions: readonly ClusterCondition[];
  readonly addresses?: readonly string[];
  readonly hostname?: string;
}

export interface EffectOptions {
  /** The machine's end of the tunnel, with or without prefix length. */
  readonly tunnel: string;
  readonly negative: readonly Network[];
  /** RFC 3339, whole seconds. */
  readonly now: string;
}

/** How Talos says that the sequence "failed" by the reboot which ends an installation. */
const PLANNED_REBOOT = "unix.Reboot";
const LONGEST_MESSAGE = 1024;

const LOADED = { type: "TalosConfigLoaded", status: "True" } as const;
const VALIDATED = { type: "TalosConfigValidated", status: "True" } as const;
const INSTALLED = { type: "TalosInstalled", status: "True" } as const;

/** What is there afterwards; the very object that was given when nothing changes. */
export function applyEvent(before: Reported, event: LinkEvent, options: EffectOptions): Reported {
  if (event.type === "address") {
    const addresses = addressesOf(event.addresses, options.tunnel, options.negative);
    const { hostname } = event;
    return before.hostname === hostname && equal(before.addresses, addresses) ? before : { ...before, addresses, hostname };
  }
  let { conditions } = before;
  for (const said of saidBy(event)) conditions = setClusterCondition(conditions, said, options.now);
  return conditions === before.conditions ? before : { ...before, conditions };
}

function saidBy(event: LinkEvent): readonly Said<ClusterCondition>[] {
  switch (event.type) {
    case "config-validation-error":
      return [failed("TalosConfigValidated", "TalosConfigValidationFailed", event.error)];
    case "config-load-error":
      return [failed("TalosConfigLoaded", "TalosConfigLoadFailed", event.error)];
    case "phase":
      return event.action === "start" ? saidByPhase(event.phase) : [];
    case "sequence":
      return saidBySequence(event);
    default:
      return [];
  }
}

function saidByPhase(phase: string): readonly Said<ClusterCondition>[] {
  // Talos has no phase `saveConfig` from 1.10 on; there the boot sequence says it.
  if (phase === "saveConfig") return [VALIDATED, LOADED];
  if (phase !== "install") return [];
  return [{ type: "TalosInstalled", status: "False", severity: "Info", reason: "TalosInstallationInProgress" }];
}

function saidBySequence({ sequence, action, error }: LinkEvent & { type: "sequence" }): readonly Said<ClusterCondition>[] {
  if (sequence === "boot" && action === "start") return [VALIDATED, LOADED, INSTALLED];
  if (sequence !== "install" || action !== "noop" || error?.code !== "fatal") return [];
  return [isPlannedReboot(error.message) ? INSTALLED : failed("TalosInstalled", "TalosInstallationFailed", error.message)];
}

export function isPlannedReboot(message: string): boolean {
  return message.includes(PLANNED_REBOOT);
}

function failed(type: string, reason: string, error: string): Said<ClusterCondition> {
  return { type, status: "False", severity: "Error", reason, message: error.slice(0, LONGEST_MESSAGE) };
}
