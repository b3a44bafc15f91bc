/** What the rules are about: a configuration, and where it is to run. */
import type { Json, JsonObject } from "#std/json.ts";
import type { Contract } from "../contract.ts";
import type { MachineConfig } from "../document/document.ts";

/** Where Talos is to run: only on metal is it installed, and in a container it has the host's network. */
export type RuntimeMode = "metal" | "cloud" | "container";

export interface ValidateOptions {
  readonly mode: RuntimeMode;
  /** Of the Talos that is to read it; without it nothing is said about versions. */
  readonly contract?: Contract;
  /** What is deprecated is an error. */
  readonly strict?: boolean;
}

/** A configuration as the rules look at it. */
export interface Subject {
  readonly config: MachineConfig;
  /** The v1alpha1 document. */
  readonly legacy: JsonObject;
  readonly isControlPlane: boolean;
  readonly options: ValidateOptions;
}

/** Not there, or what Go decodes to nothing. */
export function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
