/** MachineHealthCheck of contract v1beta1: served to clients that know no later one. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { type FieldError, FieldPath } from "#schema/field.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { object, string } from "#schema/kit.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Conditions } from "../../condition.ts";
import { LabelSelector } from "../../selector.ts";
import { labelWithCluster, specOf } from "../defaulting.ts";
import { validateShare } from "../sets.ts";
import {
  healthCheckStatus,
  healthColumns,
  machineHealthCheck,
  NODE_STARTUP_TIMEOUT,
  validateChecked,
  validateChecks,
} from "../v1beta2/machine-health-check.ts";
import type { Checked, MachineHealthCheck as Hub } from "../v1beta2/machine-health-check.ts";
import { ageColumn } from "../v1beta2/machine.ts";
import { pausedColumn } from "../v1beta2/machine-set.ts";
import { ConditionsV1Beta2 } from "../v1beta2/template.ts";
import { durationOf, secondsOf } from "./duration.ts";
import { checksUp, type HealthCheck, healthCheckDown, healthCheckFields, remediationUp } from "./health-check.ts";
import { deprecatedUp } from "./machine-set.ts";

function validate(check: KubeObject, old: KubeObject | undefined): FieldError[] {
  const [spec, before] = [check["spec"], old?.["spec"]] as ((HealthCheck & Checked) | undefined)[];
  const path = FieldPath.of("spec");
  const { nodeStartupTimeout, unhealthyMachineConditions, maxUnhealthy } = spec ?? {};
  const checks = { nodeStartupTimeoutSeconds: secondsOf(nodeStartupTimeout), unhealthyMachineConditions };
  return [
    ...validateChecked(spec, before),
    ...validateChecks(checks, path.child("nodeStartupTimeout"), path.child("unhealthyMachineConditions")),
    ...(maxUnhealthy === undefined ? [] : validateShare(maxUnhealthy, path.child("maxUnhealthy"))),
  ];
}

export const MachineHealthCheck = kind({
  ...machineHealthCheck,
  version: "v1beta1",
  validate,
  default(check: KubeObject) {
    labelWithCluster(check);
    const spec = specOf(check);
    if (spec === undefined) return;
    spec["nodeStartupTimeout"] ??= durationOf(NODE_STARTUP_TIMEOUT)!;
    if ((spec["unhealthyRange"] ?? "") === "") spec["maxUnhealthy"] ??= "100%";
  },
  columns: [...healthColumns, pausedColumn, ageColumn],
  spec: object({
    clusterName: string().required().min(1).max(63).doc("Name of the Cluster it belongs to; never changes."),
    selector: LabelSelector.required().doc("The machines that are looked after, by their labels."),
    ...healthCheckFields,
  }).doc("What is wanted."),
  status: object({
    ...healthCheckStatus,
    conditions: Conditions.doc("The conditions with their severities."),
    v1beta2: object({ conditions: ConditionsV1Beta2.doc("The conditions as contract v1beta2 has them.") }).doc(
      "Status of contract v1beta2.",
    ),
  }).doc("What is the case."),
});
export type MachineHealthCheck = Resource<typeof MachineHealthCheck>;

type Spec = NonNullable<MachineHealthCheck["spec"]>;
type HubSpec = NonNullable<Hub["spec"]>;
type Status = NonNullable<MachineHealthCheck["status"]>;
type HubStatus = NonNullable<Hub["status"]>;

function specUp({ clusterName, selector, ...check }: Spec): HubSpec {
  return present({ clusterName, selector, checks: checksUp(check), remediation: remediationUp(check) });
}
function specDown({ clusterName, selector, checks, remediation }: HubSpec): Spec {
  return { clusterName, selector, ...healthCheckDown(checks, remediation) };
}
function statusUp({ conditions, v1beta2, ...status }: Status): HubStatus {
  return present({ ...status, conditions: v1beta2?.conditions, deprecated: deprecatedUp(present({ conditions })) });
}
function statusDown({ conditions, deprecated, ...status }: HubStatus): Status {
  return present({
    ...status,
    conditions: deprecated?.v1beta1?.conditions,
    v1beta2: conditions && { conditions },
  });
}

export const conversion = older<typeof MachineHealthCheck, typeof Hub>({
  kind: MachineHealthCheck,
  up: ({ spec, status }) => present({ spec: spec && specUp(spec), status: status && statusUp(status) }),
  down: ({ spec, status }) => present({ spec: spec && specDown(spec), status: status && statusDown(status) }),
});
