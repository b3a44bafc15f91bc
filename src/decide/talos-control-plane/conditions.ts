/**
 * Conditions of a control plane. Upstream's names and reasons (§4.1) stand beside those of contract v1beta2 (§1.5, §1.6), in one list: every entry has what
 * either contract reads.
 */
import type { TalosControlPlaneStatus } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import type { ClusterCondition, Said } from "#schema/condition.ts";
import { findCondition, setClusterCondition } from "#schema/condition.ts";
import type { Condition } from "#schema/meta.ts";
import { stamp } from "../lifecycle/time.ts";
import type { Bootstrapping } from "./bootstrap.ts";
import type { Etcd } from "./etcd.ts";
import { isSplit } from "./etcd.ts";
import type { ControlPlaneMachine, ObservedControlPlane, Wait } from "./machine.ts";
import { isFresh } from "./machine.ts";
import type { Counts } from "./counts.ts";

export type Conditions = NonNullable<TalosControlPlaneStatus["conditions"]>;
type Say = Said<ClusterCondition>;

export interface Told {
  readonly counts: Counts;
  readonly bootstrapping: Bootstrapping;
  readonly etcd: Etcd | undefined;
  readonly outdated: readonly ControlPlaneMachine[];
  readonly remediated: readonly string[];
  readonly isInitialized: boolean;
  readonly wait: Wait | undefined;
  readonly now: number;
}

const TRUE = "True";
const FALSE = "False";

export function conditionsOf(observed: ObservedControlPlane, told: Told): Conditions {
  const created = findCondition(before(observed), "MachinesCreated");
  const said = [
    // What failed is told by whoever saw it fail, and forgotten when the Machine is there.
    created?.status === FALSE && observed.status.creating !== undefined ? created : good("MachinesCreated", "MachinesCreated"),
    ...sizes(observed, told),
    ready(observed),
    bootstrapped(told),
    ...available(told),
    ...upToDate(observed, told),
    health(observed, told),
    ...etcdConditions(observed, told),
    flag("Remediating", told.remediated.length > 0, "Remediating", "NotRemediating", told.remediated.join(", ")),
    flag("Deleting", observed.isDeleting, "Deleting", "NotDeleting", `${observed.machines.length} machines are left`),
    flag("Paused", false, "Paused", "NotPaused", ""),
  ];
  return write(observed, [...said, summary(said)], told.now);
}

/** While it is paused, that is all that is said. */
export function pausedConditions(observed: ObservedControlPlane, now: number): Conditions {
  const why = [
    ...(observed.cluster?.isPaused === true ? ["Cluster spec.paused is set to true"] : []),
    ...(observed.isPaused ? ["TalosControlPlane has the cluster.x-k8s.io/paused annotation"] : []),
  ];
  return write(observed, [{ type: "Paused", status: TRUE, reason: "Paused", message: why.join(", ") }], now);
}

/** What could not be made, for {@link conditionsOf} to keep. */
export function failedConditions(observed: ObservedControlPlane, reason: string, message: string, now: number): Conditions {
  return write(observed, [bad("MachinesCreated", "Error", reason, message)], now);
}

function before({ status }: ObservedControlPlane): readonly ClusterCondition[] {
  return (status.conditions ?? []) as readonly ClusterCondition[];
}

function write(observed: ObservedControlPlane, said: readonly Say[], now: number): Conditions {
  return said.reduce((list, each) => setClusterCondition(list, each, stamp(now)), before(observed)) as Conditions;
}

function good(type: string, reason: string, message = ""): Say {
  return { type, status: TRUE, reason, message };
}

/** What is longer helps nobody, and 32 KiB is all that a condition may have. */
const LONGEST = 4096;

function bad(type: string, severity: "Error" | "Warning" | "Info", reason: string, message: string): Say {
  return { type, status: FALSE, severity, reason, message: message.slice(0, LONGEST) };
}

/** Conditions that are good when they are False. */
function flag(type: string, isSet: boolean, yes: string, no: string, message: string): Say {
  return isSet
    ? { type, status: TRUE, reason: yes, message }
    : { type, status: FALSE, severity: "Info", reason: no, message: "" };
}

function sizes(observed: ObservedControlPlane, { counts, outdated }: Told): Say[] {
  const { desired, replicas } = counts;
  const up = `Scaling up to ${desired} replicas (actual ${replicas})`;
  const down = `Scaling down to ${desired} replicas (actual ${replicas})`;
  const isUp = !observed.isDeleting && replicas < desired;
  const isDown = observed.isDeleting || (replicas > desired && outdated.length === 0);
  const resized = observed.isDeleting
    ? bad("Resized", "Info", "Deleting", `${replicas} machines are left`)
    : isUp
      ? bad("Resized", "Warning", "ScalingUp", up)
      : isDown
        ? bad("Resized", "Warning", "ScalingDown", down)
        : good("Resized", "Resized");
  return [
    resized,
    flag("ScalingUp", isUp, "ScalingUp", "NotScalingUp", up),
    flag("ScalingDown", isDown, "ScalingDown", "NotScalingDown", down),
  ];
}

function ready({ machines }: ObservedControlPlane): Say {
  const waits = machines.flatMap(({ name, conditions }) => {
    const condition = findCondition(conditions as unknown as Condition[], "Ready");
    return condition?.status === TRUE
      ? []
      : [`${name}: ${condition?.message || condition?.reason || "nothing is known of it yet"}`];
  });
  if (machines.length === 0) return bad("MachinesReady", "Info", "NoReplicas", "there are no machines yet");
  return waits.length === 0 ? good("MachinesReady", "Ready") : bad("MachinesReady", "Info", "NotReady", waits.join("; "));
}

function bootstrapped({ bootstrapping: { isDone, wait } }: Told): Say {
  if (isDone) return good("MachinesBootstrapped", "MachinesBootstrapped");
  return bad(
    "MachinesBootstrapped",
    "Info",
    wait?.reason ?? "WaitingForTalosBoot",
    wait?.waitingFor ?? "etcd is being brought up",
  );
}

function available({ isInitialized, counts, bootstrapping }: Told): Say[] {
  const wait = bootstrapping.wait?.waitingFor;
  const initialized = isInitialized
    ? good("Initialized", "Initialized")
    : bad("Initialized", "Info", "NotInitialized", wait ?? "the API server has not answered yet");
  if (isInitialized && counts.ready > 0) return [initialized, good("Available", "Available")];
  const message = isInitialized ? "no machine of the control plane is ready" : (wait ?? "the API server has not answered yet");
  return [initialized, bad("Available", "Info", isInitialized ? "NotAvailable" : "WaitingForTalosBoot", message)];
}

function upToDate({ spec }: ObservedControlPlane, { outdated, counts, wait }: Told): Say[] {
  const { replicas } = counts;
  const isRolling = outdated.length > 0 && spec.rolloutStrategy?.type !== "OnDelete";
  const message = `Rolling ${outdated.length} replicas with outdated spec (${replicas - outdated.length} replicas up to date)`;
  const why = isRolling && wait !== undefined ? `${message}: waiting for ${wait.waitingFor}` : message;
  const isCurrent = outdated.length === 0;
  return [
    isCurrent
      ? good("MachinesSpecUpToDate", "MachinesSpecUpToDate")
      : bad("MachinesSpecUpToDate", "Warning", "RollingUpdateInProgress", why),
    isCurrent
      ? good("MachinesUpToDate", "UpToDate")
      : bad("MachinesUpToDate", "Info", "NotUpToDate", outdated.map(({ name }) => name).join(", ")),
    flag("RollingOut", isRolling, "RollingOut", "NotRollingOut", why),
  ];
}

function health({ machines }: ObservedControlPlane, { now }: Told): Say {
  const type = "ControlPlaneComponentsHealthy";
  const silent = machines.filter((machine) => !isFresh(machine, now));
  if (silent.length > 0) {
    const names = silent.map(({ name, facts }) => (facts.problem === undefined ? name : `${name} (${facts.problem})`));
    return bad(type, "Info", "ControlPlaneComponentsInspectionFailed", `Talos has not answered on ${names.join(", ")}`);
  }
  const ill = machines.flatMap(({ name, facts }) =>
    (facts.services ?? [])
      .filter(({ isHealthy }) => isHealthy === false)
      .map(({ id, message }) => `${name}: ${id}${message === "" ? "" : ` (${message})`}`),
  );
  return ill.length === 0
    ? good(type, "ControlPlaneComponentsHealthy")
    : bad(type, "Warning", "ControlPlaneComponentsUnhealthy", ill.join("; "));
}

/** Under upstream's name, which is `EtcdClusterHealthyCondition` literally, and under the one that others give it. */
function etcdConditions({ machines }: ObservedControlPlane, { etcd, bootstrapping, now }: Told): Say[] {
  const names = ["EtcdClusterHealthyCondition", "EtcdClusterHealthy"];
  const say = (severity: "Warning" | "Info", message: string): Say[] =>
    names.map((type) => bad(type, severity, "EtcdClusterUnhealthy", message));
  if (isSplit(machines, now))
    return say("Warning", "the machines are members of different etcd clusters; somebody has to reset those that are not meant");
  if (etcd === undefined)
    return say("Info", bootstrapping.isDone ? "etcd does not answer with a quorum" : "etcd has not been brought up");
  const { members, healthy, strangers, stale } = etcd;
  const problems = [
    ...members
      .filter(({ id }) => !healthy.has(id) && etcd.owners.has(id))
      .map(({ id, hostname }) => `member ${hostname || id} does not take part`),
    ...stale.map(({ id, machine }) => `member ${id} is of Machine ${machine}, which is gone`),
    ...strangers.map(
      ({ id, hostname }) =>
        `member ${hostname || id} is of no Machine: if it is gone, remove it with talosctl etcd remove-member ${id}`,
    ),
    ...machines
      .filter(({ uid, isDeleting }) => !isDeleting && ![...etcd.owners.values()].some((owner) => owner.uid === uid))
      .map(({ name }) => `Machine ${name} is not a member yet`),
  ];
  return problems.length === 0 ? names.map((type) => good(type, "EtcdClusterHealthy")) : say("Warning", problems.join("; "));
}

const SUMMED = ["MachinesCreated", "Resized", "MachinesReady", "Available", "MachinesBootstrapped"];

/** The first that is not good, the worst of them first. */
function summary(said: readonly Say[]): Say {
  const rank = { Error: 0, Warning: 1, Info: 2 };
  const problems = said.filter(({ type, status }) => SUMMED.includes(type) && status === FALSE);
  const [worst] = problems.toSorted((a, b) => rank[a.severity ?? "Info"] - rank[b.severity ?? "Info"]);
  if (worst === undefined) return good("Ready", "Ready");
  return bad("Ready", worst.severity ?? "Info", worst.reason ?? "NotReady", worst.message ?? "");
}
