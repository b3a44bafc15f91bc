/**
 * JSON Patch (RFC 6902) with the habits of Kubernetes' patch library: negative indexes count from the end, `test` of an
 * absent member equals null, and whatever does not apply is one and the same 422.
 */
import { clone, equal, isObject, own, put } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import type { Fault } from "#std/fault.ts";
import { DEFAULT_LIMITS } from "#schema/strict.ts";
import { badRequest, statusFault } from "../status.ts";

export type JsonPatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: Json }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "move" | "copy"; readonly path: string; readonly from: string };

/** As Kubernetes: more operations in one patch are refused with 413. */
const MAX_OPERATIONS = 10_000;
/** Characters of JSON that the `copy` operations of one patch may add (Kubernetes: 3 MiB). */
const MAX_COPIED = 3 * 1024 * 1024;
/** Array elements that inserts and removals may shift in one patch; bounds the time a hostile patch can take. */
const MAX_SHIFTED = 50_000_000;
/** A patched document may nest no deeper than one that comes from the network. */
const MAX_DEPTH = DEFAULT_LIMITS.maxDepth;

const OPERATIONS = new Set(["add", "replace", "test", "remove", "move", "copy"]);
const MEMBERS = new Set(["op", "path", "from", "value"]);

/** Checks a parsed patch document. Throws 400, and 413 for too many operations. */
export function decodeJsonPatch(patch: Json): JsonPatchOperation[] {
  if (patch === null) return [];
  if (!Array.isArray(patch))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${typeName(patch)} into Go value of type []handlers.jsonPatchOp`,
    );
  if (patch.length > MAX_OPERATIONS) {
    throw statusFault(
      "RequestEntityTooLarge",
      `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    );
  }
  return patch.map((entry) => {
    if (isObject(entry)) return decodeOperation(entry);
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${typeName(entry)} into Go value of type handlers.jsonPatchOp`,
    );
  });
}

/** Members that RFC 6902 does not define (`[0].bogus`), which Kubernetes reports under field validation. */
export function unknownPatchFields(patch: Json): string[] {
  if (!Array.isArray(patch)) return [];
  return patch.flatMap((entry, i) =>
    (isObject(entry) ? Object.keys(entry) : []).filter((member) => !MEMBERS.has(member)).map((member) => `[${i}].${member}`),
  );
}

function decodeOperation(entry: JsonObject): JsonPatchOperation {
  for (const member of ["op", "path", "from"]) {
    const value = own(entry, member) ?? "";
    if (typeof value !== "string") {
      throw badRequest(
        `error decoding patch: json: cannot unmarshal ${typeName(value)} into Go struct field jsonPatchOp.${member} of type string`,
      );
    }
  }
  const refuse = (why: string): Fault => badRequest(`invalid operation ${sortedJson(entry)}: ${why}`);
  const op = own(entry, "op") as JsonPatchOperation["op"];
  if (!OPERATIONS.has(op)) throw refuse("unsupported operation");
  const value = own(entry, "value");
  if ((op === "add" || op === "replace") && value === undefined)
    throw refuse("failed to decode 'value': operation, missing value field: missing value");
  const from = own(entry, "from") as string | null | undefined;
  if ((op === "move" || op === "copy") && typeof from !== "string")
    throw refuse("failed to decode 'from': operation, missing from field: missing value");
  const path = own(entry, "path") as string | null | undefined;
  if (typeof path !== "string") throw refuse("failed to decode 'path': operation missing path field: missing value");
  if (op === "move" || op === "copy") return { op, path, from: from! };
  if (op === "remove") return { op, path };
  return { op, path, value: value ?? null };
}

/** Applies the operations to `document`, which is changed in place, and returns the result. Throws one 422 for whatever does not apply. */
export function applyJsonPatch(document: Json, operations: readonly JsonPatchOperation[]): Json {
  return new Application(document).run(operations);
}

class Application {
  #document: Json;
  #copied = 0;
  #shifted = 0;

  constructor(document: Json) {
    this.#document = document;
  }

  run(operations: readonly JsonPatchOperation[]): Json {
    for (const operation of operations) this.#apply(operation);
    if (isDeeper(this.#document, MAX_DEPTH)) throw rejected();
    return this.#document;
  }

  #apply(operation: JsonPatchOperation): void {
    switch (operation.op) {
      case "add":
        return this.#add(operation.path, clone(operation.value));
      case "replace":
        return this.#replace(operation.path, clone(operation.value));
      case "remove":
        this.#remove(operation.path);
        return;
      case "move":
        return this.#add(operation.path, this.#remove(operation.from));
      case "copy":
        return this.#add(operation.path, this.#copyOf(this.#get(operation.from)));
      case "test":
        if (!equal(this.#find(operation.path) ?? null, operation.value)) throw rejected();
    }
  }

  #add(path: string, value: Json): void {
    const { parent, key } = this.#locate(path);
    if (!Array.isArray(parent)) return put(parent, key, value);
    const index = key === "-" ? parent.length : indexOf(key, parent.length + 1);
    this.#shift(parent.length - index);
    parent.splice(index, 0, value);
  }

  #replace(path: string, value: Json): void {
    if (path === "") {
      if (typeof value !== "object" || value === null) throw rejected();
      this.#document = value;
      return;
    }
    const { parent, key } = this.#locate(path);
    if (Array.isArray(parent)) parent[indexOf(key, parent.length)] = value;
    else if (Object.hasOwn(parent, key)) put(parent, key, value);
    else throw rejected();
  }

  #remove(path: string): Json {
    const { parent, key } = this.#locate(path);
    if (Array.isArray(parent)) {
      const index = indexOf(key, parent.length);
      this.#shift(parent.length - index);
      return parent.splice(index, 1)[0]!;
    }
    const value = own(parent, key);
    if (value === undefined) throw rejected();
    delete parent[key];
    return value;
  }

  #get(path: string): Json {
    const value = this.#find(path);
    if (value === undefined || path === "") throw rejected();
    return value;
  }

  /** The value at `path`, undefined when only its last member is absent. */
  #find(path: string): Json | undefined {
    if (path === "") return this.#document;
    const { parent, key } = this.#locate(path);
    return Array.isArray(parent) ? parent[indexOf(key, parent.length)] : own(parent, key);
  }

  #locate(path: string): { parent: JsonObject | Json[]; key: string } {
    const tokens = path.split("/");
    if (tokens.length < 2 || tokens[0] !== "") throw rejected();
    let parent: Json | undefined = this.#document;
    for (let i = 1; i < tokens.length; i++) {
      if (typeof parent !== "object" || parent === null) throw rejected();
      const key = tokens[i]!.replaceAll("~1", "/").replaceAll("~0", "~");
      if (i === tokens.length - 1) return { parent, key };
      parent = Array.isArray(parent) ? parent[indexOf(key, parent.length)] : own(parent, key);
    }
    throw rejected();
  }

  #copyOf(value: Json): Json {
    if (isDeeper(value, MAX_DEPTH)) throw rejected();
    const text = JSON.stringify(value);
    this.#copied += text.length;
    if (this.#copied > MAX_COPIED) throw rejected();
    return JSON.parse(text) as Json;
  }

  #shift(elements: number): void {
    this.#shifted += elements;
    if (this.#shifted > MAX_SHIFTED) throw rejected();
  }
}

/** An array index below `end`; negative ones count back from it. */
function indexOf(key: string, end: number): number {
  if (!/^[+-]?[0-9]{1,15}$/.test(key)) throw rejected();
  const index = Number(key);
  if (index >= end || index < -end) throw rejected();
  return index < 0 ? index + end : index;
}

/** True when a value nests more than `limit` containers; keeps its own stack, so that no depth can overflow ours. */
function isDeeper(value: Json, limit: number): boolean {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    const below: Json[] = [];
    for (const item of level) {
      if (typeof item !== "object" || item === null) continue;
      for (const child of Array.isArray(item) ? item : Object.values(item))
        if (typeof child === "object" && child !== null) below.push(child);
    }
    level = below;
  }
  return false;
}

/** 422 without a reason in the text: Kubernetes does not tell which operation failed. */
export function rejected(): Fault {
  return statusFault("Invalid", "the server rejected our request due to an error in our request", {});
}

/** The JSON type as Go's decoder names it. */
function typeName(value: Json): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return value === null ? "null" : typeof value;
}

function sortedJson(entry: JsonObject): string {
  const members = Object.keys(entry).sort();
  return `{${members.map((member) => `${JSON.stringify(member)}:${JSON.stringify(own(entry, member))}`).join(",")}}`;
}
