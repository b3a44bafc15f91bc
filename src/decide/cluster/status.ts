/** What the status of a Cluster says: phase, conditions in both styles, and counts. */
import type { Condition, KubeObject } from "#schema/meta.ts";
import { equal, isObject } from "#std/json.ts";
import type { Cluster, ClusterPhase, FailureDomain } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { Conditions } from "./conditions.ts";
import { controlPlaneCounts, workerCounts } from "./counts.ts";
import type { Judgement, Look } from "./external.ts";
import { conditionOf, failureOf, isDeleting, isInitialized, isProvisioned, mirrored, objectOf, statusOf } from "./external.ts";
import { isControlPlane, looseSets, type ObservedCluster } from "./observed.ts";
import { gates, summarize } from "./summary.ts";

export type ClusterStatus = {
  readonly [K in keyof NonNullable<Cluster["status"]>]?: NonNullable<Cluster["status"]>[K] | undefined;
};

/** Milliseconds that its API server may be out of reach before that is said. */
const GRACE = 50_000;

const AVAILABLE = [
  { type: "Deleting", isNegative: true },
  { type: "RemoteConnectionProbe" },
  { type: "InfrastructureReady" },
  { type: "ControlPlaneAvailable" },
  { type: "WorkersAvailable" },
];

/** Facts that are never taken back. */
export interface Progress {
  readonly isProvisioned: boolean;
  readonly isInitialized: boolean;
}

export function progressOf({ cluster, infrastructure, controlPlane, machines }: ObservedCluster): Progress {
  const { initialization } = cluster.status ?? {};
  const infra = objectOf(infrastructure);
  const control = objectOf(controlPlane);
  // What a topology has not made yet is not there; without one, nothing is to be waited for.
  const needsNone = infrastructure === undefined && cluster.spec?.topology === undefined;
  const hasMember = (): boolean => machines.some((machine) => isControlPlane(machine) && machine.status?.nodeRef !== undefined);
  return {
    isProvisioned:
      initialization?.infrastructureProvisioned === true || needsNone || (infra !== undefined && isProvisioned(infra)),
    isInitialized:
      initialization?.controlPlaneInitialized === true ||
      (controlPlane === undefined
        ? cluster.spec?.topology === undefined && hasMember()
        : control !== undefined && isInitialized(control)),
  };
}

export function hasEndpoint(cluster: Cluster): boolean {
  const { host = "", port = 0 } = cluster.spec?.controlPlaneEndpoint ?? {};
  return host !== "" && port !== 0;
}

/** `again`: milliseconds until it may say something else although nothing has changed. */
export function clusterStatus(
  observed: ObservedCluster,
  deleting: Judgement,
  now: number,
): { readonly status: ClusterStatus; readonly again: number | undefined } {
  const { cluster, infrastructure, controlPlane } = observed;
  const before = cluster.status ?? {};
  const { generation } = cluster.metadata;
  const progress = progressOf(observed);
  const probe = connection(observed, progress, now);
  const infraReady = infrastructureReady(observed, progress);
  const control = controlPlaneAvailable(observed, progress);
  const conditions = new Conditions(before, generation, now)
    .say("Paused", { status: "False", reason: "NotPaused", message: "" })
    .sayBoth("InfrastructureReady", infraReady)
    .sayBoth("ControlPlaneInitialized", initialized(observed, progress))
    .say("ControlPlaneAvailable", control)
    .sayOld("ControlPlaneReady", controlPlaneReady(observed, control))
    .say("RemoteConnectionProbe", probe.judgement)
    .say("WorkersAvailable", workersAvailable(observed));
  for (const [type, judgement] of machineJudgements(observed)) conditions.say(type, judgement);
  for (const [type, judgement] of movements(observed)) conditions.say(type, judgement);
  conditions.say("Deleting", deleting);
  const topology = cluster.spec?.topology === undefined ? [] : [{ type: "TopologyReconciled" }];
  const available = summarize(conditions.list, [...AVAILABLE, ...topology, ...gates(cluster.spec?.availabilityGates)], {
    good: "Available",
    bad: "NotAvailable",
    unknown: "AvailableUnknown",
  });
  conditions.say("Available", available);
  const ready = summarize(
    conditions.old as readonly Condition[],
    [{ type: "InfrastructureReady" }, { type: "ControlPlaneReady" }],
    {
      good: "Ready",
      bad: "NotReady",
      unknown: "NotReady",
    },
  );
  conditions.sayOld("Ready", isDeleting(cluster) ? { status: "False", reason: "Deleting", message: deleting.message } : ready);

  const status: ClusterStatus = {
    initialization: {
      ...(progress.isProvisioned ? { infrastructureProvisioned: true } : {}),
      ...(progress.isInitialized ? { controlPlaneInitialized: true } : {}),
    },
    controlPlane: withPlan(controlPlaneCounts(observed), before.controlPlane),
    workers: withPlan(workerCounts(observed), before.workers),
    failureDomains: domainsOf(infrastructure) ?? before.failureDomains,
    phase: phaseOf(cluster, progress),
    observedGeneration: generation,
    conditions: [...conditions.list],
    deprecated: { v1beta1: { conditions: [...conditions.old], ...failures(infrastructure, controlPlane) } },
  };
  return { status: withoutEmpty(status), again: probe.again };
}

/** Upgrade plans are the topology's to say. */
function withPlan(counts: ClusterStatus["workers"], before: ClusterStatus["workers"]): ClusterStatus["workers"] {
  const plan = before?.upgradePlan;
  return plan === undefined ? counts : { ...counts, upgradePlan: plan };
}

function withoutEmpty(status: ClusterStatus): ClusterStatus {
  return Object.fromEntries(
    Object.entries(status).map(([field, value]) => [field, value !== undefined && equal(value, {}) ? undefined : value]),
  );
}

export function phaseOf(cluster: Cluster, { isProvisioned: provisioned }: Progress): ClusterPhase {
  if (isDeleting(cluster)) return "Deleting";
  if (provisioned && hasEndpoint(cluster)) return "Provisioned";
  return cluster.spec?.infrastructureRef !== undefined || cluster.spec?.controlPlaneRef !== undefined
    ? "Provisioning"
    : "Pending";
}

function absent(look: Look, cluster: Cluster, wasThere: boolean): Judgement {
  if (look.is === "refused") return { status: "False", reason: "InvalidConfiguration", message: look.problem };
  if (isDeleting(cluster)) return { status: "False", reason: "ObjectDeleted", message: "has been deleted" };
  return wasThere
    ? { status: "False", reason: "ObjectDeleted", message: "has been deleted while the Cluster still exists" }
    : { status: "False", reason: "ObjectDoesNotExist", message: "does not exist" };
}

function infrastructureReady({ cluster, infrastructure }: ObservedCluster, progress: Progress): Judgement {
  if (infrastructure === undefined) {
    if (cluster.spec?.topology === undefined) return { status: "True", reason: "Ready", message: "" };
    return { status: "False", reason: "ObjectDoesNotExist", message: "Waiting for cluster topology to be reconciled" };
  }
  const object = objectOf(infrastructure);
  if (object === undefined) return absent(infrastructure, cluster, progress.isProvisioned);
  const ready = isProvisioned(object);
  const message = `${object.kind} status.initialization.provisioned is ${ready}`;
  return mirrored(
    object,
    "Ready",
    ready ? { status: "True", reason: "Ready", message: "" } : { status: "False", reason: "NotReady", message },
  );
}

function controlPlaneAvailable({ cluster, controlPlane, machines }: ObservedCluster, progress: Progress): Judgement {
  if (controlPlane === undefined) {
    if (cluster.spec?.topology !== undefined)
      return { status: "False", reason: "ObjectDoesNotExist", message: "Waiting for cluster topology to be reconciled" };
    return worstOf(machines.filter(isControlPlane), "Available", {
      good: "Available",
      bad: "NotAvailable",
      unknown: "AvailableUnknown",
    });
  }
  const object = objectOf(controlPlane);
  if (object === undefined) return absent(controlPlane, cluster, progress.isInitialized);
  const is = isInitialized(object);
  const message = `${object.kind} status.initialization.controlPlaneInitialized is ${is}`;
  const otherwise: Judgement = is
    ? { status: "True", reason: "Available", message: "" }
    : { status: "False", reason: "NotAvailable", message };
  return mirrored(object, "Available", otherwise);
}

function controlPlaneReady({ controlPlane }: ObservedCluster, available: Judgement): Judgement {
  return mirrored(objectOf(controlPlane), "Ready", available);
}

function initialized({ cluster, controlPlane }: ObservedCluster, { isInitialized: is }: Progress): Judgement {
  if (is) return { status: "True", reason: "Initialized", message: "" };
  const message =
    controlPlane === undefined && cluster.spec?.topology === undefined
      ? "Waiting for the first control plane machine to have status.nodeRef set"
      : "Control plane not yet initialized";
  return { status: "False", reason: "NotInitialized", message };
}

function connection(
  { connection: { isKnown, problem, since } }: ObservedCluster,
  { isInitialized: is }: Progress,
  now: number,
): { readonly judgement: Judgement; readonly again: number | undefined } {
  const failed = (message: string): Judgement => ({ status: "False", reason: "ProbeFailed", message });
  if (!is) return { judgement: failed("Remote connection not established yet"), again: undefined };
  const good = { status: "True", reason: "ProbeSucceeded", message: "" } as const;
  if (problem === undefined)
    return { judgement: isKnown ? good : failed("Remote connection not established yet"), again: undefined };
  const wait = (since ?? now) + GRACE - now;
  if (wait > 0 && isKnown) return { judgement: good, again: wait };
  return { judgement: failed(problem), again: undefined };
}

function workersAvailable(observed: ObservedCluster): Judgement {
  const sets = [...observed.machineDeployments, ...looseSets(observed)];
  if (sets.length === 0) return { status: "True", reason: "NoWorkers", message: "" };
  // A MachineSet has no Available of its own.
  const judged = sets.map((set): { name: string; judgement: Judgement } => {
    const { replicas = 0 } = set.spec ?? {};
    const there = set.status?.availableReplicas ?? 0;
    const message = `${there} available replicas, ${replicas} desired`;
    const counted: Judgement =
      there >= replicas
        ? { status: "True", reason: "Available", message: "" }
        : { status: "False", reason: "NotAvailable", message };
    return { name: `${set.kind} ${set.metadata.name}`, judgement: mirrored(set, "Available", counted) };
  });
  return merged(judged, { good: "Available", bad: "NotAvailable", unknown: "AvailableUnknown" });
}

interface Words {
  readonly good: string;
  readonly bad: string;
  readonly unknown: string;
}

const SHOWN = 3;

/** Bad when one is bad, else unknown when one cannot be told; those that are not good are named, alike ones together. */
function merged(judged: readonly { readonly name: string; readonly judgement: Judgement }[], words: Words): Judgement {
  const issues = judged.filter(({ judgement }) => judgement.status !== "True");
  if (issues.length === 0) return { status: "True", reason: words.good, message: "" };
  const isBad = issues.some(({ judgement }) => judgement.status === "False");
  const groups = Map.groupBy(issues, ({ judgement }) => judgement.message);
  const lines = [...groups].map(([message, members]) => {
    const names = members.slice(0, SHOWN).map(({ name }) => name);
    const more = members.length > SHOWN ? ` and ${members.length - SHOWN} more` : "";
    return `* ${names.join(", ")}${more}: ${(message === "" ? (members[0]!.judgement.reason ?? "") : message).replaceAll("\n", "\n  ")}`;
  });
  return {
    status: isBad ? "False" : "Unknown",
    reason: isBad ? words.bad : words.unknown,
    message: lines.slice(0, SHOWN).join("\n"),
  };
}

function worstOf(machines: readonly Machine[], type: string, words: Words): Judgement {
  if (machines.length === 0) return { status: "True", reason: "NoReplicas", message: "" };
  const judged = machines.map((machine) => ({
    name: `Machine ${machine.metadata.name}`,
    judgement: mirrored(machine, type, {
      status: "Unknown",
      reason: words.unknown,
      message: `Condition ${type} not yet reported`,
    }),
  }));
  return merged(judged, words);
}

function* machineJudgements({ machines }: ObservedCluster): Generator<[string, Judgement]> {
  const groups = [
    ["ControlPlane", machines.filter(isControlPlane)],
    ["Worker", machines.filter((machine) => !isControlPlane(machine))],
  ] as const;
  for (const [name, group] of groups) {
    yield [`${name}MachinesReady`, worstOf(group, "Ready", { good: "Ready", bad: "NotReady", unknown: "ReadyUnknown" })];
    const reported = group.filter((machine) => conditionOf(machine, "UpToDate") !== undefined);
    yield [
      `${name}MachinesUpToDate`,
      worstOf(reported, "UpToDate", { good: "UpToDate", bad: "NotUpToDate", unknown: "UpToDateUnknown" }),
    ];
  }
}

/** What is under way in the control plane or a set: of these, True is the one that counts. */
function* movements(observed: ObservedCluster): Generator<[string, Judgement]> {
  const control = objectOf(observed.controlPlane);
  const parts: KubeObject[] = [
    ...(control === undefined ? [] : [control]),
    ...observed.machineDeployments,
    ...looseSets(observed),
  ];
  for (const type of ["RollingOut", "ScalingUp", "ScalingDown", "Remediating"]) {
    const moving = parts.filter((part) => conditionOf(part, type)?.status === "True");
    const lines = moving.slice(0, SHOWN).map((part) => {
      const { message = "", reason = "" } = conditionOf(part, type)!;
      return `* ${part.kind} ${part.metadata.name}: ${message === "" ? reason : message}`;
    });
    yield [
      type,
      moving.length === 0
        ? { status: "False", reason: `Not${type}`, message: "" }
        : { status: "True", reason: type, message: lines.join("\n") },
    ];
  }
}

/** Contract v1beta1 has them by name. */
function domainsOf(infrastructure: Look | undefined): FailureDomain[] | undefined {
  const infra = objectOf(infrastructure);
  if (infra === undefined || !isProvisioned(infra)) return undefined;
  const { failureDomains } = statusOf(infra);
  const list = Array.isArray(failureDomains)
    ? (failureDomains as unknown as FailureDomain[])
    : Object.entries(isObject(failureDomains) ? failureDomains : {}).map(([name, rest]) => ({ ...(rest as object), name }));
  if (list.length === 0) return undefined;
  return list.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function failures(...looks: (Look | undefined)[]): { failureReason?: string; failureMessage?: string } {
  const found = looks.map((look) => failureOf(objectOf(look))).find(({ reason, message }) => reason ?? message);
  return {
    ...(found?.reason === undefined ? {} : { failureReason: found.reason }),
    ...(found?.message === undefined ? {} : { failureMessage: found.message }),
  };
}
