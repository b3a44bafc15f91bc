/** One machine of a cluster: its bootstrap object, its infrastructure object and its Node, brought together. */
import type { FieldError } from "#schema/field.ts";
import { FieldPath, forbidden } from "#schema/field.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { array, boolean, dateTime, enumeration, int64, map, object, string } from "#schema/kit.ts";
import type { KubeObject } from "#schema/meta.ts";
import { defaultMachine, validateVersion } from "../defaulting.ts";
import { MachineSpec } from "./machine-spec.ts";
import { ConditionsV1Beta2, V1Beta1Status } from "./template.ts";

export const MachineAddress = object({
  type: enumeration("Hostname", "ExternalIP", "InternalIP", "ExternalDNS", "InternalDNS")
    .required()
    .doc("What kind of address it is."),
  address: string().required().min(1).max(256).doc("The address."),
});
export type MachineAddress = TypeOf<typeof MachineAddress>;

export const MACHINE_PHASES = [
  "Pending",
  "Provisioning",
  "Provisioned",
  "Running",
  "Updating",
  "Deleting",
  "Deleted",
  "Failed",
  "Unknown",
] as const;
export type MachinePhase = (typeof MACHINE_PHASES)[number];

const Initialization = object({
  infrastructureProvisioned: boolean().doc("The machine is there. Never taken back."),
  bootstrapDataSecretCreated: boolean().doc("Its configuration is there. Never taken back."),
})
  .min(1)
  .doc("How far the first set-up has come.");

const Deletion = object({
  nodeDrainStartTime: dateTime().doc("Since when its Node is drained."),
  waitForNodeVolumeDetachStartTime: dateTime().doc("Since when volumes are waited for."),
  waitForPreDrainHookStartTime: dateTime().doc("Since when hooks before the drain are waited for."),
  waitForPreTerminateHookStartTime: dateTime().doc("Since when hooks before the end of the machine are waited for."),
}).doc("How far the removal has come.");

/** core/v1 NodeSystemInfo, as far as Cluster API's version of it is copied. */
const NodeInfo = map(string());

export const MachineStatus = object({
  conditions: ConditionsV1Beta2.doc(
    "Ready and Available, and what they depend on: BootstrapConfigReady, InfrastructureReady, NodeHealthy, NodeReady, UpToDate, Deleting, Paused.",
  ),
  initialization: Initialization,
  nodeRef: object({ name: string().required().min(1).max(253).doc("Name of the Node.") }).doc(
    "Its Node in the workload cluster.",
  ),
  nodeInfo: NodeInfo.doc("What the Node says of itself: versions, architecture, operating system."),
  lastUpdated: dateTime().doc("When the phase last changed."),
  addresses: array(MachineAddress).atomic().max(256).doc("Addresses of the machine, from its infrastructure object."),
  failureDomain: string().min(1).max(256).doc("Failure domain it was placed in."),
  phase: enumeration(...MACHINE_PHASES).doc("Where it stands, as one word."),
  certificatesExpiryDate: dateTime().doc("When the certificates of a control plane machine expire."),
  observedGeneration: int64().min(1).doc("The metadata.generation that was seen last."),
  deletion: Deletion,
  deprecated: object({ v1beta1: V1Beta1Status.doc("Status of contract v1beta1.") }).doc("What goes when older contracts go."),
});

/** A Machine stays with its Cluster. Holds for the shape that both versions have. */
function validate(machine: KubeObject, old: KubeObject | undefined): FieldError[] {
  const [spec, before] = [machine["spec"], old?.["spec"]] as [
    { clusterName?: string; version?: string },
    { clusterName?: string }?,
  ];
  const errors = validateVersion(spec?.version, FieldPath.of("spec", "version"));
  if (before !== undefined && spec?.clusterName !== before.clusterName)
    errors.push(forbidden(FieldPath.of("spec", "clusterName"), "field is immutable"));
  return errors;
}

/** What all versions have in common. */
export const machine = {
  group: "cluster.x-k8s.io",
  kind: "Machine",
  plural: "machines",
  shortNames: ["ma"],
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "One machine of a cluster: a host of its nodes, with its configuration and its infrastructure.",
  validate,
  default: defaultMachine,
} as const;

export const clusterColumn = {
  name: "Cluster",
  type: "string",
  description: "Cluster it belongs to",
  jsonPath: ".spec.clusterName",
} as const;
export const ageColumn = {
  name: "Age",
  type: "date",
  description: "Time since creation",
  jsonPath: ".metadata.creationTimestamp",
} as const;

export const Machine = kind({
  ...machine,
  version: "v1beta2",
  columns: [
    clusterColumn,
    { name: "Node Name", type: "string", description: "Its Node", jsonPath: ".status.nodeRef.name" },
    {
      name: "Provider ID",
      type: "string",
      description: "The machine's name at its provider",
      priority: 10,
      jsonPath: ".spec.providerID",
    },
    {
      name: "Ready",
      type: "string",
      description: "It is ready",
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    },
    {
      name: "Available",
      type: "string",
      description: "It has been ready for minReadySeconds",
      jsonPath: '.status.conditions[?(@.type=="Available")].status',
    },
    {
      name: "Up-to-date",
      type: "string",
      description: "It is as its owner wants it",
      jsonPath: '.status.conditions[?(@.type=="UpToDate")].status',
    },
    {
      name: "Paused",
      type: "string",
      description: "Nothing is done about it",
      priority: 10,
      jsonPath: '.status.conditions[?(@.type=="Paused")].status',
    },
    { name: "Phase", type: "string", description: "Where it stands", jsonPath: ".status.phase" },
    ageColumn,
    { name: "Version", type: "string", description: "Kubernetes version", jsonPath: ".spec.version" },
  ],
  spec: MachineSpec.doc("What is wanted."),
  status: MachineStatus.doc("What is the case."),
});
export type Machine = Resource<typeof Machine>;
