/** Upstream's two conditions of a Server (sidero.md §3.1), from what is on record now. */
import type { ClusterCondition } from "#schema/condition.ts";
import { findCondition, removeCondition, setClusterCondition } from "#schema/condition.ts";
import { actionTime } from "./action.ts";
import { isOtherHolder } from "./installed.ts";
import type { Machine, Record } from "./machine.ts";
import { stamp } from "./time.ts";

export const POWER_CYCLE = "PowerCycle";
export const PXE_BOOTED = "PXEBooted";

/** PowerCycle: a wipe is ordered or under way (False), or done (True). PXEBooted: Talos says that it is installed; goes with the binding. */
export function conditionsOf(
  machine: Machine,
  wipe: Record["wipe"],
  action: Record["action"],
  now: number,
): Record["conditions"] {
  const before = (machine.record.conditions ?? []) as readonly ClusterCondition[];
  const after = withBooted(machine, withCycle(before, wipe, action, now), now);
  return after.length === 0 && machine.record.conditions === undefined ? undefined : ([...after] as Record["conditions"]);
}

type Conditions = readonly ClusterCondition[];

function withCycle(conditions: Conditions, wipe: Record["wipe"], action: Record["action"], now: number): Conditions {
  if (wipe === undefined || wipe.state === "withdrawn") return conditions;
  if (wipe.state === "done") {
    // One that is not there has been taken away by somebody, and says nothing.
    const said = findCondition(conditions, POWER_CYCLE)?.status;
    return said === "False" ? setClusterCondition(conditions, { type: POWER_CYCLE, status: "True" }, stamp(now)) : conditions;
  }
  const isFailed = wipe.state === "failed";
  const message = isFailed
    ? `Wiping failed: ${wipe.detail ?? "see status.wipe"}`
    : wipe.state === "started"
      ? "Server wipe in progress."
      : cycled(wipe, action);
  const said = {
    type: POWER_CYCLE,
    status: "False",
    severity: isFailed ? "Warning" : "Info",
    reason: isFailed ? "WipeFailed" : "InProgress",
    message,
  } as const;
  // Upstream counts its time-out from the transition, so each step is one.
  const isSaid = findCondition(conditions, POWER_CYCLE)?.message === message;
  return setClusterCondition(isSaid ? conditions : removeCondition(conditions, POWER_CYCLE), said, stamp(now));
}

function cycled(wipe: NonNullable<Record["wipe"]>, action: Record["action"]): string {
  const isCycled = action !== undefined && action.id.startsWith(`boot-agent/${wipe.id}.`);
  return isCycled ? `Server power cycled for wiping at ${stamp(actionTime(action))}` : `Server is to be wiped: ${wipe.reason}`;
}

function withBooted({ seen: { binding }, record: { allocation } }: Machine, conditions: Conditions, now: number): Conditions {
  if (binding === undefined) return removeCondition(conditions, PXE_BOOTED);
  if (binding.isInstalled) return setClusterCondition(conditions, { type: PXE_BOOTED, status: "True" }, stamp(now));
  return allocation !== undefined && isOtherHolder(allocation, binding) ? removeCondition(conditions, PXE_BOOTED) : conditions;
}
