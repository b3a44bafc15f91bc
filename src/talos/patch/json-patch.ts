/** JSON patches (RFC 6902) of a configuration's document, as Talos' library applies them: negative indexes count from the end. */
import { clone, equal, isObject, own, put } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import type { Fault } from "#std/fault.ts";
import { refusal } from "../fault.ts";

export type Operation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: Json }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "move" | "copy"; readonly path: string; readonly from: string };

const MOST_OPERATIONS = 10_000;
/** Characters of JSON that copies may add, and elements that insertions may shift: a patch's time and memory are bounded. */
const MOST_COPIED = 1024 * 1024;
const MOST_SHIFTED = 10_000_000;
/** As deep as a configuration may nest. */
const MAX_DEPTH = 100;

const OPERATIONS = new Set(["add", "replace", "test", "remove", "move", "copy"]);

/** Checks operations that come from a resource or a file. Throws Fault `talos.patch`, which names operation and path, never a value. */
export function readOperations(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) throw refusal("talos.patch", "a JSON patch is a list of operations");
  if (patch.length > MOST_OPERATIONS) throw refusal("talos.patch", `more than ${MOST_OPERATIONS} operations`);
  return patch.map((entry: unknown, i) => readOperation(entry, i));
}

function readOperation(entry: unknown, i: number): Operation {
  const refuse = (why: string): Fault => refusal("talos.patch", `operation ${i + 1}: ${why}`);
  if (!isObject(entry)) throw refuse("no mapping");
  const op = own(entry, "op");
  if (typeof op !== "string" || !OPERATIONS.has(op)) throw refuse("op is none of add, remove, replace, move, copy, test");
  const path = own(entry, "path");
  if (typeof path !== "string") throw refuse(`${op} without path`);
  if (op === "remove") return { op, path };
  if (op === "move" || op === "copy") {
    const from = own(entry, "from");
    if (typeof from !== "string") throw refuse(`${op} ${shown(path)} without from`);
    return { op, path, from };
  }
  const value = own(entry, "value");
  if (value === undefined && op !== "test") throw refuse(`${op} ${shown(path)} without value`);
  return { op: op as "add" | "replace" | "test", path, value: value ?? null };
}

/** The document with the operations applied; `document` itself is left alone. Throws Fault `talos.patch` for one that does not apply. */
export function applyOperations(document: JsonObject, operations: readonly Operation[]): JsonObject {
  const application = new Application(clone(document));
  for (const [i, operation] of operations.entries()) {
    try {
      application.apply(operation);
    } catch (error) {
      if (!(error instanceof Miss)) throw error;
      throw refusal("talos.patch", `operation ${i + 1} (${operation.op} ${shown(operation.path)}): ${error.message}`);
    }
  }
  const { document: result } = application;
  if (!isObject(result)) throw refusal("talos.patch", "the patched document is no mapping");
  return result;
}

function shown(path: string): string {
  return path.length <= 200 ? path : `${path.slice(0, 200)}…`;
}

/** Why an operation does not apply, without its name. */
class Miss extends Error {}

class Application {
  document: Json;
  #copied = 0;
  #shifted = 0;

  constructor(document: Json) {
    this.document = document;
  }

  apply(operation: Operation): void {
    switch (operation.op) {
      case "add":
        return this.#add(operation.path, clone(operation.value));
      case "replace":
        return this.#replace(operation.path, clone(operation.value));
      case "remove":
        this.#remove(operation.path);
        return;
      case "move":
        if (operation.path.startsWith(`${operation.from}/`)) throw new Miss("a value cannot move into itself");
        return this.#add(operation.path, this.#remove(operation.from));
      case "copy":
        return this.#add(operation.path, this.#copyOf(operation.from));
      case "test":
        if (!equal(this.#find(operation.path) ?? null, operation.value)) throw new Miss("the value is another");
    }
  }

  #add(path: string, value: Json): void {
    if (path === "") {
      this.document = value;
      return;
    }
    const { parent, key } = this.#locate(path);
    if (!Array.isArray(parent)) return put(parent, key, value);
    const index = key === "-" ? parent.length : indexOf(key, parent.length + 1);
    this.#shift(parent.length - index);
    parent.splice(index, 0, value);
  }

  #replace(path: string, value: Json): void {
    if (path === "") {
      this.document = value;
      return;
    }
    const { parent, key } = this.#locate(path);
    if (Array.isArray(parent)) parent[indexOf(key, parent.length)] = value;
    else if (Object.hasOwn(parent, key)) put(parent, key, value);
    else throw new Miss("there is nothing to replace");
  }

  #remove(path: string): Json {
    if (path === "") throw new Miss("the whole document cannot be removed");
    const { parent, key } = this.#locate(path);
    if (Array.isArray(parent)) {
      const index = indexOf(key, parent.length);
      this.#shift(parent.length - index);
      return parent.splice(index, 1)[0]!;
    }
    const value = own(parent, key);
    if (value === undefined) throw new Miss("there is nothing to remove");
    delete parent[key];
    return value;
  }

  #copyOf(from: string): Json {
    const value = this.#find(from);
    if (value === undefined) throw new Miss("there is nothing at from");
    const text = JSON.stringify(value);
    this.#copied += text.length;
    if (this.#copied > MOST_COPIED) throw new Miss("the patch copies too much");
    return clone(value);
  }

  /** Undefined when only the last member of the path is absent. */
  #find(path: string): Json | undefined {
    if (path === "") return this.document;
    const { parent, key } = this.#locate(path);
    return Array.isArray(parent) ? parent[indexOf(key, parent.length)] : own(parent, key);
  }

  #locate(path: string): { parent: JsonObject | Json[]; key: string } {
    const tokens = path.split("/");
    if (tokens[0] !== "") throw new Miss("a path starts with a slash");
    if (tokens.length > MAX_DEPTH) throw new Miss("the path is too deep");
    let parent: Json | undefined = this.document;
    for (let i = 1; i < tokens.length; i++) {
      if (typeof parent !== "object" || parent === null) throw new Miss(`there is no ${shown(tokens.slice(0, i).join("/"))}`);
      const key = tokens[i]!.replaceAll("~1", "/").replaceAll("~0", "~");
      if (i === tokens.length - 1) return { parent, key };
      parent = Array.isArray(parent) ? parent[indexOf(key, parent.length)] : own(parent, key);
    }
    throw new Miss("the path is empty");
  }

  #shift(elements: number): void {
    this.#shifted += elements;
    if (this.#shifted > MOST_SHIFTED) throw new Miss("the patch moves too many elements");
  }
}

/** An array index below `end`; negative ones count back from it. */
function indexOf(key: string, end: number): number {
  if (!/^-?[0-9]{1,9}$/.test(key)) throw new Miss("the index of a list is a number");
  const index = Number(key);
  if (index >= end || index < -end) throw new Miss("the list has no such index");
  return index < 0 ? index + end : index;
}
