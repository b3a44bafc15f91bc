/** MachineSet of contract v1beta1: served to clients that know no later one. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { enumeration, int32, int64, object, string } from "#schema/kit.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Conditions } from "../../condition.ts";
import { SET_NAME } from "../keys.ts";
import { defaultSet, validateNaming } from "../sets.ts";
import { ageColumn, clusterColumn } from "../v1beta2/machine.ts";
import type { MachineTemplateSpec as HubTemplate } from "../v1beta2/machine-spec.ts";
import { machineSet, pausedColumn, setColumns, setFields, versionColumn } from "../v1beta2/machine-set.ts";
import type { MachineSet as Hub } from "../v1beta2/machine-set.ts";
import { ConditionsV1Beta2 } from "../v1beta2/template.ts";
import { MachineTemplateSpec, machineTemplateDown, machineTemplateUp } from "./machine-spec.ts";
import { oneOf, said, some } from "./some.ts";

export const MachineNaming = object({
  template: string().doc("Go template of their names, with .cluster.name, .machineSet.name and .random, which it must contain."),
}).check(({ template }, path) =>
  template === undefined || template === "" ? [] : validateNaming(template, path.child("template")),
);

/** An empty word stands for the default. */
export const DELETE_POLICIES = ["Random", "Newest", "Oldest"] as const;
export const DeletePolicy = enumeration(...DELETE_POLICIES, "").doc("Which machines go first: Random, Newest or Oldest.");
export const minReadySeconds = int32().min(0).doc("Seconds a machine must be ready to count as available.");

export const v1beta2Counts = object({
  conditions: ConditionsV1Beta2.doc("The conditions as contract v1beta2 has them."),
  readyReplicas: int32().doc("How many machines are ready."),
  availableReplicas: int32().doc("How many have been ready long enough."),
  upToDateReplicas: int32().doc("How many are as they are wanted."),
}).doc("Status of contract v1beta2.");
export type V1Beta2Counts = TypeOf<typeof v1beta2Counts>;

export const MachineSet = kind({
  ...machineSet,
  version: "v1beta1",
  default(set: KubeObject, old: KubeObject | undefined) {
    defaultSet(set, old, SET_NAME, false);
  },
  columns: [clusterColumn, ...setColumns.slice(0, 4), pausedColumn, ageColumn, versionColumn],
  spec: object({
    ...setFields,
    minReadySeconds,
    deletePolicy: DeletePolicy,
    template: MachineTemplateSpec.required().doc("What each machine is made from."),
    machineNamingStrategy: MachineNaming.doc("How machines are named."),
  }).doc("What is wanted."),
  status: object({
    selector: string().doc("The selector as text, for the scale subresource."),
    replicas: int32().doc("How many machines there are."),
    fullyLabeledReplicas: int32().doc("How many of them carry the template's labels."),
    readyReplicas: int32().doc("How many are ready."),
    availableReplicas: int32().doc("How many have been ready long enough."),
    observedGeneration: int64().doc("The metadata.generation that was seen last."),
    failureReason: string().doc("What cannot be mended without help, as one word."),
    failureMessage: string().doc("What cannot be mended without help, as a sentence."),
    conditions: Conditions.doc("The conditions with their severities."),
    v1beta2: v1beta2Counts,
  }).doc("What is the case."),
});
export type MachineSet = Resource<typeof MachineSet>;

type Spec = NonNullable<MachineSet["spec"]>;
type HubSpec = NonNullable<Hub["spec"]>;
type Status = NonNullable<MachineSet["status"]>;
type HubStatus = NonNullable<Hub["status"]>;

/** `minReadySeconds` is the set's here, each machine's there. */
export function templateUp(template: MachineTemplateSpec, seconds: number | undefined): HubTemplate {
  const up = machineTemplateUp(template);
  return seconds === undefined ? up : { ...up, spec: { ...up.spec, minReadySeconds: seconds } };
}
export function templateDown(template: HubTemplate): { template: MachineTemplateSpec; minReadySeconds: number | undefined } {
  const { minReadySeconds: seconds, ...spec } = template.spec;
  return { template: machineTemplateDown({ ...template, spec }), minReadySeconds: seconds };
}

export function namingUp(naming: { template?: string } | undefined): { template?: string } | undefined {
  const template = said(naming?.template);
  return template === undefined ? undefined : { template };
}

function specUp(spec: Spec): HubSpec {
  const { clusterName, replicas, selector } = spec;
  const order = oneOf(spec.deletePolicy, DELETE_POLICIES);
  return present({
    clusterName,
    replicas,
    selector,
    template: templateUp(spec.template, spec.minReadySeconds),
    machineNaming: namingUp(spec.machineNamingStrategy),
    deletion: order && { order },
  });
}

function specDown({ clusterName, replicas, selector, machineNaming, deletion, ...spec }: HubSpec): Spec {
  return present({
    clusterName,
    replicas,
    selector,
    ...templateDown(spec.template),
    machineNamingStrategy: machineNaming,
    deletePolicy: deletion?.order,
  });
}

interface OldStatus {
  readonly conditions?: Status["conditions"];
  readonly failureReason?: string;
  readonly failureMessage?: string;
}

export function deprecatedUp({ conditions, failureReason, failureMessage }: OldStatus): HubStatus["deprecated"] {
  const v1beta1 = some(present({ conditions, failureReason, failureMessage }));
  return v1beta1 && { v1beta1 };
}

function statusUp(status: Status): HubStatus {
  const { selector, replicas, readyReplicas, availableReplicas, observedGeneration, v1beta2 } = status;
  return present({
    conditions: v1beta2?.conditions,
    selector,
    replicas,
    readyReplicas: v1beta2?.readyReplicas ?? readyReplicas,
    availableReplicas: v1beta2?.availableReplicas ?? availableReplicas,
    upToDateReplicas: v1beta2?.upToDateReplicas,
    observedGeneration: observedGeneration === 0 ? undefined : observedGeneration,
    deprecated: deprecatedUp(status),
  });
}

export function countsDown({
  conditions,
  readyReplicas,
  availableReplicas,
  upToDateReplicas,
}: HubStatus): V1Beta2Counts | undefined {
  return some(present({ conditions, readyReplicas, availableReplicas, upToDateReplicas }));
}

function statusDown(status: HubStatus): Status {
  const { selector, replicas, readyReplicas, availableReplicas, observedGeneration, deprecated } = status;
  return present({
    selector,
    replicas,
    readyReplicas,
    availableReplicas,
    observedGeneration,
    ...deprecated?.v1beta1,
    v1beta2: countsDown(status),
  });
}

export const conversion = older<typeof MachineSet, typeof Hub>({
  kind: MachineSet,
  up: ({ spec, status }) => present({ spec: spec && specUp(spec), status: status && statusUp(status) }),
  down: ({ spec, status }) => present({ spec: spec && specDown(spec), status: status && statusDown(status) }),
});
