/** What is wanted of one machine, as v1beta1 says it: references with versions, timeouts as durations beside the rest. */
import { present } from "#schema/conversion.ts";
import type { TypeOf } from "#schema/kit.ts";
import { int32, object, string } from "#schema/kit.ts";
import { ObjectReference } from "../../reference.ts";
import type { MachineSpec as HubSpec, MachineTemplateSpec as HubTemplate } from "../v1beta2/machine-spec.ts";
import type { MachineDeletion } from "../v1beta2/template.ts";
import { MachineTaints, ReadinessGates, TemplateMetadata } from "../v1beta2/template.ts";
import { DurationText, durationOf, secondsOf } from "./duration.ts";
import { referenceDown, referenceUp } from "./reference.ts";
import { said, some } from "./some.ts";

/** Beside other fields, where v1beta2 has them in `deletion`. */
export const timeouts = {
  nodeDrainTimeout: DurationText.doc("How long to wait until the node is drained. 0s and nothing: for ever."),
  nodeVolumeDetachTimeout: DurationText.doc("How long to wait until volumes are detached. 0s and nothing: for ever."),
  nodeDeletionTimeout: DurationText.doc("How long to try to delete the Node. 0s: for ever. Default 10s."),
};

interface Timeouts {
  readonly nodeDrainTimeout?: string;
  readonly nodeVolumeDetachTimeout?: string;
  readonly nodeDeletionTimeout?: string;
}

/** Undefined when no timeout is set. */
export function deletionUp(spec: Timeouts): MachineDeletion | undefined {
  const deletion = present({
    nodeDrainTimeoutSeconds: secondsOf(spec.nodeDrainTimeout),
    nodeVolumeDetachTimeoutSeconds: secondsOf(spec.nodeVolumeDetachTimeout),
    nodeDeletionTimeoutSeconds: secondsOf(spec.nodeDeletionTimeout),
  });
  return some(deletion);
}

export function deletionDown(deletion: MachineDeletion | undefined): Timeouts {
  return present({
    nodeDrainTimeout: durationOf(deletion?.nodeDrainTimeoutSeconds),
    nodeVolumeDetachTimeout: durationOf(deletion?.nodeVolumeDetachTimeoutSeconds),
    nodeDeletionTimeout: durationOf(deletion?.nodeDeletionTimeoutSeconds),
  });
}

const Bootstrap = object({
  configRef: ObjectReference.doc("The object from which a bootstrap provider makes the machine's configuration."),
  dataSecretName: string().doc("Name of the Secret that has the configuration under the key value."),
});

export const MachineSpec = object({
  clusterName: string().required().min(1).max(63).doc("Name of the Cluster it belongs to; never changes."),
  bootstrap: Bootstrap.required().doc("Where its configuration comes from."),
  infrastructureRef: ObjectReference.required().doc("The object that stands for the machine itself."),
  version: string().doc("Kubernetes version, such as v1.34.1; a missing v is put before it."),
  providerID: string().doc("The machine as its infrastructure provider names it; its Node says the same."),
  failureDomain: string().doc("Failure domain it is to be placed in."),
  minReadySeconds: int32().min(0).doc("Seconds it must be ready to count as available."),
  readinessGates: ReadinessGates.doc("Conditions of the Machine that must be good before it is ready."),
  ...timeouts,
  taints: MachineTaints.doc("Taints of its Node."),
});
export type MachineSpec = TypeOf<typeof MachineSpec>;

export const MachineTemplateSpec = object({
  metadata: TemplateMetadata.doc("Labels and annotations of the Machines."),
  spec: MachineSpec.required().doc("What is wanted of each Machine."),
});
export type MachineTemplateSpec = TypeOf<typeof MachineTemplateSpec>;

export function machineSpecUp(spec: MachineSpec): HubSpec {
  const { clusterName, bootstrap, infrastructureRef, minReadySeconds, readinessGates, taints } = spec;
  return present({
    clusterName,
    bootstrap: present({
      configRef: bootstrap.configRef && referenceUp(bootstrap.configRef),
      dataSecretName: bootstrap.dataSecretName,
    }),
    infrastructureRef: referenceUp(infrastructureRef),
    version: said(spec.version),
    providerID: said(spec.providerID),
    failureDomain: said(spec.failureDomain),
    minReadySeconds,
    readinessGates,
    deletion: deletionUp(spec),
    taints,
  });
}

export function machineSpecDown(spec: HubSpec): MachineSpec {
  const { bootstrap, infrastructureRef, deletion, ...same } = spec;
  return {
    ...same,
    bootstrap: present({
      configRef: bootstrap.configRef && referenceDown(bootstrap.configRef),
      dataSecretName: bootstrap.dataSecretName,
    }),
    infrastructureRef: referenceDown(infrastructureRef),
    ...deletionDown(deletion),
  };
}

export function machineTemplateUp({ metadata, spec }: MachineTemplateSpec): HubTemplate {
  return present({ metadata, spec: machineSpecUp(spec) });
}

export function machineTemplateDown({ metadata, spec }: HubTemplate): MachineTemplateSpec {
  return present({ metadata, spec: machineSpecDown(spec) });
}
