/**
 * Which fields of an object its topology sets, as merge patches can keep them: what it sets is kept as it says, what it no longer sets goes,
 * what others set stays. Server-side apply keeps this in managed fields; here an annotation does.
 */
import { equal, isObject, type Json, type JsonObject, own, put } from "#std/json.ts";

export const TOPOLOGY_FIELDS = "cluster.sidero.dev/topology-fields";

/** JSON pointers of all values that are no objects with fields; lists are values. */
export function fieldsOf(value: JsonObject, at = ""): string[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = `${at}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    return isObject(inner) && Object.keys(inner).length > 0 ? fieldsOf(inner, path) : [path];
  });
}

/** Merge patch that gives `current` all of `wanted`, and takes away what is in `before` but not wanted any more; undefined: nothing to do. */
export function applyPatch(current: JsonObject, wanted: JsonObject, before: readonly string[]): JsonObject | undefined {
  const patch = missing(current, wanted) ?? {};
  for (const path of before) if (isGone(stepsOf(path), wanted)) remove(current, patch, stepsOf(path));
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** Nothing is wanted there: no value, none below, and no other value in place of what it was a part of. */
function isGone(steps: readonly string[], wanted: JsonObject): boolean {
  let at: Json | undefined = wanted;
  for (const step of steps) {
    if (!isObject(at)) return false;
    at = own(at, step);
    if (at === undefined) return true;
  }
  return false;
}

function stepsOf(path: string): string[] {
  return path
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function missing(current: JsonObject, wanted: JsonObject): JsonObject | undefined {
  const patch: JsonObject = {};
  for (const [key, value] of Object.entries(wanted)) {
    const mine = current[key];
    if (isObject(value) && isObject(mine)) {
      const inner = missing(mine, value);
      if (inner !== undefined) patch[key] = inner;
    } else if (!equal(mine ?? null, value)) patch[key] = value;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function remove(current: JsonObject, patch: JsonObject, steps: readonly string[]): void {
  if (valueOf(current, steps) === undefined) return;
  let into = patch;
  for (const step of steps.slice(0, -1)) {
    const next: Json | undefined = own(into, step);
    const inner: JsonObject = isObject(next) ? next : {};
    put(into, step, inner);
    into = inner;
  }
  put(into, steps.at(-1)!, null);
}

function valueOf(object: JsonObject, steps: readonly string[]): Json | undefined {
  return steps.reduce<Json | undefined>((value, step) => (isObject(value) ? own(value, step) : undefined), object);
}

/** Anybody can write the annotation: what does not parse remembers nothing. */
export function fieldsBefore(text: string | undefined): string[] {
  try {
    const fields: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(fields) ? fields.filter((field) => typeof field === "string") : [];
  } catch {
    return [];
  }
}
