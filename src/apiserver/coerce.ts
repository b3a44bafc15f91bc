/** From a parsed document to an object of its kind: metadata read, unknown fields dropped, defaults in place. */
import { applyDefaults } from "#schema/default.ts";
import type { KubeObject } from "#schema/meta.ts";
import { compileSchema } from "#schema/node.ts";
import { prune } from "#schema/prune.ts";
import type { JsonObject } from "#std/json.ts";
import { DecodeProblem, readEmbedded, readMetadata } from "./metadata.ts";
import type { Resource } from "./registry.ts";

/**
 * Changes `object` in place and returns the paths of the unknown fields it had, in the order in which a genuine server reports
 * them. Throws DecodeProblem for values that cannot be decoded at all.
 */
export function coerce(object: KubeObject, { definition, version }: Resource): string[] {
  const { meta, unknown } = readMetadata(object, definition.custom ? "" : "metadata.");
  object.metadata = meta;
  const problem = definition.strategy.decodeProblem?.(object);
  if (problem !== undefined) throw new DecodeProblem(problem);
  unknown.push(...prune(object as unknown as JsonObject, version.schema));
  unknown.push(...readEmbedded(object as unknown as JsonObject, compileSchema(version.schema)));
  applyDefaults(object as unknown as JsonObject, version.schema);
  definition.strategy.defaults?.(object);
  return unknown;
}
