/** What a stand-in for Talos makes of a configuration before it takes it. */
import { parseConfig } from "#talos/document/parse.ts";
import { validateConfig } from "#talos/validate/validate.ts";
import { factsOf } from "./facts.ts";
import type { MachineFacts } from "./facts.ts";

/** Throws what Talos would say of it; a partial configuration is one. */
export function checkConfig(text: string): MachineFacts | undefined {
  const config = parseConfig(text);
  const facts = factsOf(config);
  if (facts === undefined) return undefined;
  const { errors } = validateConfig(config, { mode: "metal" });
  if (errors.length > 0) throw new Error(`the configuration is not valid: ${errors.join("; ")}`);
  return facts;
}

/** `v1.13.2` of `ghcr.io/siderolabs/installer:v1.13.2`; undefined without a tag that is a version. */
export function versionOf(image: string): string | undefined {
  return /:(v\d+\.\d+\.\d+[\w.-]*)(?:@|$)/.exec(image)?.[1];
}
