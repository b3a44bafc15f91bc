/** What the status of a MachineSet says (§2.1). */
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { Condition } from "#kinds/condition.ts";
import { setCondition, type Said } from "#schema/condition.ts";
import { stamp } from "../lifecycle/time.ts";
import { type Older, olderOf, withOlder } from "../machines/older.ts";
import { printSelector } from "../machines/selector-text.ts";
import { countMachines, sumUp } from "../machines/summary.ts";
import type { ObservedMachineSet } from "./observed.ts";
import { isToBeRemediated } from "./remediation.ts";

/** Fields to write; undefined takes a field away. */
export type SetStatus = {
  readonly [K in keyof NonNullable<MachineSet["status"]>]?: NonNullable<MachineSet["status"]>[K] | undefined;
};

/** `hindrances`: why no machines are made although some are missing. */
export function statusOf(observed: ObservedMachineSet, hindrances: readonly string[], now: number): SetStatus {
  const { set, machines, paused } = observed;
  const counts = countMachines(machines);
  const wanted = set.metadata.deletionTimestamp === undefined ? (set.spec?.replicas ?? 1) : 0;
  const marked = machines.filter(isToBeRemediated).length;
  const said: Said<Condition>[] = [
    pausedCondition(paused),
    ...scalingConditions(machines.length, wanted, hindrances),
    sumUp("MachinesReady", "Ready", machines),
    sumUp("MachinesUpToDate", "UpToDate", observed.deployment === undefined ? [] : machines),
    marked > 0
      ? { type: "Remediating", status: "True", reason: "Remediating", message: `${marked} Machines to be replaced` }
      : { type: "Remediating", status: "False", reason: "NotRemediating" },
    deletingCondition(set.metadata.deletionTimestamp !== undefined, `${machines.length} Machines left`),
  ];
  return {
    ...counts,
    versions: counts.versions,
    selector: printSelector(set.spec?.selector ?? {}),
    observedGeneration: set.metadata.generation ?? 1,
    conditions: setAll(set.status?.conditions, said, now),
    deprecated: withOlder(set.status?.deprecated, olderConditions(said, hindrances), now),
  };
}

/** Those that contract v1beta1 knows of a MachineSet. */
function olderConditions(said: readonly Said<Condition>[], hindrances: readonly string[]): Older[] {
  const of = (type: string): Said<Condition> | undefined => said.find((each) => each.type === type);
  const isShort = of("ScalingUp")?.status === "True";
  return [
    {
      type: "MachinesCreated",
      bad: hindrances.length === 0 ? undefined : { reason: "MachineCreationFailed", message: hindrances.join("; ") },
    },
    olderOf("Resized", of(isShort ? "ScalingUp" : "ScalingDown"), "False"),
    olderOf("MachinesReady", of("MachinesReady"), "True"),
  ];
}

/** While nothing is done, only that is said. */
export function pausedStatus({ set, paused }: ObservedMachineSet, now: number): SetStatus {
  return { conditions: setAll(set.status?.conditions, [pausedCondition(paused)], now) };
}

export function pausedCondition(reason: string | undefined): Said<Condition> {
  return reason === undefined
    ? { type: "Paused", status: "False", reason: "NotPaused" }
    : { type: "Paused", status: "True", reason: "Paused", message: reason };
}

export function deletingCondition(isDeleting: boolean, message: string): Said<Condition> {
  return isDeleting
    ? { type: "Deleting", status: "True", reason: "Deleting", message }
    : { type: "Deleting", status: "False", reason: "NotDeleting" };
}

export function scalingConditions(current: number, wanted: number, hindrances: readonly string[]): Said<Condition>[] {
  const lines = (first: string): string => [first, ...hindrances.map((line) => `* ${line}`)].join("\n");
  return [
    current < wanted
      ? {
          type: "ScalingUp",
          status: "True",
          reason: "ScalingUp",
          message: lines(`Scaling up from ${current} to ${wanted} replicas`),
        }
      : { type: "ScalingUp", status: "False", reason: "NotScalingUp" },
    current > wanted
      ? {
          type: "ScalingDown",
          status: "True",
          reason: "ScalingDown",
          message: `Scaling down from ${current} to ${wanted} replicas`,
        }
      : { type: "ScalingDown", status: "False", reason: "NotScalingDown" },
  ];
}

export function setAll(conditions: Condition[] | undefined, said: readonly Said<Condition>[], now: number): Condition[] {
  const time = stamp(now);
  let list: readonly Condition[] = conditions ?? [];
  for (const each of said) list = setCondition(list, each, time);
  return [...list];
}
