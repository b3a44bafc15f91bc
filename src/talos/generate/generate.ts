/** Generating the configurations of a cluster's machines, as `talosctl gen config` does. */
import type { MachineConfig } from "../document/document.ts";
import { configOf } from "../document/document.ts";
import { hostDocuments, reducedV1alpha1, separateDocuments } from "./documents.ts";
import type { GenerateOptions, MachineType } from "./options.ts";
import { inputsOf } from "./options.ts";
import { v1alpha1 } from "./v1alpha1.ts";

/** The same for the same options. Throws Fault `talos.options` for an endpoint that is no URL, or no name. */
export function generateConfig(type: MachineType, options: GenerateOptions): MachineConfig {
  const inputs = inputsOf(type, options);
  const { minor } = options.contract;
  if (minor >= 14) return configOf([reducedV1alpha1(inputs), ...separateDocuments(inputs)]);
  return configOf([v1alpha1(inputs), ...(minor >= 12 ? hostDocuments(inputs) : [])]);
}
