/** What control planes and machine sets make MetalMachines from. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { object } from "#schema/kit.ts";
import { TemplateMetadata, immutableTemplate } from "../template.ts";
import { MetalMachineSpec } from "./metal-machine.ts";

const Template = object({
  metadata: TemplateMetadata.doc("Labels and annotations to hand on."),
  spec: MetalMachineSpec.required().doc("The MetalMachine's spec."),
});

/** What both versions have in common. */
export const metalMachineTemplate = {
  group: "infrastructure.cluster.x-k8s.io",
  kind: "MetalMachineTemplate",
  plural: "metalmachinetemplates",
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "What MetalMachines are made from. Its spec never changes: to change machines, create another and refer to that.",
  validate: immutableTemplate,
} as const;

export const MetalMachineTemplate = kind({
  ...metalMachineTemplate,
  version: "v1alpha3",
  spec: object({ template: Template.required().doc("The MetalMachine to make.") }).doc("What to make."),
});
export type MetalMachineTemplate = Resource<typeof MetalMachineTemplate>;
