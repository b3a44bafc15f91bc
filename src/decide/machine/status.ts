/** What the status of a Machine says: phase, conditions in both styles, and what was read off its objects and its Node. */
import type { Condition } from "#schema/meta.ts";
import { findCondition } from "#schema/condition.ts";
import { equal } from "#std/json.ts";
import { CERTIFICATES_EXPIRY } from "#kinds/cluster/keys.ts";
import type { Machine, MachineAddress, MachinePhase } from "#kinds/cluster/v1beta2/machine.ts";
import { Conditions, timeOf } from "../cluster/conditions.ts";
import type { Judgement, Look } from "../cluster/external.ts";
import {
  failureOf,
  hasDataSecret,
  isDeleting,
  isProvisioned,
  mirrored,
  objectOf,
  specOf,
  statusOf,
  textOf,
} from "../cluster/external.ts";
import { gates, summarize } from "../cluster/summary.ts";
import { nodeHealthy, nodeInfoOf, nodeReady } from "./node.ts";
import type { NodeFacts, NodesSeen, ObservedMachine } from "./observed.ts";

export type MachineStatus = {
  readonly [K in keyof NonNullable<Machine["status"]>]?: NonNullable<Machine["status"]>[K] | undefined;
};

/** Milliseconds that a cluster may be out of reach before its machines are said to be unknown. */
const GRACE = 50_000;

/** The conditions Ready is made from, before gates. */
const READY = [
  { type: "Deleting", isNegative: true },
  { type: "Updating", isNegative: true, isOptional: true },
  { type: "BootstrapConfigReady" },
  { type: "InfrastructureReady" },
  { type: "NodeHealthy" },
  { type: "HealthCheckSucceeded", isOptional: true },
];

/** Facts that are never taken back. */
export interface Progress {
  readonly isBootstrapped: boolean;
  readonly isProvisioned: boolean;
}

export function progressOf({ machine, bootstrap, infrastructure }: ObservedMachine): Progress {
  const { initialization } = machine.status ?? {};
  const config = objectOf(bootstrap);
  const infra = objectOf(infrastructure);
  // With a Secret that was given by name, nothing is to be made.
  const hasData = bootstrap === undefined || (config !== undefined && hasDataSecret(config));
  const isThere = infra !== undefined && isProvisioned(infra) && textOf(specOf(infra), "providerID") !== undefined;
  return {
    isBootstrapped: initialization?.bootstrapDataSecretCreated === true || hasData,
    isProvisioned: initialization?.infrastructureProvisioned === true || isThere,
  };
}

/** The Node that is the machine's; undefined unless it is exactly one. */
export function nodeOf({ found }: NodesSeen): NodeFacts | undefined {
  return found?.length === 1 ? found[0] : undefined;
}

export interface Said {
  /** Condition Deleting. */
  readonly deleting: Judgement;
  readonly deletion?: NonNullable<Machine["status"]>["deletion"];
}

export const NOT_DELETING: Said = { deleting: { status: "False", reason: "NotDeleting", message: "" } };

/** The whole status; `again`: milliseconds until it may say something else although nothing has changed. */
export function machineStatus(
  observed: ObservedMachine,
  said: Said,
  now: number,
): { readonly status: MachineStatus; readonly again: number | undefined } {
  const { machine, bootstrap, infrastructure, nodes } = observed;
  const before = machine.status ?? {};
  const { generation } = machine.metadata;
  const progress = progressOf(observed);
  const infra = objectOf(infrastructure);
  const node = nodeOf(nodes);
  const nodeRef = node?.metadata.name === undefined ? before.nodeRef : { name: node.metadata.name };
  const conditions = new Conditions(before, generation, now);
  const isDeletingNow = isDeleting(machine);
  conditions
    .say("Paused", { status: "False", reason: "NotPaused", message: "" })
    .sayBoth("BootstrapConfigReady", bootstrapReady(bootstrap, progress, isDeletingNow), "BootstrapReady")
    .sayBoth("InfrastructureReady", infrastructureReady(infrastructure, progress, isDeletingNow));
  const { healthy, ready, again: health } = nodeJudgements(observed, nodeRef !== undefined, now);
  if (healthy !== undefined) conditions.sayBoth("NodeHealthy", healthy);
  if (ready !== undefined) conditions.say("NodeReady", ready);
  conditions.say("Deleting", said.deleting);
  const parts = [...READY, ...gates(machine.spec?.readinessGates)];
  const isReady = summarize(conditions.list, parts, { good: "Ready", bad: "NotReady", unknown: "ReadyUnknown" });
  conditions.sayBoth("Ready", isReady);
  const available = availability(conditions.list, machine.spec?.minReadySeconds ?? 0, now);
  conditions.say("Available", available.judgement);

  const phase = phaseOf(observed, progress, nodeRef !== undefined, conditions.list);
  const failure = failures(observed, progress);
  const status: MachineStatus = {
    initialization: {
      ...(progress.isProvisioned ? { infrastructureProvisioned: true } : {}),
      ...(progress.isBootstrapped ? { bootstrapDataSecretCreated: true } : {}),
    },
    nodeRef,
    nodeInfo: node === undefined ? before.nodeInfo : nodeInfoOf(node),
    addresses: infra === undefined ? before.addresses : addressesOf(infra),
    failureDomain: infra === undefined ? before.failureDomain : domainOf(infra),
    certificatesExpiryDate: expiryOf(observed) ?? before.certificatesExpiryDate,
    phase,
    lastUpdated: before.phase === phase ? before.lastUpdated : timeOf(now),
    observedGeneration: generation,
    conditions: [...conditions.list],
    deletion: said.deletion ?? before.deletion,
    deprecated: { v1beta1: { conditions: [...conditions.old], ...failure } },
  };
  return { status: withoutEmpty(status), again: least(available.again, health) };
}

/** Fields that say nothing are absent, as the server has them. */
function withoutEmpty(status: MachineStatus): MachineStatus {
  return Object.fromEntries(
    Object.entries(status).map(([field, value]) => [field, value !== undefined && equal(value, {}) ? undefined : value]),
  );
}

export function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}

function bootstrapReady(look: Look | undefined, { isBootstrapped }: Progress, isDeletingNow: boolean): Judgement {
  if (look === undefined) return { status: "True", reason: "DataSecretProvided", message: "" };
  const field = "status.initialization.dataSecretCreated";
  return externalReady(look, isBootstrapped, field, (object) => hasDataSecret(object), isDeletingNow);
}

function infrastructureReady(look: Look, progress: Progress, isDeletingNow: boolean): Judgement {
  return externalReady(look, progress.isProvisioned, "status.initialization.provisioned", isProvisioned, isDeletingNow);
}

function externalReady(
  look: Look,
  wasReady: boolean,
  field: string,
  isReady: (object: NonNullable<ReturnType<typeof objectOf>>) => boolean,
  isDeletingNow: boolean,
): Judgement {
  if (look.is === "there") {
    const ready = isReady(look.object);
    const otherwise: Judgement = ready
      ? { status: "True", reason: "Ready", message: "" }
      : { status: "False", reason: "NotReady", message: `${look.object.kind} ${field} is false` };
    return mirrored(look.object, "Ready", otherwise);
  }
  if (look.is === "refused") return { status: "False", reason: "InvalidConfiguration", message: look.problem };
  if (isDeletingNow) return { status: "False", reason: "ObjectDeleted", message: "has been deleted" };
  return wasReady
    ? { status: "False", reason: "ObjectDeleted", message: "has been deleted while the Machine still exists" }
    : { status: "Unknown", reason: "ObjectDoesNotExist", message: "does not exist" };
}

interface NodeJudgements {
  readonly healthy: Judgement | undefined;
  readonly ready: Judgement | undefined;
  readonly again?: number | undefined;
}

/** Undefined: what was said before stands. */
function nodeJudgements(
  { machine, cluster, infrastructure, nodes }: ObservedMachine,
  hadNode: boolean,
  now: number,
): NodeJudgements {
  const unknown = (reason: string, message: string): NodeJudgements => {
    const judgement = { status: "Unknown", reason, message } as const;
    return { healthy: judgement, ready: judgement };
  };
  const { initialization } = cluster?.status ?? {};
  if (initialization?.infrastructureProvisioned !== true)
    return unknown(
      "WaitingForClusterInfrastructureReady",
      "Waiting for Cluster status.initialization.infrastructureProvisioned to be true",
    );
  if (initialization.controlPlaneInitialized !== true && !hadNode)
    return unknown("WaitingForControlPlaneInitialized", "Waiting for Cluster control plane to be initialized");
  const { providerID } = machine.spec ?? {};
  if (providerID === undefined) {
    const kind = objectOf(infrastructure)?.kind ?? machine.spec?.infrastructureRef.kind;
    return unknown("InspectionFailed", `Waiting for ${kind} to report spec.providerID`);
  }
  if (nodes.problem !== undefined) {
    const out = now - (nodes.since ?? now);
    if (out >= GRACE) return unknown("ConnectionDown", `The workload cluster cannot be reached: ${nodes.problem}`);
    const wait = { again: GRACE - out };
    if (nodes.found === undefined)
      return { ...unknown("InspectionFailed", "Waiting for the Nodes of the workload cluster"), ...wait };
    return { healthy: undefined, ready: undefined, ...wait };
  }
  if (nodes.found === undefined) return { healthy: undefined, ready: undefined };
  const node = nodeOf(nodes);
  if (node !== undefined) return { healthy: nodeHealthy(node), ready: nodeReady(node) };
  if (nodes.found.length > 1) {
    const names = nodes.found.map(({ metadata }) => metadata.name).join(", ");
    return unknown("InspectionFailed", `Several Nodes have providerID ${providerID}: ${names}`);
  }
  if (!hadNode) return unknown("InspectionFailed", `Waiting for a Node with spec.providerID ${providerID} to exist`);
  const name = machine.status?.nodeRef?.name;
  const message = `Node ${name} has been deleted${isDeleting(machine) ? "" : " while the Machine still exists"}`;
  const judgement = { status: isDeleting(machine) ? "Unknown" : "False", reason: "NodeDeleted", message } as const;
  return { healthy: judgement, ready: judgement };
}

/** Ready for so many seconds. */
export function availability(
  conditions: readonly Condition[],
  minReadySeconds: number,
  now: number,
): { readonly judgement: Judgement; readonly again: number | undefined } {
  const ready = findCondition(conditions, "Ready");
  if (ready?.status !== "True") return { judgement: { status: "False", reason: "NotReady", message: "" }, again: undefined };
  const wait = Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000 - now;
  if (minReadySeconds > 0 && wait > 0) {
    const message = `Available after minReadySeconds (${minReadySeconds})`;
    return { judgement: { status: "False", reason: "WaitingForMinReadySeconds", message }, again: wait };
  }
  return { judgement: { status: "True", reason: "Available", message: "" }, again: undefined };
}

function phaseOf(
  { machine }: ObservedMachine,
  progress: Progress,
  hasNode: boolean,
  conditions: readonly Condition[],
): MachinePhase {
  if (isDeleting(machine)) return "Deleting";
  if (hasNode && progress.isProvisioned) return findCondition(conditions, "Updating")?.status === "True" ? "Updating" : "Running";
  if (machine.spec?.providerID !== undefined) return "Provisioned";
  return progress.isBootstrapped && !progress.isProvisioned ? "Provisioning" : "Pending";
}

function addressesOf(infra: NonNullable<ReturnType<typeof objectOf>>): MachineAddress[] | undefined {
  const { addresses } = statusOf(infra);
  return Array.isArray(addresses) && addresses.length > 0 ? (addresses as MachineAddress[]).slice(0, 256) : undefined;
}

/** Contract v1beta1 has it in the spec. */
function domainOf(infra: NonNullable<ReturnType<typeof objectOf>>): string | undefined {
  return textOf(statusOf(infra), "failureDomain") ?? textOf(specOf(infra), "failureDomain");
}

function expiryOf({ machine, bootstrap }: ObservedMachine): string | undefined {
  const said = [machine, objectOf(bootstrap)].map((object) => object?.metadata.annotations?.[CERTIFICATES_EXPIRY]);
  const time = Date.parse(said.find((text) => text !== undefined) ?? "");
  return Number.isNaN(time) ? undefined : timeOf(time);
}

/** As contract v1beta1 tells of failures. */
function failures(
  { machine, bootstrap, infrastructure }: ObservedMachine,
  progress: Progress,
): { failureReason?: string; failureMessage?: string } {
  if (infrastructure.is === "missing" && progress.isProvisioned && !isDeleting(machine)) {
    const { kind, name } = machine.spec!.infrastructureRef;
    return { failureReason: "InvalidConfiguration", failureMessage: `${kind} ${name} is gone, but its Machine is not` };
  }
  const found = [bootstrap, infrastructure]
    .map((look) => failureOf(objectOf(look)))
    .find(({ reason, message }) => reason ?? message);
  return {
    ...(found?.reason === undefined ? {} : { failureReason: found.reason }),
    ...(found?.message === undefined ? {} : { failureMessage: found.message }),
  };
}
