/** What several of the core kinds say alike. */
import type { TypeOf } from "#schema/kit.ts";
import { array, enumeration, int32, intOrString, map, object, string } from "#schema/kit.ts";
import { Conditions } from "../../condition.ts";

/** Labels and annotations for objects that are made. */
export const TemplateMetadata = object({
  labels: map(string()).doc("Labels of what is made."),
  annotations: map(string()).doc("Annotations of what is made."),
});
export type TemplateMetadata = TypeOf<typeof TemplateMetadata>;

const gate = {
  conditionType: string().required().min(1).max(316).doc("Type of a condition of the same object."),
  polarity: enumeration("Positive", "Negative").doc("Positive (when nothing is said): True is good. Negative: False is good."),
};

export const ReadinessGates = array(object(gate).doc("A condition that must be good as well."))
  .listMap("conditionType")
  .min(1)
  .max(32);
export type ReadinessGates = TypeOf<typeof ReadinessGates>;

/** Seconds; 0 waits for ever. */
export const deletionTimeouts = {
  nodeDrainTimeoutSeconds: int32().min(0).doc("Seconds to wait until the node is drained. 0 and nothing: for ever."),
  nodeVolumeDetachTimeoutSeconds: int32().min(0).doc("Seconds to wait until volumes are detached. 0 and nothing: for ever."),
  nodeDeletionTimeoutSeconds: int32().min(0).doc("Seconds to try to delete the Node. 0: for ever. Default 10."),
};

export const MachineDeletion = object(deletionTimeouts).min(1);
export type MachineDeletion = TypeOf<typeof MachineDeletion>;

export const MachineTaint = object({
  key: string().required().min(1).max(317).doc("Key of the taint."),
  value: string().min(1).max(63).doc("Value of the taint."),
  effect: enumeration("NoSchedule", "PreferNoSchedule", "NoExecute")
    .required()
    .doc("What it does to pods that do not tolerate it."),
  propagation: enumeration("Always", "OnInitialization")
    .required()
    .doc("Always: kept on the node. OnInitialization: put there once, when the node comes up."),
});
export type MachineTaint = TypeOf<typeof MachineTaint>;
export const MachineTaints = array(MachineTaint).listMap("key", "effect").min(1).max(64);

/** Share of machines, or how many. */
export const Share = intOrString();

export const ConditionsV1Beta2 = Conditions.max(32);

/** Status of contract v1beta1 on a v1beta2 object; it goes with that contract. */
export const V1Beta1Status = object({
  conditions: Conditions.doc("The conditions with their severities, as contract v1beta1 has them."),
  failureReason: string().doc("What cannot be mended without help, as one word."),
  failureMessage: string().doc("What cannot be mended without help, as a sentence."),
});

export const VersionCount = object({
  version: string().required().min(1).max(256).doc("Kubernetes version."),
  replicas: int32().required().min(0).doc("How many machines have it."),
});
