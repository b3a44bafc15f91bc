/** A Kubernetes cluster that is made here: what it is made of, and how far it has come. */
import type { FieldError } from "#schema/field.ts";
import { FieldPath, invalid } from "#schema/field.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { array, boolean, enumeration, int32, int64, map, object, string } from "#schema/kit.ts";
import type { KubeObject } from "#schema/meta.ts";
import { isObject } from "#std/json.ts";
import { prefixVersion, specOf, validateVersion } from "../defaulting.ts";
import { ageColumn } from "./machine.ts";
import { ContractVersionedObjectReference } from "./reference.ts";
import { ConditionsV1Beta2, ReadinessGates, V1Beta1Status, VersionCount } from "./template.ts";
import { Topology } from "./topology.ts";

const Ranges = object({
  cidrBlocks: array(string().min(1).max(43)).atomic().min(1).max(100).required().doc("Networks, such as 10.244.0.0/16."),
});

export const ClusterNetwork = object({
  apiServerPort: int32().min(1).max(65535).doc("TCP port that API servers bind to."),
  services: Ranges.doc("Addresses of Services."),
  pods: Ranges.doc("Addresses of Pods."),
  serviceDomain: string().min(1).max(253).doc("Domain of Services; cluster.local when nothing is said."),
}).min(1);
export type ClusterNetwork = TypeOf<typeof ClusterNetwork>;

export const ControlPlaneEndpoint = object({
  host: string().min(1).max(512).doc("Host name or address of the API server."),
  port: int32().min(1).max(65535).doc("TCP port of the API server."),
}).min(1);
export type ControlPlaneEndpoint = TypeOf<typeof ControlPlaneEndpoint>;

const ClusterSpec = object({
  paused: boolean().doc("Nothing is done about the cluster and its objects."),
  clusterNetwork: ClusterNetwork.doc("Networks inside the cluster."),
  controlPlaneEndpoint: ControlPlaneEndpoint.doc("Where the API server answers: given, or taken from the infrastructure."),
  controlPlaneRef: ContractVersionedObjectReference.doc("The object that stands for the control plane."),
  infrastructureRef: ContractVersionedObjectReference.doc("The object that stands for the infrastructure of the whole cluster."),
  topology: Topology.doc("The cluster as its ClusterClass is to make it."),
  availabilityGates: ReadinessGates.doc("Conditions of the Cluster that must be good before it is available."),
});

export const FailureDomain = object({
  name: string().required().min(1).max(256).doc("Name of the failure domain."),
  controlPlane: boolean().doc("Control plane machines may be placed in it."),
  attributes: map(string()).doc("Anything else worth knowing about it."),
});
export type FailureDomain = TypeOf<typeof FailureDomain>;

/** Counts of machines. */
const counts = {
  desiredReplicas: int32().doc("How many machines are wanted."),
  replicas: int32().doc("How many there are."),
  upToDateReplicas: int32().doc("How many are as they are wanted."),
  readyReplicas: int32().doc("How many are ready."),
  availableReplicas: int32().doc("How many have been ready long enough."),
  versions: array(VersionCount).atomic().max(100).doc("Their Kubernetes versions, oldest first."),
  upgradePlan: array(object({ version: string().required().min(1).max(256).doc("Kubernetes version.") }))
    .atomic()
    .max(100)
    .doc("Versions that an upgrade still leads through."),
};

const Initialization = object({
  infrastructureProvisioned: boolean().doc("The infrastructure is there. Never taken back."),
  controlPlaneInitialized: boolean().doc("The API server has answered. Never taken back."),
}).min(1);

export const CLUSTER_PHASES = ["Pending", "Provisioning", "Provisioned", "Deleting", "Failed", "Unknown"] as const;
export type ClusterPhase = (typeof CLUSTER_PHASES)[number];

const ClusterStatus = object({
  conditions: ConditionsV1Beta2.doc(
    "Available, and what it depends on: RemoteConnectionProbe, InfrastructureReady, ControlPlaneAvailable, WorkersAvailable, Deleting.",
  ),
  initialization: Initialization.doc("How far the first set-up has come."),
  controlPlane: object(counts).doc("Machines of the control plane."),
  workers: object(counts).doc("Workers."),
  failureDomains: array(FailureDomain)
    .listMap("name")
    .max(100)
    .doc("Where machines can be placed apart from each other, from the infrastructure."),
  phase: enumeration(...CLUSTER_PHASES).doc("Where it stands, as one word."),
  observedGeneration: int64().min(1).doc("The metadata.generation that was seen last."),
  deprecated: object({ v1beta1: V1Beta1Status.doc("Status of contract v1beta1.") }).doc("What goes when older contracts go."),
});

/** Its name becomes the value of a label; topologies must say which version is wanted. */
function validate(cluster: KubeObject): FieldError[] {
  const { name = "" } = cluster.metadata;
  const errors: FieldError[] = [];
  if (name.length > 63) errors.push(invalid(FieldPath.of("metadata", "name"), name, "must be no more than 63 characters"));
  const topology = specOf(cluster)?.["topology"];
  if (!isObject(topology)) return errors;
  return [...errors, ...validateVersion(topology["version"] as string | undefined, FieldPath.of("spec", "topology", "version"))];
}

/** What all versions have in common. */
export const cluster = {
  group: "cluster.x-k8s.io",
  kind: "Cluster",
  plural: "clusters",
  shortNames: ["cl"],
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "A Kubernetes cluster: its control plane, its infrastructure, and what is known of both.",
  validate,
  default: (object: KubeObject): void => {
    const topology = specOf(object)?.["topology"];
    if (isObject(topology)) prefixVersion(topology);
  },
} as const;

function count(name: string, description: string, jsonPath: string) {
  return { name, type: "integer", description, jsonPath } as const;
}

export const Cluster = kind({
  ...cluster,
  version: "v1beta2",
  columns: [
    { name: "ClusterClass", type: "string", description: "Class it is made from", jsonPath: ".spec.topology.classRef.name" },
    {
      name: "Available",
      type: "string",
      description: "It can be used",
      jsonPath: '.status.conditions[?(@.type=="Available")].status',
    },
    count("CP Desired", "Control plane machines wanted", ".status.controlPlane.desiredReplicas"),
    count("CP Available", "Control plane machines available", ".status.controlPlane.availableReplicas"),
    count("CP Up-to-date", "Control plane machines up to date", ".status.controlPlane.upToDateReplicas"),
    count("W Desired", "Workers wanted", ".status.workers.desiredReplicas"),
    count("W Available", "Workers available", ".status.workers.availableReplicas"),
    count("W Up-to-date", "Workers up to date", ".status.workers.upToDateReplicas"),
    {
      name: "Paused",
      type: "string",
      description: "Nothing is done about it",
      priority: 10,
      jsonPath: '.status.conditions[?(@.type=="Paused")].status',
    },
    { name: "Phase", type: "string", description: "Where it stands", jsonPath: ".status.phase" },
    ageColumn,
    { name: "Version", type: "string", description: "Kubernetes version of its topology", jsonPath: ".spec.topology.version" },
  ],
  spec: ClusterSpec.doc("What is wanted."),
  status: ClusterStatus.doc("What is the case."),
});
export type Cluster = Resource<typeof Cluster>;
