/** `x-kubernetes-embedded-resource`: a whole object inside another must have a kind and sound metadata (apiextensions `objectmeta`). */
import type { Json, JsonObject } from "#std/json.ts";
import { isObject, own } from "#std/json.ts";
import type { FieldError } from "./field.ts";
import { FieldPath, invalid, required } from "./field.ts";
import type { ObjectMeta } from "./meta.ts";
import { parseApiVersion } from "./meta.ts";
import { label1035Name, pathSegmentName } from "./names.ts";
import type { SchemaNode } from "./node.ts";
import { Below } from "./node.ts";
import { validateMetaForCreate } from "./object-meta.ts";

/** Judges every embedded resource below the root. */
export function validateEmbedded(object: JsonObject, node: SchemaNode): FieldError[] {
  const errors: FieldError[] = [];
  walk(object, node, FieldPath.root, errors);
  return errors;
}

function walk(value: Json, node: SchemaNode, path: FieldPath, errors: FieldError[]): void {
  if ((node.below & Below.embedded) === 0) return;
  if (isObject(value)) {
    if (node.isEmbedded) checkResource(value, path, errors);
    for (const key of Object.keys(value)) {
      const property = node.properties.get(key);
      if (property !== undefined) walk(value[key]!, property, path.child(key), errors);
      else if (node.additional !== undefined) walk(value[key]!, node.additional, path.key(key), errors);
    }
  } else if (Array.isArray(value) && node.items !== undefined) {
    for (const [i, item] of value.entries()) walk(item, node.items, path.index(i), errors);
  }
}

function checkResource(resource: JsonObject, path: FieldPath, errors: FieldError[]): void {
  checkApiVersion(own(resource, "apiVersion"), path.child("apiVersion"), errors);
  checkKind(own(resource, "kind"), path.child("kind"), errors);
  const metadata = own(resource, "metadata");
  if (!isObject(metadata)) return;
  // A template's resource need not be named yet.
  const meta = { ...metadata, name: metadata["name"] ?? "fakename" } as ObjectMeta;
  const rules = {
    namespaced: (meta.namespace ?? "") !== "",
    custom: true,
    strategy: { hasGeneration: true, nameMessage: pathSegmentName },
  };
  errors.push(...validateMetaForCreate(meta, rules, path.child("metadata")));
}

function checkApiVersion(value: Json | undefined, path: FieldPath, errors: FieldError[]): void {
  if (value === undefined) errors.push(required(path));
  else if (typeof value !== "string") errors.push(invalid(path, value, "must be a string"));
  else if (value === "") errors.push(invalid(path, value, "must not be empty"));
  else if (parseApiVersion(value) === undefined) errors.push(invalid(path, value, `unexpected GroupVersion string: ${value}`));
}

function checkKind(value: Json | undefined, path: FieldPath, errors: FieldError[]): void {
  if (value === undefined) {
    errors.push(required(path));
  } else if (typeof value !== "string") {
    errors.push(invalid(path, value, "must be a string"));
  } else if (value === "") {
    errors.push(invalid(path, value, "must not be empty"));
  } else {
    const problems = label1035Name(value.toLowerCase());
    if (problems.length > 0) {
      errors.push(invalid(path, value, `may have mixed case, but should otherwise match: ${problems.join(",")}`));
    }
  }
}
