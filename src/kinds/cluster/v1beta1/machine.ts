/** Machine of contract v1beta1: served to clients that know no later one. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { array, boolean, dateTime, int64, map, object, string } from "#schema/kit.ts";
import { Conditions } from "../../condition.ts";
import { ObjectReference } from "../../reference.ts";
import { ageColumn, clusterColumn, machine, MACHINE_PHASES, MachineAddress } from "../v1beta2/machine.ts";
import type { Machine as Hub, MachinePhase } from "../v1beta2/machine.ts";
import { ConditionsV1Beta2 } from "../v1beta2/template.ts";
import { MachineSpec, machineSpecDown, machineSpecUp } from "./machine-spec.ts";
import { oneOf, said, some } from "./some.ts";

const Deletion = object({
  nodeDrainStartTime: dateTime().doc("Since when its Node is drained."),
  waitForNodeVolumeDetachStartTime: dateTime().doc("Since when volumes are waited for."),
});

const MachineStatus = object({
  nodeRef: ObjectReference.doc("Its Node in the workload cluster."),
  nodeInfo: map(string()).doc("What the Node says of itself."),
  lastUpdated: dateTime().doc("When the phase last changed."),
  failureReason: string().doc("What cannot be mended without help, as one word."),
  failureMessage: string().doc("What cannot be mended without help, as a sentence."),
  addresses: array(MachineAddress).atomic().doc("Addresses of the machine."),
  phase: string().doc("Where it stands, as one word."),
  certificatesExpiryDate: dateTime().doc("When the certificates of a control plane machine expire."),
  bootstrapReady: boolean().doc("Its configuration is there."),
  infrastructureReady: boolean().doc("The machine is there."),
  observedGeneration: int64().doc("The metadata.generation that was seen last."),
  conditions: Conditions.doc("The conditions with their severities."),
  deletion: Deletion.doc("How far the removal has come."),
  v1beta2: object({ conditions: ConditionsV1Beta2.doc("The conditions as contract v1beta2 has them.") }).doc(
    "Status of contract v1beta2.",
  ),
});

export const Machine = kind({
  ...machine,
  version: "v1beta1",
  columns: [
    clusterColumn,
    { name: "NodeName", type: "string", description: "Its Node", jsonPath: ".status.nodeRef.name" },
    { name: "ProviderID", type: "string", description: "The machine's name at its provider", jsonPath: ".spec.providerID" },
    { name: "Phase", type: "string", description: "Where it stands", jsonPath: ".status.phase" },
    ageColumn,
    { name: "Version", type: "string", description: "Kubernetes version", jsonPath: ".spec.version" },
  ],
  spec: MachineSpec.doc("What is wanted."),
  status: MachineStatus.doc("What is the case."),
});
export type Machine = Resource<typeof Machine>;

type Status = NonNullable<Machine["status"]>;
type HubStatus = NonNullable<Hub["status"]>;

function statusUp(status: Status): HubStatus {
  const { nodeRef, nodeInfo, lastUpdated, addresses, certificatesExpiryDate, observedGeneration, deletion, v1beta2 } = status;
  const v1beta1 = some(
    present({ conditions: status.conditions, failureReason: status.failureReason, failureMessage: status.failureMessage }),
  );
  return present({
    conditions: v1beta2?.conditions,
    initialization: some(
      present({ infrastructureProvisioned: status.infrastructureReady, bootstrapDataSecretCreated: status.bootstrapReady }),
    ),
    nodeRef: said(nodeRef?.name) === undefined ? undefined : { name: nodeRef!.name! },
    nodeInfo,
    lastUpdated,
    addresses,
    phase: oneOf<MachinePhase>(status.phase, MACHINE_PHASES),
    certificatesExpiryDate,
    observedGeneration: observedGeneration === 0 ? undefined : observedGeneration,
    deletion,
    deprecated: v1beta1 && { v1beta1 },
  });
}

function statusDown(status: HubStatus): Status {
  const { conditions, initialization, nodeRef, nodeInfo, lastUpdated, addresses, phase, certificatesExpiryDate } = status;
  const { observedGeneration, deletion, deprecated } = status;
  return present({
    nodeRef: nodeRef && { apiVersion: "v1", kind: "Node", name: nodeRef.name },
    nodeInfo,
    lastUpdated,
    failureReason: deprecated?.v1beta1?.failureReason,
    failureMessage: deprecated?.v1beta1?.failureMessage,
    addresses,
    phase,
    certificatesExpiryDate,
    bootstrapReady: initialization?.bootstrapDataSecretCreated,
    infrastructureReady: initialization?.infrastructureProvisioned,
    observedGeneration,
    conditions: deprecated?.v1beta1?.conditions,
    deletion:
      deletion &&
      present({
        nodeDrainStartTime: deletion.nodeDrainStartTime,
        waitForNodeVolumeDetachStartTime: deletion.waitForNodeVolumeDetachStartTime,
      }),
    v1beta2: conditions && { conditions },
  });
}

export const conversion = older<typeof Machine, typeof Hub>({
  kind: Machine,
  up: ({ spec, status }) => present({ spec: spec && machineSpecUp(spec), status: status && statusUp(status) }),
  down: ({ spec, status }) => present({ spec: spec && machineSpecDown(spec), status: status && statusDown(status) }),
});
