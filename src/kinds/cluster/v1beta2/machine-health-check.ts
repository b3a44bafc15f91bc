/** When machines are unhealthy, and what is done about it. */
import type { FieldError } from "#schema/field.ts";
import { FieldPath, forbidden, invalid } from "#schema/field.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { array, int32, int64, object, string } from "#schema/kit.ts";
import type { KubeObject } from "#schema/meta.ts";
import { isObject } from "#std/json.ts";
import { LabelSelector } from "../../selector.ts";
import { labelWithCluster, specOf } from "../defaulting.ts";
import { childOf, validateShare } from "../sets.ts";
import { HealthChecks, remediationFields } from "./health-check.ts";
import { ageColumn, clusterColumn } from "./machine.ts";
import { deprecated, pausedColumn } from "./machine-set.ts";
import { ConditionsV1Beta2 } from "./template.ts";

/** Seconds. */
export const NODE_STARTUP_TIMEOUT = 600;
const SHORTEST_STARTUP = 30;
/** They follow from health checks, so a check of them would judge itself. */
const CIRCULAR = ["Ready", "Available", "HealthCheckSucceeded", "OwnerRemediated", "ExternallyRemediated"];

export const healthCheckStatus = {
  expectedMachines: int32().doc("How many machines are looked after."),
  currentHealthy: int32().doc("How many of them are healthy."),
  remediationsAllowed: int32().doc("How many more may be unhealthy before nothing is done any more."),
  observedGeneration: int64().doc("The metadata.generation that was seen last."),
  targets: array(string()).atomic().max(10_000).doc("Names of the machines that are looked after."),
};

/** What all versions have in common. */
export const machineHealthCheck = {
  group: "cluster.x-k8s.io",
  kind: "MachineHealthCheck",
  plural: "machinehealthchecks",
  shortNames: ["mhc", "mhcs"],
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "When machines are unhealthy, and what is done about it.",
} as const;

export const healthColumns = [
  clusterColumn,
  { name: "Expected", type: "integer", description: "Machines that are looked after", jsonPath: ".status.expectedMachines" },
  { name: "Healthy", type: "integer", description: "How many of them are healthy", jsonPath: ".status.currentHealthy" },
  { name: "Max Allowed", type: "integer", description: "How many more may fail", jsonPath: ".status.remediationsAllowed" },
] as const;

export interface Checked {
  readonly clusterName?: string;
  readonly selector?: { readonly matchLabels?: object; readonly matchExpressions?: readonly unknown[] };
}

/** What both versions have at the same place. */
export function validateChecked(spec: Checked | undefined, before: Checked | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const { matchLabels = {}, matchExpressions = [] } = spec?.selector ?? {};
  if (Object.keys(matchLabels).length + matchExpressions.length === 0)
    errors.push(invalid(FieldPath.of("spec", "selector"), spec?.selector ?? {}, "selector must not be empty"));
  if (before !== undefined && spec?.clusterName !== before.clusterName)
    errors.push(forbidden(FieldPath.of("spec", "clusterName"), "field is immutable"));
  return errors;
}

interface Checks {
  readonly nodeStartupTimeoutSeconds?: number | undefined;
  readonly unhealthyMachineConditions?: readonly { readonly type: string }[] | undefined;
}

/** `startup` and `conditions` are where the version has them. */
export function validateChecks(
  { nodeStartupTimeoutSeconds: seconds = 0, unhealthyMachineConditions = [] }: Checks,
  startup: FieldPath,
  conditions: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  if (seconds !== 0 && seconds < SHORTEST_STARTUP)
    errors.push(invalid(startup, seconds, `must be 0 or at least ${SHORTEST_STARTUP} seconds`));
  for (const [i, { type }] of unhealthyMachineConditions.entries()) {
    const detail = `must not be one of ${CIRCULAR.join(", ")}`;
    if (CIRCULAR.includes(type)) errors.push(invalid(conditions.index(i).child("type"), type, detail));
  }
  return errors;
}

function validate(check: KubeObject, old: KubeObject | undefined): FieldError[] {
  const [spec, before] = [check["spec"], old?.["spec"]] as (NonNullable<MachineHealthCheck["spec"]> | undefined)[];
  const path = FieldPath.of("spec", "checks");
  const most = spec?.remediation?.triggerIf?.unhealthyLessThanOrEqualTo;
  const at = FieldPath.of("spec", "remediation", "triggerIf", "unhealthyLessThanOrEqualTo");
  return [
    ...validateChecked(spec, before),
    ...validateChecks(spec?.checks ?? {}, path.child("nodeStartupTimeoutSeconds"), path.child("unhealthyMachineConditions")),
    ...(most === undefined ? [] : validateShare(most, at)),
  ];
}

export const MachineHealthCheck = kind({
  ...machineHealthCheck,
  version: "v1beta2",
  validate,
  default(check: KubeObject) {
    labelWithCluster(check);
    const spec = specOf(check);
    const checks = childOf(spec, "checks");
    if (checks !== undefined) checks["nodeStartupTimeoutSeconds"] ??= NODE_STARTUP_TIMEOUT;
    const trigger = childOf(childOf(spec, "remediation"), "triggerIf");
    if (isObject(trigger) && trigger["unhealthyInRange"] === undefined) trigger["unhealthyLessThanOrEqualTo"] ??= "100%";
  },
  columns: [...healthColumns, pausedColumn, ageColumn],
  spec: object({
    clusterName: string().required().min(1).max(63).doc("Name of the Cluster it belongs to; never changes."),
    selector: LabelSelector.required().doc("The machines that are looked after, by their labels."),
    checks: HealthChecks.doc("When a machine is unhealthy."),
    remediation: object(remediationFields).min(1).doc("What is done about unhealthy machines."),
  }).doc("What is wanted."),
  status: object({
    conditions: ConditionsV1Beta2.doc("RemediationAllowed, Paused."),
    ...healthCheckStatus,
    deprecated,
  }).doc("What is the case."),
});
export type MachineHealthCheck = Resource<typeof MachineHealthCheck>;
