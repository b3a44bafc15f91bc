/**
 * Strategic merge patch (kubernetes/community: sig-api-machinery/strategic-merge-patch.md), driven by the schema's
 * `x-kubernetes-patch-strategy` and `-merge-key`. Only built-in kinds have those; custom resources answer 415.
 *
 * Directives: `$patch: replace|delete|merge`, `$retainKeys`, `$setElementOrder/<list>`, `$deleteFromPrimitiveList/<list>`.
 */
import { clone, isObject, own, put } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import type { Schema } from "#schema/structural.ts";
import { badRequest, unclassified } from "../status.ts";
import { goType, printGo } from "./go-format.ts";
import { rejected } from "./json-patch.ts";
import { mergeOrder, partition, scalars, sortedBy } from "./list-order.ts";
import type { KeyOf } from "./list-order.ts";
import { withoutNulls } from "./merge-patch.ts";

const PATCH = "$patch";
const RETAIN_KEYS = "$retainKeys";
const ORDER = "$setElementOrder";
const DELETE_FROM = "$deleteFromPrimitiveList";

/** meta/v1 ObjectMeta, which schemas leave out at the root. */
const METADATA: Schema = {
  type: "object",
  properties: {
    finalizers: { type: "array", items: { type: "string" }, "x-kubernetes-patch-strategy": "merge" },
    ownerReferences: {
      type: "array",
      items: { type: "object" },
      "x-kubernetes-patch-strategy": "merge",
      "x-kubernetes-patch-merge-key": "uid",
    },
  },
};

/** Merges `patch` into `object`, which is changed in place, and returns the result; `patch` is left alone. Throws 400, 422 and 500 as Kubernetes does. */
export function applyStrategicPatch(object: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  const root: Schema = { ...schema, properties: { ...schema.properties, metadata: METADATA } };
  return mergeMap(object, clone(patch), root);
}

/** What the schema says about one field. */
interface FieldMeta {
  readonly schema: Schema | undefined;
  readonly strategy: "merge" | "replace" | undefined;
  readonly mergeKey: string;
}

function fieldMeta(schema: Schema | undefined, field: string): FieldMeta {
  const additional = typeof schema?.additionalProperties === "object" ? schema.additionalProperties : undefined;
  const found =
    schema?.properties !== undefined && Object.hasOwn(schema.properties, field) ? schema.properties[field] : additional;
  const strategies = (found?.["x-kubernetes-patch-strategy"] ?? "").split(",");
  const strategy = strategies.includes("replace") ? "replace" : strategies.includes("merge") ? "merge" : undefined;
  return { schema: found, strategy, mergeKey: found?.["x-kubernetes-patch-merge-key"] ?? "" };
}

/** Consumes `patch`: what has been handled is removed from it. */
function mergeMap(original: JsonObject, patch: JsonObject, schema: Schema | undefined): JsonObject {
  if (Object.hasOwn(patch, PATCH)) return directive(patch);
  retainKeys(original, patch);
  mergeOrderedLists(original, patch, schema);
  for (const key of Object.keys(patch)) {
    const value = patch[key]!;
    const deletesFromList = key.startsWith(DELETE_FROM);
    const field = deletesFromList ? listName(key, DELETE_FROM) : key;
    mergeField(original, field, value, deletesFromList, schema);
  }
  return original;
}

function mergeField(
  original: JsonObject,
  field: string,
  value: Json,
  deletesFromList: boolean,
  schema: Schema | undefined,
): void {
  if (value === null) {
    delete original[field];
    return;
  }
  const current = own(original, field);
  const meta = fieldMeta(schema, field);
  if (Array.isArray(current) && Array.isArray(value)) {
    put(original, field, mergeList(current, value, meta, deletesFromList));
  } else if (deletesFromList) {
    return;
  } else if (isObject(current) && isObject(value)) {
    put(original, field, meta.strategy === "replace" ? value : mergeMap(current, value, meta.schema));
  } else {
    const kept = withoutDirectives(withoutNulls(value));
    if (kept === undefined) delete original[field];
    else put(original, field, kept);
  }
}

/** `$patch` in an object: replace takes the patch as it is, delete leaves nothing. */
function directive(patch: JsonObject): JsonObject {
  const kind = patch[PATCH]!;
  if (kind === "delete") return {};
  if (kind !== "replace") throw unclassified(`unknown patch type: ${printGo(kind)} in map: ${printGo(patch)}`);
  delete patch[PATCH];
  return patch;
}

/** `$retainKeys`: members of the original that it does not list are cleared; members of the patch must be listed. */
function retainKeys(original: JsonObject, patch: JsonObject): void {
  const keys = own(patch, RETAIN_KEYS);
  if (keys === undefined) return;
  delete patch[RETAIN_KEYS];
  if (!Array.isArray(keys)) throw badRequest("invalid patch format of retainKeys");
  const retained = new Set<Json>(keys);
  for (const key of Object.keys(patch)) {
    const isDirective = key.startsWith(DELETE_FROM) || key.startsWith(ORDER);
    if (patch[key] !== null && !isDirective && !retained.has(key)) throw badRequest("invalid patch format of retainKeys");
  }
  for (const key of Object.keys(original)) if (!retained.has(key)) delete original[key];
}

/** `$setElementOrder/<list>`: merges that list now and sorts it as asked; the order given wins over patch and live order. */
function mergeOrderedLists(original: JsonObject, patch: JsonObject, schema: Schema | undefined): void {
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(ORDER)) continue;
    const order = list(patch[key]!);
    delete patch[key];
    const field = listName(key, ORDER);
    const current = own(original, field);
    const change = own(patch, field);
    const meta = fieldMeta(schema, field);
    checkOrder(change === undefined ? [] : list(change), order, meta.mergeKey);
    if (current === undefined && change === undefined) continue;
    const live = current === undefined ? [] : list(current);
    const merged =
      change === undefined
        ? live
        : current === undefined
          ? (withoutDirectives(change) as Json[])
          : mergeList(live, list(change), meta, false);
    const keyOf = keyReader(meta.mergeKey);
    const { inside, outside } = partition(merged, order, keyOf);
    put(original, field, mergeOrder(sortedBy(outside, live, keyOf), sortedBy(inside, order, keyOf), live, keyOf));
    delete patch[field];
  }
}

/** The items of a patch list must come in the order of its `$setElementOrder` and be listed there. */
function checkOrder(change: readonly Json[], order: readonly Json[], mergeKey: string): void {
  if (order.length === 0 || change.length === 0) return;
  const keyOf = keyReader(mergeKey);
  const listed = change.filter((item) => !(isObject(item) && Object.hasOwn(item, PATCH)));
  let at = 0;
  for (const item of order) if (at < listed.length && keyOf(listed[at]!) === keyOf(item)) at++;
  if (at < listed.length) {
    throw unclassified(
      `The order in patch list:\n${printGo([...change])}\n doesn't match ${ORDER} list:\n${printGo([...order])}\n`,
    );
  }
}

function mergeList(original: Json[], patch: Json[], meta: FieldMeta, deletesFromList: boolean): Json[] {
  if (meta.strategy !== "merge" && !deletesFromList) return patch;
  if (original.length === 0 && patch.length === 0) return original;
  const ofObjects = elementsAreObjects(original, patch);
  if (deletesFromList && !ofObjects) {
    const unwanted = new Set(patch);
    return original.filter((item) => !unwanted.has(item));
  }
  if (!ofObjects) {
    const { inside, outside } = partition(scalars([...original, ...patch]), patch, keyReader(""));
    return mergeOrder(
      sortedBy(outside, original, keyReader("")),
      sortedBy(inside, patch, keyReader("")),
      original,
      keyReader(""),
    );
  }
  if (meta.mergeKey === "") throw unclassified(`cannot merge lists without merge key for ${meta.schema?.title ?? "list"}`);
  return mergeObjects(original as JsonObject[], patch as JsonObject[], meta);
}

function mergeObjects(original: JsonObject[], patch: JsonObject[], meta: FieldMeta): Json[] {
  const keyOf = keyReader(meta.mergeKey);
  const changes = patch.filter((item) => !Object.hasOwn(item, PATCH));
  const unwanted = new Set<Json>();
  let replaces = false;
  for (const item of patch) {
    if (!Object.hasOwn(item, PATCH)) continue;
    if (item[PATCH] === "delete") unwanted.add(keyOf(item));
    else if (item[PATCH] === "replace") replaces = true;
    else if (item[PATCH] === "merge") throw unclassified("merging lists cannot yet be specified in the patch");
    else throw unclassified(`unknown patch type: ${printGo(item[PATCH]!)} in map: ${printGo(item)}`);
  }
  if (replaces) return changes;
  const live = original.filter((item) => !unwanted.has(own(item, meta.mergeKey) ?? item));
  const merged = [...live];
  const places = new Map<Json, number>();
  live.forEach((item, i) => {
    const key = own(item, meta.mergeKey);
    if (key !== undefined && !places.has(key)) places.set(key, i);
  });
  for (const change of changes) {
    const key = keyOf(change);
    const place = places.get(key);
    if (place === undefined) {
      places.set(key, merged.length);
      merged.push(change);
    } else {
      merged[place] = mergeMap(merged[place]!, change, meta.schema?.items);
    }
  }
  const { inside, outside } = partition(merged, changes, keyOf);
  return mergeOrder(sortedBy(outside, live, keyOf), sortedBy(inside, changes, keyOf), live, keyOf);
}

/** All elements must be of one sort, and none a list. */
function elementsAreObjects(...lists: readonly Json[][]): boolean {
  let objects: boolean | undefined;
  for (const items of lists) {
    for (const item of items) {
      if (Array.isArray(item)) throw rejected();
      const isMap = isObject(item);
      if (objects !== undefined && objects !== isMap) throw unclassified("list element types are not identical");
      objects = isMap;
    }
  }
  return objects ?? false;
}

/** How an element is recognised: by its merge key, or by itself where there is none. */
function keyReader(mergeKey: string): KeyOf {
  if (mergeKey === "") return (item) => item;
  return (item) => {
    if (!isObject(item)) throw unclassified(`expected a map[string]interface {}, but received a ${goType(item)}`);
    const key = own(item, mergeKey);
    if (key === undefined) throw unclassified(`map: ${printGo(item)} does not contain declared merge key: ${mergeKey}`);
    return key;
  };
}

/** A value without the objects that carry `$patch`; undefined when it is one itself. */
function withoutDirectives(value: Json): Json | undefined {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, PATCH)) return undefined;
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) {
    const kept = withoutDirectives(value[key]!);
    if (kept !== undefined) put(copy, key, kept);
  }
  return copy;
}

function listName(key: string, prefix: string): string {
  if (key.length <= prefix.length || key[prefix.length] !== "/") {
    throw badRequest(
      prefix === ORDER ? "invalid patch format of setElementOrder list" : "invalid patch format of primitive list",
    );
  }
  return key.slice(prefix.length + 1);
}

function list(value: Json): Json[] {
  if (Array.isArray(value)) return value;
  throw unclassified(`expected a []interface {}, but received a ${goType(value)}`);
}
