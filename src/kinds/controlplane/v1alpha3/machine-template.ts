/** What a control plane says of the Machines it makes: fields of contract v1beta1 beside those of v1beta2. */
import type { TypeOf } from "#schema/kit.ts";
import { array, enumeration, int32, object, string } from "#schema/kit.ts";
import { TemplateMetadata } from "../../infrastructure/template.ts";
import { ObjectReference } from "../../reference.ts";

const InfrastructureRef = object({
  apiGroup: string().required().min(1).max(253).doc("Group of the template."),
  kind: string().required().min(1).max(63).doc("Kind of the template."),
  name: string().required().min(1).max(253).doc("Name of the template, in the namespace of the control plane."),
});

const ReadinessGate = object({
  conditionType: string().required().min(1).max(316).doc("Type of a condition of the Machine."),
  polarity: enumeration("Positive", "Negative").doc(
    "Positive (the default): a Machine is ready when it is True; Negative: when it is False.",
  ),
});

const Taint = object({
  key: string().required().min(1).max(317).doc("Key of the taint."),
  value: string().max(63).doc("Value of the taint."),
  effect: enumeration("NoSchedule", "PreferNoSchedule", "NoExecute")
    .required()
    .doc("What it does to pods that do not tolerate it."),
  propagation: enumeration("Always", "OnInitialization").required().doc("Whether it is kept on the Node, or set once."),
});

const Deletion = object({
  nodeDrainTimeoutSeconds: int32().min(0).doc("How long pods may take to leave the Node; 0: for ever."),
  nodeVolumeDetachTimeoutSeconds: int32().min(0).doc("How long volumes may take to be detached; 0: for ever."),
  nodeDeletionTimeoutSeconds: int32().min(0).doc("How long the Node may take to go; 0: for ever."),
});

const MachineSpec = object({
  infrastructureRef: InfrastructureRef.doc("Template of the machines, if spec.infrastructureTemplate does not name it."),
  readinessGates: array(ReadinessGate)
    .listMap("conditionType")
    .max(32)
    .doc("Conditions that must hold for a Machine to be ready."),
  taints: array(Taint).listMap("key", "effect").max(64).doc("Taints of the Nodes."),
  deletion: Deletion.doc("How long deleting a Machine may take."),
});

const DURATION = "A duration such as 5m0s; 0s: for ever.";

/** All of it reaches the Machines that are there, none of it replaces one; but for the template's name, which does. */
export const MachineTemplate = object({
  metadata: TemplateMetadata.doc("Labels and annotations of the Machines, their infrastructure and their TalosConfigs."),
  infrastructureRef: ObjectReference.doc(
    "Template of the machines, if spec.infrastructureTemplate does not name it (contract v1beta1).",
  ),
  nodeDrainTimeout: string().doc(`How long pods may take to leave the Node (contract v1beta1). ${DURATION}`),
  nodeVolumeDetachTimeout: string().doc(`How long volumes may take to be detached (contract v1beta1). ${DURATION}`),
  nodeDeletionTimeout: string().doc(`How long the Node may take to go (contract v1beta1). ${DURATION}`),
  spec: MachineSpec.doc("What Machines are made with (contract v1beta2)."),
});
export type MachineTemplate = TypeOf<typeof MachineTemplate>;
