/**
 * How many Machines there are, and which: one is made or taken away at a time. What is made costs nothing but a server; what is taken away goes
 * only when all others are well, so that at no time two members are missing because of us.
 */
import type { Etcd } from "./etcd.ts";
import { memberOf } from "./etcd.ts";
import { witnesses } from "./leaving.ts";
import type { ControlPlaneEffect, ControlPlaneMachine, NewMachine, ObservedControlPlane, Wait } from "./machine.ts";
import { LEAVE_HOOK } from "./machine.ts";
import { withV } from "../version.ts";
import { inPlaceFields, labelsOf } from "./kept.ts";
import { Sealed } from "#std/sealed.ts";
import { whyKept } from "./quorum.ts";
import type { Standing } from "./wanted.ts";

type Creating = NonNullable<ObservedControlPlane["status"]["creating"]>;

export interface Scaling {
  /** On record before it is made: a Machine that was begun is finished under the same name. */
  readonly creating: Creating | undefined;
  readonly effects: readonly ControlPlaneEffect[];
  readonly wait?: Wait;
}

export interface ScalingFacts {
  readonly etcd: Etcd | undefined;
  readonly isBootstrapped: boolean;
  /** Machines that are not being deleted, and in what they are other than wanted. */
  readonly standing: readonly Standing[];
  /** Of those, the ones to be replaced. */
  readonly outdated: readonly ControlPlaneMachine[];
}

const DELETE_MACHINE = "cluster.x-k8s.io/delete-machine";

export function scalingOf(observed: ObservedControlPlane, facts: ScalingFacts): Scaling {
  const { spec, status, machines } = observed;
  const { standing, outdated } = facts;
  const begun = status.creating;
  const isMade = begun !== undefined && machines.some(({ name }) => name === begun.name);
  if (begun !== undefined && !isMade) return { creating: begun, effects: [creation(observed, begun)] };
  const wanted = spec.replicas ?? 1;
  const { length } = standing;
  const surge = outdated.length > 0 ? surgeOf(spec) : 0;
  // Machines that are on their way out still hold servers: a surge waits for them, what is missing does not.
  const isShort = length < wanted || (outdated.length > 0 && length < wanted + surge && machines.length < wanted + surge);
  if (isShort) return { creating: next(observed, facts), effects: [] };
  const isMany = length > wanted || outdated.length > 0;
  if (!isMany) return { creating: undefined, effects: [] };
  return { creating: undefined, ...removal(observed, facts) };
}

/** Percentages are of nothing useful here: any of them is one machine. */
export function surgeOf({ rolloutStrategy }: ObservedControlPlane["spec"]): 0 | 1 {
  const surge = rolloutStrategy?.rollingUpdate?.maxSurge ?? 1;
  return surge === 0 || surge === "0" || surge === "0%" ? 0 : 1;
}

function next(observed: ObservedControlPlane, { standing, isBootstrapped }: ScalingFacts): Creating {
  const { name, suffix, machines, spec, cluster } = observed;
  const failureDomain = roomiest(cluster?.failureDomains ?? [], standing);
  const isInit = spec.controlPlaneConfig.init !== undefined && machines.length === 0 && !isBootstrapped;
  return {
    name: `${name.slice(0, 57)}-${suffix}`,
    ...(failureDomain !== undefined && { failureDomain }),
    ...(isInit && { isInit }),
  };
}

/** Where the fewest Machines are; of those, the first by name. Machines that are to be replaced count half, as they will leave room. */
function roomiest(domains: readonly string[], standing: readonly Standing[]): string | undefined {
  const weight = (domain: string): number =>
    standing.reduce(
      (sum, { machine, differences }) => sum + (machine.failureDomain === domain ? (differences.length > 0 ? 1 : 2) : 0),
      0,
    );
  return domains.toSorted((a, b) => weight(a) - weight(b) || (a < b ? -1 : 1))[0];
}

function creation(observed: ObservedControlPlane, { name, failureDomain, isInit }: Creating): ControlPlaneEffect {
  const { spec, template } = observed;
  const { controlplane, init } = spec.controlPlaneConfig;
  const machine: NewMachine = {
    name,
    failureDomain,
    template,
    config: new Sealed(isInit === true && init !== undefined ? init : controlplane),
    version: withV(spec.version),
    labels: labelsOf(observed),
    annotations: { ...spec.machineTemplate?.metadata?.annotations, [LEAVE_HOOK]: "" },
    spec: inPlaceFields(spec),
  };
  return { do: "create", machine };
}

function removal(observed: ObservedControlPlane, facts: ScalingFacts): Omit<Scaling, "creating"> {
  const { machines, spec } = observed;
  const { etcd, isBootstrapped, standing, outdated } = facts;
  const wanted = spec.replicas ?? 1;
  const isTooMany = standing.length > wanted;
  const what = isTooMany && outdated.length === 0 ? `scaling down to ${wanted}` : "replacing a machine";
  const leaving = machines.find(({ isDeleting }) => isDeleting);
  if (leaving !== undefined)
    return { effects: [], wait: { reason: "WaitingForMachine", waitingFor: `Machine ${leaving.name} to go`, next: what } };
  if (standing.length <= 1) return { effects: [], wait: wanted === 0 ? LAST : LONELY };
  const machine = pick(standing, outdated, etcd);
  const others = standing.filter((each) => each.machine !== machine).map((each) => each.machine);
  if (!isBootstrapped) {
    const isRecorded = observed.status.bootstrap?.uid === machine.uid;
    if (isRecorded)
      return {
        effects: [],
        wait: { reason: "WaitingForTalosBoot", waitingFor: `etcd to come up on Machine ${machine.name}`, next: what },
      };
    return { effects: [{ do: "delete", machine: machine.name, uid: machine.uid, guard: { leaves: undefined, seats: [] } }] };
  }
  if (etcd === undefined)
    return { effects: [], wait: { reason: "WaitingForEtcd", waitingFor: "etcd to answer with a quorum", next: what } };
  const id = memberOf(etcd, machine.uid);
  const isWell = id !== undefined && etcd.healthy.has(id);
  // A machine that neither etcd nor Kubernetes has is missing already: that others are not well is no reason to keep it.
  const isMissing = !isWell && observed.nodes?.some(({ name, isReady }) => name === machine.nodeName && isReady) !== true;
  const ill = [...others, machine].filter((each) => !isWhole(each, etcd, observed.nodes));
  if (!isMissing && ill.length > 0) {
    const names = ill.map(({ name }) => name).join(", ");
    return {
      effects: [],
      wait: { reason: "WaitingForMembers", waitingFor: `etcd and Kubernetes to be well on ${names}`, next: what },
    };
  }
  const kept = id === undefined ? undefined : whyKept(etcd.members, etcd.healthy, id);
  if (kept !== undefined)
    return {
      effects: [],
      wait: { reason: "EtcdNeedsMember", waitingFor: `etcd to do without Machine ${machine.name}: ${kept}`, next: what },
    };
  return {
    effects: [{ do: "delete", machine: machine.name, uid: machine.uid, guard: { leaves: id, seats: witnesses(machines, etcd) } }],
  };
}

/** Takes part in etcd, and its Node is ready. */
export function isWhole({ uid, nodeName }: ControlPlaneMachine, etcd: Etcd, nodes: ObservedControlPlane["nodes"]): boolean {
  const isReady = nodes === undefined || nodes.some(({ name, isReady: ready }) => name === nodeName && ready);
  return isReady && etcd.healthy.has(memberOf(etcd, uid) ?? "");
}

const LAST: Wait = {
  reason: "LastMachine",
  waitingFor: "somebody to delete the control plane: its last machine goes only with all of it",
  remedy: "delete the Cluster, or set replicas to 1",
};
const LONELY: Wait = {
  reason: "NoSpareMachine",
  waitingFor: "leave to make a second machine: the only one cannot be replaced without a spare server",
  remedy: "set rolloutStrategy.rollingUpdate.maxSurge to 1, or replicas to 3, or rolloutStrategy.type to InPlace",
};

/** Marked by a person, or outdated, or both; then what is not well; then where most are; then the oldest. */
function pick(
  standing: readonly Standing[],
  outdated: readonly ControlPlaneMachine[],
  etcd: Etcd | undefined,
): ControlPlaneMachine {
  const machines = standing.map(({ machine }) => machine);
  const isMarked = ({ annotations }: ControlPlaneMachine): boolean => annotations[DELETE_MACHINE] !== undefined;
  const marked = machines.filter(isMarked);
  const classes = [outdated.filter(isMarked), marked, outdated, machines];
  const candidates = classes.find(({ length }) => length > 0)!;
  const isWell = ({ uid }: ControlPlaneMachine): number => Number(etcd?.healthy.has(memberOf(etcd, uid) ?? "") === true);
  const crowd = ({ failureDomain }: ControlPlaneMachine): number =>
    machines.filter((each) => each.failureDomain === failureDomain).length;
  return candidates.toSorted(
    (a, b) => isWell(a) - isWell(b) || crowd(b) - crowd(a) || a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1),
  )[0]!;
}
