/** What machine sets make TalosConfigs from. */
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { object } from "#schema/kit.ts";
import { immutableTemplate } from "../../infrastructure/template.ts";
import { TalosConfigSpec } from "./talos-config.ts";

const Template = object({ spec: TalosConfigSpec.required().doc("The TalosConfig's spec.") });

/** What both versions have in common. */
export const talosConfigTemplate = {
  group: "bootstrap.cluster.x-k8s.io",
  kind: "TalosConfigTemplate",
  plural: "talosconfigtemplates",
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "What TalosConfigs are made from. Its spec never changes: to change machines, create another and refer to that.",
  validate: immutableTemplate,
} as const;

export const TalosConfigTemplate = kind({
  ...talosConfigTemplate,
  version: "v1beta1",
  spec: object({ template: Template.required().doc("The TalosConfig to make.") }).doc("What to make."),
});
export type TalosConfigTemplate = Resource<typeof TalosConfigTemplate>;
