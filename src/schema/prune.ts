/**
 * Unknown fields are dropped before an object is judged or stored (apiextensions `pruning` and `defaulting/prunenulls`), so that
 * nothing is kept that no schema has seen.
 */
import type { Json, JsonObject } from "#std/json.ts";
import { isObject } from "#std/json.ts";
import type { SchemaNode } from "./node.ts";
import { compileSchema } from "./node.ts";
import type { Schema } from "./structural.ts";

/** Bounds what a hostile object can make the server say about it. */
const REPORT_LIMIT = 100;

type Path = readonly (string | number)[];

/**
 * Removes from `object`, in place, every field its schema does not name, and returns their paths in order (`spec.list[0].bogus`;
 * the first 100). apiVersion, kind and metadata stay as they are, at the root and in embedded resources; in the latter they are
 * reported by nobody. A null where the schema allows none and has no default counts as absent, and is dropped silently.
 */
export function prune(object: JsonObject, schema: Schema): string[] {
  const root = compileSchema(schema);
  const pruner = new Pruner();
  pruner.fields(object, root, true, root.preservesUnknown);
  return pruner.unknown.toSorted();
}

class Pruner {
  readonly unknown: string[] = [];
  readonly #path: (string | number)[] = [];

  /** `keeps`: unknown fields stay, as they do where the schema preserves them. */
  fields(object: JsonObject, node: SchemaNode | undefined, isResource: boolean, keeps = false): void {
    for (const key of Object.keys(object)) {
      if (isResource && (key === "apiVersion" || key === "kind" || key === "metadata")) continue;
      const child = node?.properties.get(key) ?? node?.additional;
      const value = object[key]!;
      if (child === undefined) {
        if (keeps) continue;
        if (node?.keepsAdditional !== true) {
          if (this.unknown.length < REPORT_LIMIT) this.unknown.push(printPath([...this.#path, key]));
          delete object[key];
          continue;
        }
      } else if (value === null && !child.nullable && child.defaultValue === undefined) {
        delete object[key];
        continue;
      }
      this.#inside(key, value, child, false);
    }
  }

  #inside(part: string | number, value: Json, node: SchemaNode | undefined, keeps: boolean): void {
    if (typeof value !== "object" || value === null) return;
    const keepsHere = keeps || node?.preservesUnknown === true;
    if (keepsHere && node === undefined) return;
    this.#path.push(part);
    if (isObject(value)) this.fields(value, node, node?.isEmbedded === true, keepsHere);
    else for (const [i, item] of value.entries()) this.#inside(i, item, node?.items, keepsHere);
    this.#path.pop();
  }
}

/** `spec.list[0].x`. */
export function printPath(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}
