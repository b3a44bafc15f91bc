/** `x-kubernetes-list-type`: no two items of a set are equal, no two of a map have equal keys (apiextensions `listtype`). */
import type { Json, JsonObject } from "#std/json.ts";
import { isObject, own } from "#std/json.ts";
import type { FieldError } from "./field.ts";
import { duplicate, FieldPath, invalid } from "./field.ts";
import type { SchemaNode } from "./node.ts";
import { Below } from "./node.ts";
import { printJson } from "./quote.ts";

/** Each value that comes more than once is reported at its second place. */
export function validateLists(object: JsonObject, node: SchemaNode): FieldError[] {
  const errors: FieldError[] = [];
  walk(object, node, FieldPath.root, errors);
  return errors;
}

function walk(value: Json, node: SchemaNode, path: FieldPath, errors: FieldError[]): void {
  if ((node.below & Below.lists) === 0) return;
  if (isObject(value)) {
    for (const key of Object.keys(value)) {
      const property = node.properties.get(key);
      if (property !== undefined) walk(value[key]!, property, path.child(key), errors);
      else if (node.additional !== undefined) walk(value[key]!, node.additional, path.key(key), errors);
    }
  } else if (Array.isArray(value)) {
    if (node.listType === "set") checkUnique(value, identity, (item) => item, path, errors);
    if (node.listType === "map") checkMap(value, node.listKeys, path, errors);
    if (node.items === undefined) return;
    for (const [i, item] of value.entries()) walk(item, node.items, path.index(i), errors);
  }
}

function checkMap(list: readonly Json[], keys: readonly string[], path: FieldPath, errors: FieldError[]): void {
  const stranger = list.findIndex((item) => item !== null && !isObject(item));
  if (stranger >= 0) {
    errors.push(invalid(path.index(stranger), list[stranger], "must be an object for an array of list-type map"));
    return;
  }
  checkUnique(
    list,
    (item) => itemKey(item, keys),
    (item) => keyFields(item, keys),
    path,
    errors,
  );
}

/** A text that two items have in common exactly if they agree in the given fields: how items of a list of type map are told apart. */
export function itemKey(item: Json, keys: readonly string[]): string {
  let text = "";
  for (const key of keys) {
    const value = isObject(item) ? own(item, key) : undefined;
    text += value === undefined ? "-" : identity(value);
  }
  return text;
}

function identity(value: Json): string {
  return typeof value === "string" ? `${value.length}:${value}` : `=${printJson(value)};`;
}

function keyFields(item: Json, keys: readonly string[]): JsonObject {
  const found: JsonObject = {};
  for (const key of keys) {
    const value = isObject(item) ? own(item, key) : undefined;
    if (value !== undefined) found[key] = value;
  }
  return found;
}

function checkUnique(
  list: readonly Json[],
  keyOf: (item: Json) => string,
  shown: (item: Json) => Json,
  path: FieldPath,
  errors: FieldError[],
): void {
  const times = new Map<string, number>();
  for (const [i, item] of list.entries()) {
    const key = keyOf(item);
    const seen = times.get(key) ?? 0;
    times.set(key, seen + 1);
    if (seen === 1) errors.push(duplicate(path.index(i), shown(item)));
  }
}
