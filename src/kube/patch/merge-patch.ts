/** JSON Merge Patch (RFC 7386): null deletes, objects merge, everything else replaces. */
import { isObject, own, put } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";

/**
 * Merges `patch` into `target`, which is changed in place, and returns the result. Nothing of `patch` is shared with it.
 * As in Kubernetes, nulls inside a value that is new or replaces a scalar are dropped too, also within arrays of objects.
 */
export function applyMergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  for (const key of Object.keys(patch)) {
    const value = patch[key]!;
    const current = own(target, key);
    if (value === null) delete target[key];
    else if (isObject(current) && isObject(value)) applyMergePatch(current, value);
    else put(target, key, withoutNulls(value));
  }
  return target;
}

/** A deep copy in which no object has a null member; nulls that are array elements stay. */
export function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) {
    const member = value[key]!;
    if (member !== null) put(copy, key, withoutNulls(member));
  }
  return copy;
}
