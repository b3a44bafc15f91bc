/** Defaults are filled in when an object is written and when it is read (apiextensions `defaulting`). */
import type { Json, JsonObject } from "#std/json.ts";
import { clone, isObject, put } from "#std/json.ts";
import type { SchemaNode } from "./node.ts";
import { Below, compileSchema } from "./node.ts";
import type { Schema } from "./structural.ts";

/**
 * Gives every absent field of `object` its default, in place; a null counts as absent where the schema does not allow it.
 * Defaults inside a default apply too. Values that are shared with the schema are never handed out: each is a copy.
 */
export function applyDefaults(object: JsonObject, schema: Schema): void {
  fill(object, compileSchema(schema));
}

function fill(value: Json, node: SchemaNode): void {
  if ((node.below & Below.defaults) === 0) return;
  if (isObject(value)) fillFields(value, node);
  else if (Array.isArray(value) && node.items !== undefined) fillItems(value, node.items);
}

function fillFields(object: JsonObject, node: SchemaNode): void {
  for (const [name, property] of node.properties) {
    if (property.defaultValue === undefined) continue;
    const isMissing = !Object.hasOwn(object, name) || (object[name] === null && !property.nullable);
    if (isMissing) put(object, name, clone(property.defaultValue));
  }
  for (const key of Object.keys(object)) {
    const property = node.properties.get(key);
    const child = property ?? node.additional;
    if (child === undefined) continue;
    if (property === undefined && object[key] === null && !child.nullable) put(object, key, clone(child.defaultValue ?? null));
    fill(object[key]!, child);
  }
}

function fillItems(list: Json[], items: SchemaNode): void {
  for (const [i, item] of list.entries()) {
    if (item === null && !items.nullable) list[i] = clone(items.defaultValue ?? null);
    fill(list[i]!, items);
  }
}
