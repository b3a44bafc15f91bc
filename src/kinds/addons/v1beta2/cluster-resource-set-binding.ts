/** What of which ClusterResourceSets a Cluster has got. It is named like its Cluster, and Sidero's to write. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { array, boolean, dateTime, enumeration, object, string } from "#schema/kit.ts";
import { ageColumn } from "../../cluster/v1beta2/machine.ts";

const ResourceBinding = object({
  kind: enumeration("Secret", "ConfigMap").required().doc("Where the manifests are."),
  name: string().required().min(1).max(253).doc("Its name."),
  hash: string().max(256).doc("What was in it when it was applied."),
  lastAppliedTime: dateTime().doc("When it was applied last."),
  applied: boolean().required().doc("All of it was applied."),
});

const ResourceSetBinding = object({
  clusterResourceSetName: string().required().min(1).max(253).doc("Name of the ClusterResourceSet."),
  resources: array(ResourceBinding).atomic().max(100).doc("Its resources, as they were applied."),
});

/** What both versions have in common. */
export const clusterResourceSetBinding = {
  group: "addons.cluster.x-k8s.io",
  kind: "ClusterResourceSetBinding",
  plural: "clusterresourcesetbindings",
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "What of which ClusterResourceSets the Cluster of the same name has got.",
  columns: [ageColumn],
  spec: object({
    clusterName: string().max(63).doc("Name of the Cluster."),
    bindings: array(ResourceSetBinding).atomic().max(100).doc("What it has got, by ClusterResourceSet."),
  }).doc("What it has got."),
} as const;

export const ClusterResourceSetBinding = kind({ ...clusterResourceSetBinding, version: "v1beta2" });
export type ClusterResourceSetBinding = Resource<typeof ClusterResourceSetBinding>;
