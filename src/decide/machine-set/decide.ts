/** How many machines a set has, which of them go, and what they get from it while they run (§2.5). */
import { CLUSTER_NAME, DISABLE_MACHINE_CREATE } from "#kinds/cluster/keys.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { setCondition } from "#schema/condition.ts";
import type { OwnerReference } from "#schema/meta.ts";
import { stamp } from "../lifecycle/time.ts";
import { conditionOf, createdAt, isDeleting } from "../machines/machine.ts";
import { goingWith, leavesDependents } from "../machines/orphan.ts";
import { outdated } from "../machines/template.ts";
import { machinesToDelete } from "./deletion-order.ts";
import type { MachineSetEffect } from "./effect.ts";
import type { ObservedMachineSet } from "./observed.ts";
import { preflightProblems } from "./preflight.ts";
import { machinesToRemediate } from "./remediation.ts";
import { pausedStatus, type SetStatus, statusOf } from "./status.ts";
import { machineAnnotations, machineLabels, syncPatches } from "./sync.ts";

export interface MachineSetDecision {
  readonly effects?: readonly MachineSetEffect[];
  readonly status?: SetStatus;
  readonly finalized?: boolean;
}

export function decideMachineSet(observed: ObservedMachineSet, now: number): MachineSetDecision {
  const { set, cluster, paused, machines } = observed;
  if (paused !== undefined) return { status: pausedStatus(observed, now) };
  if (set.metadata.deletionTimestamp !== undefined) {
    const going = leavesDependents(set) ? [] : goingWith(set, machines, cluster);
    if (going.length === 0) return { finalized: true };
    const effects = going.filter((machine) => !isDeleting(machine)).map(deletion("its MachineSet is being deleted"));
    return { effects, status: statusOf(observed, [], now) };
  }
  // Without its Cluster nothing is known of what machines would be for.
  if (cluster === undefined) return {};
  const own = marks(set, cluster);
  // What the status is written to would be another state of the set.
  if (own.length > 0) return { effects: own };
  const scaling = decideScale(observed, cluster, now);
  return {
    effects: [
      ...templateOwners(observed, cluster),
      ...machines.flatMap((machine) => care(machine, observed, now)),
      ...scaling.effects,
    ],
    status: statusOf(observed, scaling.hindrances, now),
  };
}

/** How many machines are missing; negative when there are too many. Those being deleted are still there: their hardware is not free yet. */
export function missing({ set, machines }: Pick<ObservedMachineSet, "set" | "machines">): number {
  return (set.spec?.replicas ?? 1) - machines.length;
}

interface Scaling {
  readonly effects: readonly MachineSetEffect[];
  readonly hindrances: readonly string[];
}

function decideScale(observed: ObservedMachineSet, cluster: Cluster, now: number): Scaling {
  const { set, machines } = observed;
  const count = missing(observed);
  if (count < 0) {
    const going = machinesToDelete(machines, -count, set.spec?.deletion?.order ?? "Random", now);
    const effects = going.filter((machine) => !isDeleting(machine)).map(deletion("there are more machines than wanted"));
    return { effects, hindrances: [] };
  }
  const sick = machinesToRemediate(observed);
  if (count === 0 && sick.length === 0) return { effects: [], hindrances: [] };
  const hindrances = [
    ...missingTemplates(observed),
    ...preflightProblems(set, observed.controlPlane, cluster.spec?.topology?.version),
  ];
  if (hindrances.length > 0) return { effects: [], hindrances };
  const remedies = sick.flatMap((machine) => remedy(machine, now));
  if (count === 0) return { effects: remedies, hindrances: [] };
  if (set.metadata.annotations?.[DISABLE_MACHINE_CREATE] === "true") return { effects: remedies, hindrances: [] };
  const [labels, annotations] = [machineLabels(set), machineAnnotations(set)];
  const creation: MachineSetEffect = { do: "create-machine", set, cluster, labels, annotations };
  return { effects: [...remedies, ...Array.from({ length: count }, () => creation)], hindrances: [] };
}

function missingTemplates({ templates }: ObservedMachineSet): string[] {
  return templates.flatMap(({ reference: { kind, name }, owners, problem }) =>
    owners === undefined ? [problem ?? `${kind} ${name} does not exist`] : [],
  );
}

function deletion(because: string): (machine: Machine) => MachineSetEffect {
  return (machine) => ({ do: "delete-machine", machine, because });
}

/** The mark comes first: without it nobody would know afterwards why the machine went. */
function remedy(machine: Machine, now: number): MachineSetEffect[] {
  const said = {
    type: "OwnerRemediated",
    status: "False",
    reason: "MachineDeleting",
    message: "its MachineSet replaces it",
  } as const;
  const conditions = setCondition(machine.status?.conditions ?? [], said, stamp(now));
  return [
    { do: "tell", machine, conditions },
    { do: "delete-machine", machine, because: "it is unhealthy" },
  ];
}

function marks(set: MachineSet, cluster: Cluster): MachineSetEffect[] {
  const { labels = {}, ownerReferences = [], resourceVersion = "" } = set.metadata;
  const isStandalone = !ownerReferences.some(({ controller }) => controller === true);
  const isOwned = !isStandalone || ownerReferences.some(({ uid }) => uid === cluster.metadata.uid);
  const name = cluster.metadata.name ?? "";
  if (isOwned && labels[CLUSTER_NAME] === name) return [];
  const owners = isOwned ? ownerReferences : [...ownerReferences, ownedBy(cluster)];
  const metadata = { resourceVersion, labels: { [CLUSTER_NAME]: name }, ownerReferences: owners.map((owner) => ({ ...owner })) };
  return [{ do: "mark-set", set, metadata }];
}

/** The cluster owns the template, so that both go together; it controls it no more than others do. */
function templateOwners({ templates, set }: ObservedMachineSet, cluster: Cluster): MachineSetEffect[] {
  const namespace = set.metadata.namespace ?? "";
  return templates.flatMap(({ reference, owners }): MachineSetEffect[] => {
    if (owners === undefined || owners.some(({ uid }) => uid === cluster.metadata.uid)) return [];
    return [{ do: "own-template", reference, namespace, owners: [...owners, ownedBy(cluster)] }];
  });
}

export function ownedBy({ apiVersion, kind, metadata: { name = "", uid = "" } }: Cluster | MachineSet): OwnerReference {
  return { apiVersion, kind, name, uid };
}

/** One write to a machine at a time: the next one is decided from what the first has left. */
function care(machine: Machine, observed: ObservedMachineSet, now: number): MachineSetEffect[] {
  const steps = [
    () => adoption(machine, observed.set),
    () => syncing(machine, observed.set),
    () => judgement(machine, observed, now),
  ];
  for (const step of steps) {
    const effects = step();
    if (effects.length > 0) return effects;
  }
  return [];
}

function adoption(machine: Machine, set: MachineSet): MachineSetEffect[] {
  const { ownerReferences = [] } = machine.metadata;
  if (isDeleting(machine) || ownerReferences.some(({ controller }) => controller === true)) return [];
  const rest = ownerReferences.filter(({ uid }) => uid !== set.metadata.uid);
  const owner = { ...ownedBy(set), controller: true, blockOwnerDeletion: true };
  return [{ do: "adopt", machine, owners: [...rest, owner] }];
}

function syncing(machine: Machine, set: MachineSet): MachineSetEffect[] {
  const patches = isDeleting(machine) ? undefined : syncPatches(machine, set);
  return patches === undefined ? [] : [{ do: "sync", machine, ...patches }];
}

/** Whether a machine is as the deployment wants it; of a set that stands alone nobody asks. */
function judgement(machine: Machine, { set, deployment }: ObservedMachineSet, now: number): MachineSetEffect[] {
  if (deployment?.spec === undefined || set.spec === undefined) return [];
  const reasons = outdated(set.spec.template.spec, deployment.spec.template.spec);
  const after = Date.parse(deployment.spec.rollout?.after ?? "");
  if (after <= now && createdAt(set) < after) reasons.push(`MachineDeployment spec.rollout.after expired`);
  const said =
    reasons.length === 0
      ? ({ type: "UpToDate", status: "True", reason: "UpToDate" } as const)
      : ({
          type: "UpToDate",
          status: "False",
          reason: "NotUpToDate",
          message: reasons.map((line) => `* ${line}`).join("\n"),
        } as const);
  const before = conditionOf(machine, "UpToDate");
  if (
    before?.status === said.status &&
    before.reason === said.reason &&
    (before.message ?? "") === ("message" in said ? said.message : "")
  )
    return [];
  return [{ do: "tell", machine, conditions: setCondition(machine.status?.conditions ?? [], said, stamp(now)) }];
}
