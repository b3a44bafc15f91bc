/** What is wanted of one machine: as a Machine has it, and as sets of machines have it in their templates. */
import type { FieldError, FieldPath } from "#schema/field.ts";
import { required } from "#schema/field.ts";
import type { TypeOf } from "#schema/kit.ts";
import { int32, object, string } from "#schema/kit.ts";
import { ContractVersionedObjectReference } from "./reference.ts";
import { MachineDeletion, MachineTaints, ReadinessGates, TemplateMetadata } from "./template.ts";

const Bootstrap = object({
  configRef: ContractVersionedObjectReference.doc(
    "The object from which a bootstrap provider makes the machine's configuration.",
  ),
  dataSecretName: string()
    .min(0)
    .max(253)
    .doc("Name of the Secret that has the configuration under the key value; set from the object, or given where there is none."),
})
  .min(1)
  .check(checkBootstrap);

/** One of the two must say where the configuration comes from. */
function checkBootstrap(bootstrap: { configRef?: unknown; dataSecretName?: unknown }, path: FieldPath): FieldError[] {
  if (bootstrap.configRef !== undefined || bootstrap.dataSecretName !== undefined) return [];
  return [required(path, "either configRef or dataSecretName must be set")];
}

export const MachineSpec = object({
  clusterName: string().required().min(1).max(63).doc("Name of the Cluster it belongs to; never changes."),
  bootstrap: Bootstrap.required().doc("Where its configuration comes from."),
  infrastructureRef: ContractVersionedObjectReference.required().doc("The object that stands for the machine itself."),
  version: string().min(1).max(256).doc("Kubernetes version, such as v1.34.1; a missing v is put before it."),
  providerID: string().min(1).max(512).doc("The machine as its infrastructure provider names it; its Node says the same."),
  failureDomain: string().min(1).max(256).doc("Failure domain it is to be placed in."),
  minReadySeconds: int32().min(0).doc("Seconds it must be ready to count as available."),
  readinessGates: ReadinessGates.doc("Conditions of the Machine that must be good before it is ready."),
  deletion: MachineDeletion.doc("How long each part of its removal may take."),
  taints: MachineTaints.doc("Taints of its Node."),
});
export type MachineSpec = TypeOf<typeof MachineSpec>;

/** In a MachineSet or MachineDeployment. */
export const MachineTemplateSpec = object({
  metadata: TemplateMetadata.doc("Labels and annotations of the Machines."),
  spec: MachineSpec.required().doc("What is wanted of each Machine."),
});
export type MachineTemplateSpec = TypeOf<typeof MachineTemplateSpec>;
