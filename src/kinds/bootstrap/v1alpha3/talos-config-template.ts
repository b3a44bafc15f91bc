/** TalosConfigTemplate of v1alpha3's TalosConfig. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { object } from "#schema/kit.ts";
import { talosConfigTemplate } from "../v1beta1/talos-config-template.ts";
import type { TalosConfigTemplate as Hub } from "../v1beta1/talos-config-template.ts";
import { TalosConfigSpec, specDown, specUp } from "./talos-config.ts";

const Template = object({ spec: TalosConfigSpec.required().doc("The TalosConfig's spec.") });

export const TalosConfigTemplate = kind({
  ...talosConfigTemplate,
  version: "v1alpha3",
  spec: object({ template: Template.required().doc("The TalosConfig to make.") }).doc("What to make."),
});
export type TalosConfigTemplate = Resource<typeof TalosConfigTemplate>;

export const conversion = older<typeof TalosConfigTemplate, typeof Hub>({
  kind: TalosConfigTemplate,
  up: ({ spec }) => present({ spec: spec && { template: { spec: specUp(spec.template.spec) } } }),
  down: ({ spec }) => present({ spec: spec && { template: { spec: specDown(spec.template.spec) } } }),
});
