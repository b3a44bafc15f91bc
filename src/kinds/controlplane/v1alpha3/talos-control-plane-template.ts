/** What a ClusterClass makes TalosControlPlanes from. Upstream has none, and so no ClusterClass. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { object } from "#schema/kit.ts";
import { TemplateMetadata, immutableTemplate } from "../../infrastructure/template.ts";
import { templateFields } from "./talos-control-plane.ts";

const Template = object({
  metadata: TemplateMetadata.doc("Labels and annotations to hand on."),
  spec: object(templateFields)
    .required()
    .doc("The TalosControlPlane's spec, but for what a topology says: replicas, version and the template of the machines."),
});

export const TalosControlPlaneTemplate = kind({
  group: "controlplane.cluster.x-k8s.io",
  version: "v1alpha3",
  kind: "TalosControlPlaneTemplate",
  plural: "taloscontrolplanetemplates",
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "What a ClusterClass makes TalosControlPlanes from. Its spec never changes.",
  spec: object({ template: Template.required().doc("The TalosControlPlane to make.") }).doc("What to make."),
  validate: immutableTemplate,
});
export type TalosControlPlaneTemplate = Resource<typeof TalosControlPlaneTemplate>;
