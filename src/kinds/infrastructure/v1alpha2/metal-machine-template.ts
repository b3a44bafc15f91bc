/** MetalMachineTemplate of v1alpha2's MetalMachine. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { object } from "#schema/kit.ts";
import { metalMachineTemplate } from "../v1alpha3/metal-machine-template.ts";
import type { MetalMachineTemplate as Hub } from "../v1alpha3/metal-machine-template.ts";
import { MetalMachineSpec, specDown, specUp } from "./metal-machine.ts";

const Template = object({ spec: MetalMachineSpec.required().doc("The MetalMachine's spec.") });

export const MetalMachineTemplate = kind({
  ...metalMachineTemplate,
  version: "v1alpha2",
  spec: object({ template: Template.required().doc("The MetalMachine to make.") }).doc("What to make."),
});
export type MetalMachineTemplate = Resource<typeof MetalMachineTemplate>;

export const conversion = older<typeof MetalMachineTemplate, typeof Hub>({
  kind: MetalMachineTemplate,
  up: ({ spec }) => present({ spec: spec && { template: { spec: specUp(spec.template.spec) } } }),
  down: ({ spec }) => present({ spec: spec && { template: { spec: specDown(spec.template.spec) } } }),
});
