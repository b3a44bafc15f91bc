/** MachineDeployment of contract v1beta1: served to clients that know no later one. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { FieldPath } from "#schema/field.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { dateTime, enumeration, int32, int64, intOrString, object, string } from "#schema/kit.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Conditions } from "../../condition.ts";
import { specOf } from "../defaulting.ts";
import { DEPLOYMENT_NAME } from "../keys.ts";
import { childOf, defaultSet, validateSet } from "../sets.ts";
import { ageColumn, clusterColumn } from "../v1beta2/machine.ts";
import {
  DEPLOYMENT_PHASES,
  defaultStrategy,
  machineDeployment,
  pausedField,
  validateStrategy,
} from "../v1beta2/machine-deployment.ts";
import type { MachineDeployment as Hub, Strategy as AnyStrategy } from "../v1beta2/machine-deployment.ts";
import { pausedColumn, setColumns, setFields, versionColumn } from "../v1beta2/machine-set.ts";
import { MachineTemplateSpec } from "./machine-spec.ts";
import {
  countsDown,
  DELETE_POLICIES,
  DeletePolicy,
  deprecatedUp,
  MachineNaming,
  minReadySeconds,
  namingUp,
  templateDown,
  templateUp,
  v1beta2Counts,
} from "./machine-set.ts";
import { oneOf, some } from "./some.ts";

const Strategy = object({
  type: enumeration("RollingUpdate", "OnDelete").doc("RollingUpdate: a few at a time. OnDelete: when somebody deletes them."),
  rollingUpdate: object({
    maxUnavailable: intOrString().doc("How many, or how large a share, may be missing meanwhile. Default 0."),
    maxSurge: intOrString().doc("How many, or how large a share, may be there beyond what is wanted. Default 1."),
    deletePolicy: DeletePolicy,
  }).doc("How many at a time."),
  remediation: object({
    maxInFlight: intOrString().doc("How many machines are remedied at a time. Default: all."),
  }).doc("What is done about unhealthy machines."),
});

export const MachineDeployment = kind({
  ...machineDeployment,
  version: "v1beta1",
  validate(deployment: KubeObject, old: KubeObject | undefined) {
    const spec = deployment["spec"] as { readonly strategy?: AnyStrategy } | undefined;
    return [...validateSet(deployment, old), ...validateStrategy(spec?.strategy, FieldPath.of("spec", "strategy"))];
  },
  default(deployment: KubeObject, old: KubeObject | undefined) {
    defaultSet(deployment, old, DEPLOYMENT_NAME, true);
    defaultStrategy(childOf(specOf(deployment), "strategy"));
  },
  columns: [
    clusterColumn,
    ...setColumns.slice(0, 3),
    {
      name: "Updated",
      type: "integer",
      description: "Machines that are as they are wanted",
      jsonPath: ".status.updatedReplicas",
    },
    { name: "Unavailable", type: "integer", description: "Machines that are missing", jsonPath: ".status.unavailableReplicas" },
    { name: "Phase", type: "string", description: "Where it stands", jsonPath: ".status.phase" },
    pausedColumn,
    ageColumn,
    versionColumn,
  ],
  spec: object({
    ...setFields,
    rolloutAfter: dateTime().doc("Machines made before this time are replaced, once it has come."),
    template: MachineTemplateSpec.required().doc("What each machine is made from."),
    strategy: Strategy.doc("How machines are replaced."),
    machineNamingStrategy: MachineNaming.doc("How machines are named."),
    minReadySeconds,
    revisionHistoryLimit: int32().doc("How many old MachineSets are kept. Not used: those without machines go."),
    paused: pausedField,
    progressDeadlineSeconds: int32().doc("Not used."),
  }).doc("What is wanted."),
  status: object({
    observedGeneration: int64().doc("The metadata.generation that was seen last."),
    selector: string().doc("The selector as text, for the scale subresource."),
    replicas: int32().doc("How many machines there are."),
    updatedReplicas: int32().doc("How many are as they are wanted."),
    readyReplicas: int32().doc("How many are ready."),
    availableReplicas: int32().doc("How many have been ready long enough."),
    unavailableReplicas: int32().doc("How many are missing."),
    phase: string().doc("Where it stands, as one word."),
    conditions: Conditions.doc("The conditions with their severities."),
    v1beta2: v1beta2Counts,
  }).doc("What is the case."),
});
export type MachineDeployment = Resource<typeof MachineDeployment>;

type Spec = NonNullable<MachineDeployment["spec"]>;
type HubSpec = NonNullable<Hub["spec"]>;
type Status = NonNullable<MachineDeployment["status"]>;
type HubStatus = NonNullable<Hub["status"]>;

function strategyUp(strategy: Spec["strategy"]): NonNullable<HubSpec["rollout"]>["strategy"] {
  if (strategy === undefined) return undefined;
  const { maxSurge, maxUnavailable } = strategy.rollingUpdate ?? {};
  const rollingUpdate = some(present({ maxSurge, maxUnavailable }));
  if (strategy.type === undefined && rollingUpdate === undefined) return undefined;
  return present({ type: strategy.type ?? "RollingUpdate", rollingUpdate });
}

function specUp(spec: Spec): HubSpec {
  const { clusterName, replicas, selector, strategy, paused } = spec;
  const order = oneOf(strategy?.rollingUpdate?.deletePolicy, DELETE_POLICIES);
  const maxInFlight = strategy?.remediation?.maxInFlight;
  return present({
    clusterName,
    replicas,
    selector,
    template: templateUp(spec.template, spec.minReadySeconds),
    rollout: some(present({ after: spec.rolloutAfter, strategy: strategyUp(strategy) })),
    machineNaming: namingUp(spec.machineNamingStrategy),
    remediation: maxInFlight === undefined ? undefined : { maxInFlight },
    deletion: order && { order },
    paused,
  });
}

function specDown(spec: HubSpec): Spec {
  const { clusterName, replicas, selector, rollout, machineNaming, paused } = spec;
  const deletePolicy = spec.deletion?.order;
  const remediation = spec.remediation && present({ maxInFlight: spec.remediation.maxInFlight });
  const rollingUpdate = some(present({ ...rollout?.strategy?.rollingUpdate, deletePolicy }));
  return present({
    clusterName,
    replicas,
    selector,
    ...templateDown(spec.template),
    rolloutAfter: rollout?.after,
    strategy: some(present({ type: rollout?.strategy?.type, rollingUpdate, remediation })),
    machineNamingStrategy: machineNaming,
    paused,
  });
}

function statusUp(status: Status): HubStatus {
  const { selector, replicas, observedGeneration, v1beta2 } = status;
  return present({
    conditions: v1beta2?.conditions,
    selector,
    replicas,
    readyReplicas: v1beta2?.readyReplicas ?? status.readyReplicas,
    availableReplicas: v1beta2?.availableReplicas ?? status.availableReplicas,
    upToDateReplicas: v1beta2?.upToDateReplicas ?? status.updatedReplicas,
    observedGeneration: observedGeneration === 0 ? undefined : observedGeneration,
    phase: oneOf(status.phase, DEPLOYMENT_PHASES),
    deprecated: deprecatedUp(status),
  });
}

function statusDown(status: HubStatus): Status {
  const { selector, replicas, readyReplicas, availableReplicas, upToDateReplicas, observedGeneration, phase, deprecated } =
    status;
  const unavailable =
    replicas === undefined || availableReplicas === undefined ? undefined : Math.max(replicas - availableReplicas, 0);
  return present({
    observedGeneration,
    selector,
    replicas,
    updatedReplicas: upToDateReplicas,
    readyReplicas,
    availableReplicas,
    unavailableReplicas: unavailable,
    phase,
    conditions: deprecated?.v1beta1?.conditions,
    v1beta2: countsDown(status),
  });
}

export const conversion = older<typeof MachineDeployment, typeof Hub>({
  kind: MachineDeployment,
  up: ({ spec, status }) => present({ spec: spec && specUp(spec), status: status && statusUp(status) }),
  down: ({ spec, status }) => present({ spec: spec && specDown(spec), status: status && statusDown(status) }),
});
