/** What a ClusterClass makes MetalClusters from. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { object } from "#schema/kit.ts";
import { TemplateMetadata, immutableTemplate } from "../template.ts";
import { MetalClusterSpec } from "./metal-cluster.ts";

const Template = object({
  metadata: TemplateMetadata.doc("Labels and annotations to hand on."),
  spec: MetalClusterSpec.required().doc("The MetalCluster's spec."),
});

export const MetalClusterTemplate = kind({
  group: "infrastructure.cluster.x-k8s.io",
  version: "v1alpha3",
  kind: "MetalClusterTemplate",
  plural: "metalclustertemplates",
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "What a ClusterClass makes MetalClusters from. Its spec never changes.",
  spec: object({ template: Template.required().doc("The MetalCluster to make.") }).doc("What to make."),
  validate: immutableTemplate,
});
export type MetalClusterTemplate = Resource<typeof MetalClusterTemplate>;
