/** What is to be done about a control plane now. Each concern is a file of its own; here is their order, and what is written of them. */
import type { TalosControlPlaneStatus } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { findCondition, setCondition } from "#schema/condition.ts";
import type { Condition } from "#schema/meta.ts";
import { stamp } from "../lifecycle/time.ts";
import { bootstrapOf } from "./bootstrap.ts";
import { conditionsOf, pausedConditions } from "./conditions.ts";
import { countsOf, statusOf } from "./counts.ts";
import { departedWith, etcdOf, rosterOf } from "./etcd.ts";
import { keepingOf } from "./kept.ts";
import { isLost, kubeconfigOf } from "./kubeconfig.ts";
import { leavingOf } from "./leaving.ts";
import type { ControlPlaneEffect, ObservedControlPlane, Wait } from "./machine.ts";
import { remediationOf } from "./remediation.ts";
import { scalingOf } from "./scale.ts";
import type { Scaling } from "./scale.ts";
import { upgradingOf } from "./upgrade.ts";
import type { Standing } from "./wanted.ts";
import { agesAt, differencesOf } from "./wanted.ts";

export type ControlPlaneStatus = { readonly [K in keyof TalosControlPlaneStatus]?: TalosControlPlaneStatus[K] | undefined };

export interface ControlPlaneDecision {
  readonly intent?: ControlPlaneStatus;
  readonly effects: readonly ControlPlaneEffect[];
  readonly status?: ControlPlaneStatus;
  readonly again?: number;
  readonly finalized?: boolean;
}

/** Nothing waits longer than this for a look at the time. */
const LONGEST = 12 * 3_600_000;
/** While a machine is upgraded in place: that something has not happened shows in nothing that changes. */
const UPGRADE_LOOK = 10_000;

export function decideControlPlane(observed: ObservedControlPlane, now: number): ControlPlaneDecision {
  const { cluster, isDeleting, machines } = observed;
  if (cluster?.isPaused === true || observed.isPaused)
    return { effects: [], status: { conditions: pausedConditions(observed, now) } };
  if (isDeleting) return deletion(observed, now);
  if (cluster === undefined) return { effects: [], status: { waiting: waitingOf(observed, NO_CLUSTER, now) } };

  const departed = departedWith(machines, observed.status.departed ?? []);
  const etcd = etcdOf(machines, { roster: observed.status.etcd ?? [], departed }, now);
  const bootstrapping = bootstrapOf(observed, now);
  const { isDone } = bootstrapping;
  const standing = machines
    .filter((machine) => !machine.isDeleting)
    .map((machine): Standing => ({ machine, differences: differencesOf(observed, machine, now) }));
  const strategy = observed.spec.rolloutStrategy?.type ?? "RollingUpdate";
  const different = standing.filter(({ differences }) => differences.length > 0).map(({ machine }) => machine);

  const leaving = leavingOf(observed, etcd, isDone, now);
  const remediation = remediationOf(observed, etcd, isDone, now);
  const upgrading = upgradingOf(
    observed,
    { standing, etcd, isBusy: machines.length > standing.length || remediation.machines.length > 0 },
    now,
  );
  const replaced = standing
    .filter(({ machine, differences }) => strategy !== "OnDelete" && differences.length > 0 && !upgrading.isFor(machine))
    .map(({ machine }) => machine);
  const isHeld = upgrading.record !== undefined;
  const scaling = mayScale(observed)
    ? scalingOf(observed, { etcd, isBootstrapped: isDone, standing, outdated: isHeld ? [] : replaced })
    : IDLE;
  const kubeconfig = kubeconfigOf(observed, now);

  // Whoever replaces a machine that was given up does not take another one away as well.
  const isCalm = remediation.machines.length === 0 && !isHeld;
  const scales = scaling.effects.filter((effect) => effect.do === "create" || isCalm);
  const wait = blocked(observed) ?? bootstrapping.wait ?? leaving.wait ?? remediation.wait ?? upgrading.wait ?? scaling.wait;

  const isInitialized = observed.status.initialized === true || (observed.nodes?.length ?? 0) > 0;
  const counts = countsOf(observed, different);
  const told = { counts, bootstrapping, etcd, outdated: different, remediated: remediation.machines, isInitialized, wait, now };
  const status: ControlPlaneStatus = {
    ...statusOf(counts),
    selector: `cluster.x-k8s.io/cluster-name=${cluster.name},cluster.x-k8s.io/control-plane=`,
    initialized: isInitialized,
    ...(isInitialized && { initialization: { controlPlaneInitialized: true } }),
    ready: isInitialized && counts.ready > 0,
    bootstrapped: isDone,
    bootstrap: bootstrapping.record,
    ...(etcd !== undefined && { etcd: rosterOf(etcd, observed.status.etcd ?? []) }),
    ...(departed.length > 0 && { departed }),
    creating: scaling.creating,
    upgrading: upgrading.done ?? upgrading.record,
    waiting: wait === undefined ? undefined : waitingOf(observed, wait, now),
    observedGeneration: observed.generation,
    conditions: conditionsOf(observed, told),
  };
  const intent: ControlPlaneStatus = {
    ...(departed.length > 0 && { departed }),
    creating: scaling.creating,
    bootstrap: bootstrapping.record,
    upgrading: upgrading.record,
  };
  const again = nextLook(observed, [kubeconfig.renewAt, upgrading.record && now + UPGRADE_LOOK], now);
  const base = { intent, ...(again !== undefined && { again }) };

  // Metadata is written by itself: the status of this turn would be of an older state.
  if (bootstrapping.mark !== undefined && bootstrapping.mark !== observed.mark) {
    return { ...base, effects: [{ do: "mark", value: bootstrapping.mark }] };
  }
  if (cluster.isDeleting) return { ...base, effects: leaving.effects, status };
  const orphans = adoptions(observed);
  if (orphans.length > 0) return { ...base, effects: orphans };
  const kept = mayScale(observed) ? keepingOf(observed) : [];
  const patched = new Set(kept.map((effect) => effect.do === "patch" && effect.machine));
  const effects = [
    ...ownership(observed),
    ...kept,
    // Whoever was just written is of another version than the one that was read.
    ...upToDateConditions(
      standing.filter(({ machine }) => !patched.has(machine.name)),
      now,
    ),
    ...kubeconfig.effects,
    ...bootstrapping.effects,
    ...leaving.effects,
    ...remediation.effects,
    ...upgrading.effects,
    ...scales,
  ];
  return { ...base, effects, status };
}

const IDLE: Scaling = { creating: undefined, effects: [] };
const NO_CLUSTER: Wait = { reason: "WaitingForCluster", waitingFor: "a Cluster whose controlPlaneRef names it" };

/** The infrastructure of the Cluster comes first, and where its API server will be found. */
function mayScale(observed: ObservedControlPlane): boolean {
  return blocked(observed) === undefined;
}

function blocked({ cluster, isTemplateOwned, template }: ObservedControlPlane): Wait | undefined {
  if (cluster?.isDeleting === true) return { reason: "ClusterDeleting", waitingFor: "its Cluster to go", next: "it is deleted" };
  if (cluster?.isInfrastructureReady !== true)
    return {
      reason: "WaitingForClusterInfrastructureReady",
      waitingFor: "the infrastructure of its Cluster",
      next: "its machines are made",
    };
  if (cluster.endpoint === undefined) {
    return {
      reason: "WaitingForControlPlaneEndpoint",
      waitingFor: "the endpoint of its Cluster",
      next: "its machines are made",
      remedy: "set spec.controlPlaneEndpoint of the Cluster's infrastructure",
    };
  }
  if (isTemplateOwned === undefined)
    return { reason: "WaitingForTemplate", waitingFor: `${template.kind} ${template.name}`, next: "its machines are made" };
  return undefined;
}

function ownership({ isTemplateOwned, template, cluster }: ObservedControlPlane): ControlPlaneEffect[] {
  if (isTemplateOwned !== false || cluster === undefined) return [];
  return [{ do: "own-template", template, cluster: { name: cluster.name, uid: cluster.uid } }];
}

/** Owners that were taken away come back (§2.8). */
function adoptions(observed: ObservedControlPlane): ControlPlaneEffect[] {
  const orphans = observed.machines.filter(({ isOrphan, isDeleting }) => isOrphan === true && !isDeleting);
  return [
    ...orphans.map(({ name, resourceVersion }): ControlPlaneEffect => ({ do: "adopt", machine: name, resourceVersion })),
    ...(isLost(observed) ? [{ do: "adopt-kubeconfig" } as const] : []),
  ];
}

/** All Machines go at once, and etcd with them. */
function deletion(observed: ObservedControlPlane, now: number): ControlPlaneDecision {
  const { cluster, leavesDependents } = observed;
  // What nobody controls was let go, maybe a moment ago by the garbage collector (`--cascade=orphan`): that goes with its cluster alone.
  const isAlone = cluster !== undefined && !cluster.isDeleting;
  const machines = observed.machines.filter((machine) => machine.isDeleting || machine.isOrphan !== true || !isAlone);
  if (machines.length === 0 || leavesDependents === true) return { effects: [], finalized: true };
  const orders = machines
    .filter(({ isDeleting }) => !isDeleting)
    .map(({ name, uid }): ControlPlaneEffect => ({ do: "delete", machine: name, uid, guard: undefined }));
  const { effects } = leavingOf(observed, undefined, true, now);
  const counts = countsOf(observed, []);
  const wait: Wait = { reason: "Deleting", waitingFor: `${machines.length} machines to go` };
  const isInitialized = observed.status.initialized === true;
  const bootstrapping = { isDone: observed.status.bootstrapped === true, record: undefined, mark: undefined, effects: [] };
  const told = { counts, bootstrapping, etcd: undefined, outdated: [], remediated: [], isInitialized, wait, now };
  const status = { ...statusOf(counts), waiting: waitingOf(observed, wait, now), conditions: conditionsOf(observed, told) };
  return { effects: [...orders, ...effects], status };
}

/** Cluster API asks the owner of a Machine whether it is up to date (§1.5). */
function upToDateConditions(standing: readonly Standing[], now: number): ControlPlaneEffect[] {
  return standing.flatMap(({ machine, differences }): ControlPlaneEffect[] => {
    const conditions = machine.conditions as unknown as readonly Condition[];
    const said =
      differences.length === 0
        ? { type: "UpToDate", status: "True", reason: "UpToDate", message: "" }
        : {
            type: "UpToDate",
            status: "False",
            reason: "NotUpToDate",
            message: differences.map((each) => TEXTS[each]).join("; "),
          };
    // The core's own conditions come first: a status that holds nothing else would be taken for one.
    if (conditions.length === 0 || findCondition(conditions, "OwnerRemediated")?.status === "False") return [];
    const next = setCondition(conditions, said as Condition, stamp(now));
    if (next === conditions) return [];
    return [
      { do: "conditions", machine: machine.name, resourceVersion: machine.resourceVersion, conditions: next as unknown as [] },
    ];
  });
}

const TEXTS = {
  version: "* Version is another one",
  talos: "* Talos is of another version",
  template: "* infrastructure is from another template",
  config: "* Talos configuration is another one",
  age: "* it was made before rollout.after",
} as const;

function waitingOf(
  { status }: ObservedControlPlane,
  { reason, waitingFor, next, remedy }: Wait,
  now: number,
): TalosControlPlaneStatus["waiting"] {
  const since = status.waiting?.reason === reason ? status.waiting.since : stamp(now);
  return { reason, waitingFor, since, ...(next !== undefined && { next }), ...(remedy !== undefined && { remedy }) };
}

/** What the passing of time changes: certificates, ages, and that what was said is not true for ever. */
function nextLook(observed: ObservedControlPlane, due: readonly (number | undefined)[], now: number): number | undefined {
  const times = [...due, agesAt(observed, now)].filter((time) => time !== undefined);
  if (times.length === 0) return undefined;
  return Math.min(LONGEST, Math.max(1000, Math.min(...times) - now));
}
