/** The infrastructure of one cluster: on bare metal, little more than where its API server will be found. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { array, boolean, map, object, string } from "#schema/kit.ts";
import { Conditions } from "../../condition.ts";
import { ApiEndpoint } from "../endpoint.ts";

export const Initialization = object({
  provisioned: boolean().doc("The infrastructure is there. Never taken back. Contract v1beta2's name for ready."),
})
  .min(1)
  .doc("How far the first set-up has come (contract v1beta2).");

const FailureDomain = object({
  name: string().required().min(1).max(256).doc("Name of the failure domain."),
  controlPlane: boolean().doc("Control plane machines may be placed in it."),
  attributes: map(string()).doc("Anything else worth knowing about it."),
});

export const MetalClusterSpec = object({
  controlPlaneEndpoint: ApiEndpoint.doc(
    "Where the workload cluster's API server will answer: a virtual IP, a load balancer or a DNS name.",
  ),
});

const MetalClusterStatus = object({
  ready: boolean().required().doc("The infrastructure is there (contract v1beta1)."),
  initialization: Initialization,
  failureDomains: array(FailureDomain)
    .listMap("name")
    .max(100)
    .doc("Where machines can be placed apart from each other (contract v1beta2)."),
  failureReason: string().doc("What cannot be mended without help, as one word (contract v1beta1)."),
  failureMessage: string().doc("What cannot be mended without help, as a sentence (contract v1beta1)."),
  conditions: Conditions.doc("Ready, and what it depends on."),
});

/** What both versions have in common. */
export const metalCluster = {
  group: "infrastructure.cluster.x-k8s.io",
  kind: "MetalCluster",
  plural: "metalclusters",
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "The infrastructure of a cluster of bare machines, for Cluster API.",
} as const;

const [cluster, ready, age] = [
  {
    name: "Cluster",
    type: "string",
    description: "Cluster it belongs to",
    jsonPath: ".metadata.labels.cluster\\.x-k8s\\.io/cluster-name",
  },
  { name: "Ready", type: "string", description: "The infrastructure is there", jsonPath: ".status.ready" },
  { name: "Age", type: "date", description: "Time since creation", jsonPath: ".metadata.creationTimestamp" },
] as const;

/** The endpoint stands elsewhere in each version. */
export function metalClusterColumns(endpoint: string) {
  return [
    cluster,
    ready,
    { name: "Endpoint", type: "string", description: "Host of the API server", priority: 1, jsonPath: endpoint },
    age,
  ] as const;
}

export const MetalCluster = kind({
  ...metalCluster,
  version: "v1alpha3",
  columns: metalClusterColumns(".spec.controlPlaneEndpoint.host"),
  spec: MetalClusterSpec.doc("What is wanted."),
  status: MetalClusterStatus.doc("What is the case."),
});
export type MetalCluster = Resource<typeof MetalCluster>;
