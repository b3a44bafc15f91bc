/** The one door for patches; server-side apply will come through it too. */
import { isObject } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import type { Schema } from "#schema/structural.ts";
import { badRequest } from "../status.ts";
import { applyJsonPatch, decodeJsonPatch } from "./json-patch.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { applyStrategicPatch } from "./strategic-patch.ts";

export const JSON_PATCH = "application/json-patch+json";
export const MERGE_PATCH = "application/merge-patch+json";
export const STRATEGIC_PATCH = "application/strategic-merge-patch+json";
export const APPLY_PATCH = "application/apply-patch+yaml";

export type PatchType = typeof JSON_PATCH | typeof MERGE_PATCH | typeof STRATEGIC_PATCH;

/**
 * Applies a parsed patch to `object`, which may be changed in place, and returns the result; `patch` is left alone, so it can be
 * applied again to a newer object. `schema` is needed for strategic merge patches only. Throws faults with Kubernetes' Status.
 */
export function applyPatch(type: PatchType, object: JsonObject, patch: Json, schema: Schema): Json {
  if (type === JSON_PATCH) return applyJsonPatch(object, decodeJsonPatch(patch));
  if (!isObject(patch)) throw badRequest("Invalid JSON Patch");
  return type === MERGE_PATCH ? applyMergePatch(object, patch) : applyStrategicPatch(object, patch, schema);
}
