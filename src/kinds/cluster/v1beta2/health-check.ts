/** When a machine is unhealthy, and what is done about it: as a MachineHealthCheck has it, and as topologies have it. */
import type { TypeOf } from "#schema/kit.ts";
import { array, enumeration, int32, intOrString, object, string } from "#schema/kit.ts";

const status = enumeration("True", "False", "Unknown").required().doc("The status that is not healthy.");
const timeoutSeconds = int32().required().min(0).doc("Seconds it must have been so.");

export const UnhealthyNodeCondition = object({
  type: string().required().min(1).doc("Type of a condition of the Node."),
  status,
  timeoutSeconds,
});
export const UnhealthyMachineCondition = object({
  type: string()
    .required()
    .min(1)
    .max(316)
    .doc("Type of a condition of the Machine; none that health checks set or that includes them."),
  status,
  timeoutSeconds,
});

export const HealthChecks = object({
  nodeStartupTimeoutSeconds: int32()
    .min(0)
    .doc("Seconds a machine may take until its Node is there. Default 600; 0: for ever; otherwise at least 30."),
  unhealthyNodeConditions: array(UnhealthyNodeCondition)
    .atomic()
    .min(1)
    .max(100)
    .doc("Conditions of the Node, any of which makes it unhealthy."),
  unhealthyMachineConditions: array(UnhealthyMachineCondition)
    .atomic()
    .min(1)
    .max(100)
    .doc("Conditions of the Machine, any of which makes it unhealthy."),
}).min(1);
export type HealthChecks = TypeOf<typeof HealthChecks>;

/** No more of these than so many unhealthy machines are remedied: where most are, something else is wrong. */
export const TriggerIf = object({
  unhealthyLessThanOrEqualTo: intOrString().doc(
    "At most so many machines, or so large a share of them, are unhealthy. Default 100%.",
  ),
  unhealthyInRange: string()
    .min(1)
    .max(32)
    .pattern("^\\[[0-9]+-[0-9]+\\]$")
    .doc("So many machines are unhealthy: [3-5]. Then unhealthyLessThanOrEqualTo does not count."),
}).min(1);
export type TriggerIf = TypeOf<typeof TriggerIf>;

export const RemediationTemplateReference = object({
  apiVersion: string().required().min(1).max(317).doc("API version of the template."),
  kind: string().required().min(1).max(63).doc("Kind of the template."),
  name: string().required().min(1).max(253).doc("Name of the template, in the same namespace."),
});
export type RemediationTemplateReference = TypeOf<typeof RemediationTemplateReference>;

export const remediationFields = {
  triggerIf: TriggerIf.doc("How many machines may be unhealthy for remediation to go on."),
  templateRef: RemediationTemplateReference.doc(
    "Template of the request that somebody else acts on; without it the owner replaces the machine.",
  ),
};
