/** Machines that are all alike, and how many of them there are to be. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { array, int32, int64, object, string } from "#schema/kit.ts";
import type { KubeObject } from "#schema/meta.ts";
import { LabelSelector } from "../../selector.ts";
import { SET_NAME } from "../keys.ts";
import { defaultSet, validateNaming, validateSet } from "../sets.ts";
import { ageColumn, clusterColumn } from "./machine.ts";
import { MachineTemplateSpec } from "./machine-spec.ts";
import { ConditionsV1Beta2, V1Beta1Status, VersionCount } from "./template.ts";
import { DeletionOrder } from "./topology.ts";

export const MachineNaming = object({
  template: string()
    .min(1)
    .max(256)
    .check(validateNaming)
    .doc("Go template of their names, with .cluster.name, .machineSet.name and .random, which it must contain."),
}).min(1);

/** Fields of a MachineSet and a MachineDeployment, in all versions. */
export const setFields = {
  clusterName: string().required().min(1).max(63).doc("Name of the Cluster it belongs to; never changes."),
  replicas: int32().min(0).doc("How many machines are wanted."),
  selector: LabelSelector.required().doc("Labels by which its machines are known; its template carries them."),
};

export const SetDeletion = object({
  order: DeletionOrder.doc("Which machines go first when there are too many: Random, Newest or Oldest."),
}).min(1);

/** Counts of machines, in the status of a MachineSet and a MachineDeployment. */
export const setCounts = {
  selector: string().doc("The selector as text, for the scale subresource."),
  replicas: int32().doc("How many machines there are."),
  readyReplicas: int32().doc("How many are ready."),
  availableReplicas: int32().doc("How many have been ready long enough."),
  upToDateReplicas: int32().doc("How many are as they are wanted."),
  versions: array(VersionCount).atomic().max(100).doc("Their Kubernetes versions, oldest first."),
  observedGeneration: int64().min(1).doc("The metadata.generation that was seen last."),
};

export const deprecated = object({ v1beta1: V1Beta1Status.doc("Status of contract v1beta1.") }).doc(
  "What goes when older contracts go.",
);

function counted(name: string, description: string, jsonPath: string) {
  return { name, type: "integer", description, jsonPath } as const;
}

/** Columns of a MachineSet and a MachineDeployment. */
export const setColumns = [
  counted("Desired", "Machines wanted", ".spec.replicas"),
  counted("Current", "Machines there are", ".status.replicas"),
  counted("Ready", "Machines that are ready", ".status.readyReplicas"),
  counted("Available", "Machines that have been ready long enough", ".status.availableReplicas"),
  counted("Up-to-date", "Machines that are as they are wanted", ".status.upToDateReplicas"),
] as const;

export const pausedColumn = {
  name: "Paused",
  type: "string",
  description: "Nothing is done about it",
  priority: 10,
  jsonPath: '.status.conditions[?(@.type=="Paused")].status',
} as const;
export const versionColumn = {
  name: "Version",
  type: "string",
  description: "Kubernetes version",
  jsonPath: ".spec.template.spec.version",
} as const;

export const setScale = {
  specReplicasPath: ".spec.replicas",
  statusReplicasPath: ".status.replicas",
  labelSelectorPath: ".status.selector",
} as const;

/** What all versions have in common. */
export const machineSet = {
  group: "cluster.x-k8s.io",
  kind: "MachineSet",
  plural: "machinesets",
  shortNames: ["ms"],
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "Machines that are all alike, kept at a number.",
  scale: setScale,
  validate: validateSet,
} as const;

export const MachineSet = kind({
  ...machineSet,
  version: "v1beta2",
  default(set: KubeObject, old: KubeObject | undefined) {
    defaultSet(set, old, SET_NAME, false);
  },
  columns: [clusterColumn, ...setColumns, pausedColumn, ageColumn, versionColumn],
  spec: object({
    ...setFields,
    template: MachineTemplateSpec.required().doc("What each machine is made from."),
    machineNaming: MachineNaming.doc("How machines are named."),
    deletion: SetDeletion.doc("Which machines go first."),
  }).doc("What is wanted."),
  status: object({
    conditions: ConditionsV1Beta2.doc("MachinesReady, MachinesUpToDate, ScalingUp, ScalingDown, Remediating, Deleting, Paused."),
    ...setCounts,
    deprecated,
  }).doc("What is the case."),
});
export type MachineSet = Resource<typeof MachineSet>;
