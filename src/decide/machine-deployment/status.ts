/** What the status of a MachineDeployment says (§2.1, §2.6). */
import type { DeploymentPhase, MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import type { Condition } from "#kinds/condition.ts";
import type { Said } from "#schema/condition.ts";
import { deletingCondition, pausedCondition, scalingConditions, setAll } from "../machine-set/status.ts";
import { isToBeRemediated } from "../machine-set/remediation.ts";
import { conditionOf, isTrue } from "../machines/machine.ts";
import { olderOf, withOlder } from "../machines/older.ts";
import { printSelector } from "../machines/selector-text.ts";
import { countMachines, sumUp } from "../machines/summary.ts";
import { boundsOf } from "./count.ts";
import type { ObservedDeployment } from "./observed.ts";

type Status = NonNullable<MachineDeployment["status"]>;
/** Fields to write; undefined takes a field away. */
export type DeploymentStatus = { readonly [K in keyof Status]?: Status[K] | undefined };

export function statusOf({ deployment, sets, machines, paused }: ObservedDeployment, now: number): DeploymentStatus {
  const { metadata, spec, status } = deployment;
  const all = sets.flatMap((set) => machines.get(set.metadata.uid ?? "") ?? []);
  const counts = countMachines(all);
  const isDeleting = metadata.deletionTimestamp !== undefined;
  const wanted = isDeleting ? 0 : (spec?.replicas ?? 1);
  const marked = all.filter(isToBeRemediated).length;
  const said: Said<Condition>[] = [
    pausedCondition(paused),
    availability(deployment, counts.availableReplicas),
    rollingOut(all),
    ...scalingConditions(counts.replicas, wanted, hindrancesOf(sets)),
    sumUp("MachinesReady", "Ready", all),
    sumUp("MachinesUpToDate", "UpToDate", all),
    marked > 0
      ? { type: "Remediating", status: "True", reason: "Remediating", message: `${marked} Machines to be replaced` }
      : { type: "Remediating", status: "False", reason: "NotRemediating" },
    deletingCondition(isDeleting, `${sets.length} MachineSets left`),
  ];
  return {
    ...counts,
    versions: counts.versions,
    selector: printSelector(spec?.selector ?? {}),
    observedGeneration: metadata.generation ?? 1,
    phase: phaseOf(counts.replicas, wanted),
    conditions: setAll(status?.conditions, said, now),
    deprecated: withOlder(
      status?.deprecated,
      [
        olderOf(
          "Available",
          said.find(({ type }) => type === "Available"),
          "True",
          "WaitingForAvailableMachines",
        ),
      ],
      now,
    ),
  };
}

/** While nothing is done, only that is said. */
export function pausedStatus({ deployment, paused }: ObservedDeployment, now: number): DeploymentStatus {
  return { conditions: setAll(deployment.status?.conditions, [pausedCondition(paused)], now) };
}

function phaseOf(replicas: number, wanted: number): DeploymentPhase {
  return replicas === wanted ? "Running" : replicas < wanted ? "ScalingUp" : "ScalingDown";
}

function availability(deployment: MachineDeployment, available: number): Said<Condition> {
  const replicas = deployment.spec?.replicas ?? 1;
  const { maxUnavailable } = boundsOf(deployment);
  const least = Math.max(replicas - maxUnavailable, 0);
  if (available >= least) return { type: "Available", status: "True", reason: "Available" };
  const why = `${available} available replicas, at least ${least} required`;
  const rule = `spec.rollout.strategy.rollingUpdate.maxUnavailable is ${maxUnavailable}, spec.replicas is ${replicas}`;
  return { type: "Available", status: "False", reason: "NotAvailable", message: `${why} (${rule})` };
}

function rollingOut(machines: ObservedDeployment["machines"] extends ReadonlyMap<string, infer M> ? M : never): Said<Condition> {
  const outdated = machines.filter((machine) => conditionOf(machine, "UpToDate") !== undefined && !isTrue(machine, "UpToDate"));
  if (outdated.length === 0) return { type: "RollingOut", status: "False", reason: "NotRollingOut" };
  const reasons = new Set(outdated.flatMap((machine) => conditionOf(machine, "UpToDate")?.message?.split("\n") ?? []));
  const message = [`Rolling out ${outdated.length} not up-to-date replicas`, ...[...reasons].toSorted()].join("\n");
  return { type: "RollingOut", status: "True", reason: "RollingOut", message };
}

/** Why sets make no machines, without the bullets. */
function hindrancesOf(sets: ObservedDeployment["sets"]): string[] {
  const lines = sets.flatMap(({ status }) => {
    const scaling = status?.conditions?.find(({ type }) => type === "ScalingUp");
    return scaling?.status === "True" ? (scaling.message ?? "").split("\n").slice(1) : [];
  });
  return [...new Set(lines.map((line) => line.replace(/^\* /, "")))];
}
