/** Health checks as v1beta1 says them: timeouts as durations, and everything beside each other. */
import { present } from "#schema/conversion.ts";
import type { TypeOf } from "#schema/kit.ts";
import { array, enumeration, intOrString, object, string } from "#schema/kit.ts";
import { ObjectReference } from "../../reference.ts";
import type { HealthChecks, RemediationTemplateReference, TriggerIf } from "../v1beta2/health-check.ts";
import { DurationText, durationOf, secondsOf } from "./duration.ts";
import { some } from "./some.ts";

const condition = object({
  type: string().required().min(1).doc("Type of the condition."),
  status: enumeration("True", "False", "Unknown").required().doc("The status that is not healthy."),
  timeout: DurationText.required().doc("How long it must have been so."),
});

/** A MachineHealthCheck has these in its spec, a topology in machineHealthCheck. */
export const healthCheckFields = {
  unhealthyConditions: array(condition).atomic().doc("Conditions of the Node, any of which makes it unhealthy."),
  unhealthyMachineConditions: array(condition).atomic().doc("Conditions of the Machine, any of which makes it unhealthy."),
  maxUnhealthy: intOrString().doc(
    "At most so many machines, or so large a share of them, are unhealthy for remediation to go on.",
  ),
  unhealthyRange: string()
    .pattern("^(\\[[0-9]+-[0-9]+\\])?$")
    .doc("So many machines are unhealthy for remediation to go on: [3-5]. Then maxUnhealthy does not count."),
  nodeStartupTimeout: DurationText.doc("How long a machine may take until its Node is there. Default 10m; 0s: for ever."),
  remediationTemplate: ObjectReference.doc("Template of the request that somebody else acts on."),
};
export const HealthCheck = object(healthCheckFields);
export type HealthCheck = TypeOf<typeof HealthCheck>;

type Unhealthy = { type: string; status: "True" | "False" | "Unknown"; timeout: string };
type HubUnhealthy = { type: string; status: "True" | "False" | "Unknown"; timeoutSeconds: number };

function conditionUp({ type, status, timeout }: Unhealthy): HubUnhealthy {
  return { type, status, timeoutSeconds: secondsOf(timeout) ?? 0 };
}
function conditionDown({ type, status, timeoutSeconds }: HubUnhealthy): Unhealthy {
  return { type, status, timeout: durationOf(timeoutSeconds)! };
}

/** An empty list says what no list says. */
function listUp(list: Unhealthy[] | undefined): HubUnhealthy[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list.map(conditionUp);
}

export function checksUp(check: HealthCheck): HealthChecks | undefined {
  return some(
    present({
      nodeStartupTimeoutSeconds: secondsOf(check.nodeStartupTimeout),
      unhealthyNodeConditions: listUp(check.unhealthyConditions),
      unhealthyMachineConditions: listUp(check.unhealthyMachineConditions),
    }),
  );
}

interface Remediation {
  readonly triggerIf?: TriggerIf;
  readonly templateRef?: RemediationTemplateReference;
}

export function remediationUp({ maxUnhealthy, unhealthyRange, remediationTemplate }: HealthCheck): Remediation | undefined {
  const { apiVersion = "", kind = "", name = "" } = remediationTemplate ?? {};
  return some(
    present({
      triggerIf: some(
        present({
          unhealthyLessThanOrEqualTo: maxUnhealthy,
          unhealthyInRange: unhealthyRange === "" ? undefined : unhealthyRange,
        }),
      ),
      templateRef: remediationTemplate && { apiVersion, kind, name },
    }),
  );
}

export function healthCheckDown(checks: HealthChecks | undefined, remediation: Remediation | undefined): HealthCheck {
  return present({
    unhealthyConditions: checks?.unhealthyNodeConditions?.map(conditionDown),
    unhealthyMachineConditions: checks?.unhealthyMachineConditions?.map(conditionDown),
    maxUnhealthy: remediation?.triggerIf?.unhealthyLessThanOrEqualTo,
    unhealthyRange: remediation?.triggerIf?.unhealthyInRange,
    nodeStartupTimeout: durationOf(checks?.nodeStartupTimeoutSeconds),
    remediationTemplate: remediation?.templateRef,
  });
}
