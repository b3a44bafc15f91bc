/** What control planes and machine sets make MetalMachines from. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { enumeration, map, object, string } from "#schema/kit.ts";
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

const Status = object({
  capacity: map(string()).doc(
    "What a machine made from it will have at least, by resource: cpu, memory. For autoscalers that have none to look at yet.",
  ),
  nodeInfo: object({
    architecture: enumeration("amd64", "arm64").doc("Architecture of its Node, where all Servers of the class have the same."),
    operatingSystem: string().doc("Operating system of its Node."),
  }).doc("What its Node will say of itself."),
});

export const MetalMachineTemplate = kind({
  ...metalMachineTemplate,
  version: "v1alpha3",
  spec: object({ template: Template.required().doc("The MetalMachine to make.") }).doc("What to make."),
  status: Status.doc("What the Servers of its class have in common."),
});
export type MetalMachineTemplate = Resource<typeof MetalMachineTemplate>;
