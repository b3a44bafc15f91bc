/**
 * `$patch: delete` in a strategic patch: in a mapping it deletes what that mapping stands for, also a scalar; in an item of a list it deletes the item which is told
 * by the first other key beside it; in a document, the document. What is not there needs no deletion.
 */
import { isObject, own, put } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { refusal } from "../fault.ts";

const DIRECTIVE = "$patch";

/** The way to what is deleted, and the item of the list there when it is one. */
export interface Deletion {
  readonly path: readonly string[];
  readonly item?: { readonly key: string; readonly value: Json };
}

export interface Parted {
  /** The patch without what deletes; undefined when nothing is left of it. */
  readonly rest: JsonObject | undefined;
  readonly deletions: readonly Deletion[];
  /** The document itself is to be deleted. */
  readonly isWhole: boolean;
}

/** Throws Fault `talos.patch` for another directive than `delete`, and for one in a place where it can delete nothing. */
export function partDeletions(patch: JsonObject): Parted {
  if (hasDirective(patch, [])) return { rest: undefined, deletions: [], isWhole: true };
  const deletions: Deletion[] = [];
  const rest = partMap(patch, [], deletions);
  return { rest, deletions, isWhole: false };
}

function hasDirective(map: JsonObject, path: readonly string[]): boolean {
  const directive = own(map, DIRECTIVE);
  if (directive === undefined) return false;
  if (directive === "delete") return true;
  throw refusal("talos.patch", `${path.join(".")}: $patch can only be delete`);
}

function partMap(map: JsonObject, path: readonly string[], deletions: Deletion[]): JsonObject {
  const rest: JsonObject = {};
  for (const [key, value] of Object.entries(map)) {
    const here = [...path, key];
    if (Array.isArray(value)) {
      const items = partList(value, here, deletions);
      if (items.length > 0 || value.length === 0) put(rest, key, items);
    } else if (!isObject(value)) put(rest, key, value);
    else if (hasDirective(value, here)) deletions.push({ path: here });
    else {
      const inner = partMap(value, here, deletions);
      // A mapping that was there only to lead to a deletion adds nothing.
      if (Object.keys(inner).length > 0 || Object.keys(value).length === 0) put(rest, key, inner);
    }
  }
  return rest;
}

function partList(list: Json[], path: readonly string[], deletions: Deletion[]): Json[] {
  return list.filter((item) => {
    if (!isObject(item)) return true;
    if (!hasDirective(item, path)) {
      refuseBelow(item, path);
      return true;
    }
    const key = Object.keys(item).find((name) => name !== DIRECTIVE);
    if (key === undefined) throw refusal("talos.patch", `${path.join(".")}: $patch: delete beside no key that tells which item`);
    deletions.push({ path, item: { key, value: item[key]! } });
    return false;
  });
}

function refuseBelow(value: Json, path: readonly string[]): void {
  if (typeof value !== "object" || value === null) return;
  for (const child of Object.values(value)) {
    if (isObject(child) && own(child, DIRECTIVE) !== undefined)
      throw refusal("talos.patch", `${path.join(".")}: $patch below an item of a list`);
    refuseBelow(child, path);
  }
}

/** The document without what is deleted; shares what is unchanged. */
export function applyDeletions(document: JsonObject, deletions: readonly Deletion[]): JsonObject {
  return deletions.reduce<JsonObject>((value, deletion) => without(value, deletion.path, deletion), document);
}

function without(map: JsonObject, path: readonly string[], deletion: Deletion): JsonObject {
  const [key, ...others] = path;
  const value = key === undefined ? undefined : own(map, key);
  if (key === undefined || value === undefined) return map;
  if (others.length > 0) return isObject(value) ? withMember(map, key, without(value, others, deletion)) : map;
  const { item } = deletion;
  if (item === undefined) return withMember(map, key, undefined);
  if (!Array.isArray(value)) return map;
  const at = value.findIndex((candidate) => isObject(candidate) && isSameScalar(own(candidate, item.key), item.value));
  return at < 0 ? map : withMember(map, key, value.toSpliced(at, 1));
}

function isSameScalar(a: Json | undefined, b: Json): boolean {
  return a !== undefined && typeof a !== "object" && typeof b !== "object" && String(a) === String(b);
}

/** The same keys in the same order. */
function withMember(map: JsonObject, key: string, value: Json | undefined): JsonObject {
  const copy: JsonObject = {};
  for (const [name, present] of Object.entries(map)) {
    if (name !== key) put(copy, name, present);
    else if (value !== undefined) put(copy, name, value);
  }
  return copy;
}
