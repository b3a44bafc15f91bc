/** Strategic merge of one document into another of the same identity (facts §5.7). */
import { clone, equal, isObject, own, put } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import type { Identity } from "../document/document.ts";
import { identityText } from "../document/document.ts";
import { refusal } from "../fault.ts";
import type { Rule } from "./rules.ts";
import { findSame, ORDINARY, ruleOf } from "./rules.ts";

/** The document with the patch merged into it; shares what is unchanged with `document`. Throws Fault `talos.patch` for types that differ. */
export function mergeDocument(identity: Identity, document: JsonObject, patch: JsonObject): JsonObject {
  return mergeMap({ identity, place: [], rule: ORDINARY }, document, patch);
}

interface Spot {
  readonly identity: Identity;
  readonly place: readonly string[];
  readonly rule: Rule;
}

function below(spot: Spot, key: string): Spot {
  const place = [...spot.place, key];
  return { identity: spot.identity, place, rule: ruleOf(spot.identity, place, spot.rule) };
}

function mergeMap(spot: Spot, left: JsonObject, right: JsonObject): JsonObject {
  const merged: JsonObject = {};
  for (const key of Object.keys(left)) put(merged, key, left[key]!);
  for (const key of Object.keys(right)) {
    const before = own(left, key);
    const value = right[key]!;
    // Null is what Go decodes to nothing at all.
    if (value === null) continue;
    if (spot.rule.kind === "arguments" || before === undefined || before === null) put(merged, key, clone(value));
    else put(merged, key, merge(below(spot, key), before, value));
  }
  return merged;
}

function merge(spot: Spot, left: Json, right: Json): Json {
  if (right === null) return left;
  if (spot.rule.kind === "replace") return clone(right);
  if (isObject(left) && isObject(right)) return mergeMap(spot, left, right);
  if (Array.isArray(left) && Array.isArray(right)) return mergeList(spot, left, right);
  if (typeof left === "object" || typeof right === "object" || isOtherType(spot, left, right)) {
    const where = `${identityText(spot.identity)}: ${spot.place.join(".")}`;
    throw refusal("talos.patch", `${where}: the patch has a ${typeName(right)} where the configuration has a ${typeName(left)}`);
  }
  // A zero value is one that the patch does not set; false is one that it sets.
  return right === "" || right === 0 ? left : right;
}

function isOtherType({ rule }: Spot, left: Json, right: Json): boolean {
  return rule.kind === "free" && typeof left !== typeof right;
}

function typeName(value: Json): string {
  if (Array.isArray(value)) return "list";
  return isObject(value) ? "mapping" : typeof value;
}

function mergeList(spot: Spot, left: Json[], right: Json[]): Json[] {
  const merged = [...left];
  for (const item of right) {
    const i = findSame(spot.rule, merged, item);
    if (i < 0) merged.push(clone(item));
    else {
      const same = mergeMap({ ...below(spot, "*"), rule: ORDINARY }, merged[i] as JsonObject, item as JsonObject);
      if (!equal(same, merged[i])) merged[i] = same;
    }
  }
  return merged;
}
