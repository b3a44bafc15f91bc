/**
 * Keywords of a CRD's schema one by one: what Kubernetes' OpenAPI dialect does not support, what excludes what, and the list and
 * map types (apiextensions-apiserver `ValidateCustomResourceDefinitionOpenAPISchema`, with its messages).
 */
import { isObject } from "#std/json.ts";
import type { FieldError, FieldPath } from "./field.ts";
import { forbidden, invalid, notSupported, required } from "./field.ts";
import type { Schema } from "./structural.ts";

/** Keywords JSON Schema has and a structural schema must not have. */
const UNSUPPORTED = ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] as const;
type AnySchema = Schema & { readonly [K in (typeof UNSUPPORTED)[number]]?: unknown };

const TYPES = ["array", "boolean", "integer", "number", "object", "string"];
const REASONS = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

interface Surroundings {
  readonly isRoot: boolean;
  /** Why no default may stand here. */
  readonly noDefault: string | undefined;
  readonly isInMetadata: boolean;
}

export function checkKeywords(schema: Schema, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  walk(schema, path, { isRoot: true, noDefault: undefined, isInMetadata: false }, errors);
  return errors;
}

/** True when a keyword, here or below, has no structural meaning at all: such a schema is not judged any further. */
export function hasForeignKeywords(schema: AnySchema): boolean {
  if (UNSUPPORTED.some((keyword) => schema[keyword] !== undefined) || Array.isArray(schema.items)) return true;
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) return true;
  const { additionalProperties, items, not } = schema;
  const parts = [
    ...Object.values(schema.properties ?? {}),
    ...(schema.allOf ?? []),
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
  ];
  if (typeof additionalProperties === "object") parts.push(additionalProperties);
  if (items !== undefined) parts.push(items);
  if (not !== undefined) parts.push(not);
  return parts.some(hasForeignKeywords);
}

function walk(schema: AnySchema, path: FieldPath, around: Surroundings, errors: FieldError[]): void {
  checkSupport(schema, path, around, errors);
  checkMapType(schema, path, errors);
  checkListType(schema, path, errors);
  checkRules(schema, path, errors);
  const inside: Surroundings = { ...around, isRoot: false };
  walkProperties(schema, path, around, errors);
  if (schema.not !== undefined) walk(schema.not, path.child("not"), inside, errors);
  for (const keyword of ["allOf", "oneOf", "anyOf"] as const) {
    for (const [i, option] of (schema[keyword] ?? []).entries()) walk(option, path.child(keyword).index(i), inside, errors);
  }
  if (isObject(schema.items)) walk(schema.items, path.child("items"), inside, errors);
}

function walkProperties(schema: AnySchema, path: FieldPath, around: Surroundings, errors: FieldError[]): void {
  const { additionalProperties, properties = {} } = schema;
  const names = Object.keys(properties);
  if (additionalProperties !== undefined) {
    const at = path.child("additionalProperties");
    if (names.length > 0 && additionalProperties !== true) {
      errors.push(forbidden(at, "additionalProperties and properties are mutual exclusive"));
    }
    const noDefault = around.isInMetadata ? "inside additionalProperties applying to object metadata" : around.noDefault;
    if (typeof additionalProperties === "object") walk(additionalProperties, at, { ...around, isRoot: false, noDefault }, errors);
  }
  for (const name of names) {
    const isMeta =
      (around.isRoot || schema["x-kubernetes-embedded-resource"] === true) &&
      (name === "metadata" || name === "kind" || name === "apiVersion");
    const noDefault = isMeta && around.isRoot ? `in top-level ${name}` : around.noDefault;
    const inside = { isRoot: false, noDefault, isInMetadata: around.isInMetadata || isMeta };
    walk(properties[name]!, path.child("properties").key(name), inside, errors);
  }
}

function checkSupport(schema: AnySchema, path: FieldPath, around: Surroundings, errors: FieldError[]): void {
  const { type } = schema as { type?: string };
  if (type !== undefined && type !== "" && !TYPES.includes(type)) errors.push(notSupported(path.child("type"), type, TYPES));
  if (schema.default !== undefined && around.noDefault !== undefined) {
    errors.push(forbidden(path.child("default"), `must not be set ${around.noDefault}`));
  }
  for (const keyword of UNSUPPORTED) {
    if (schema[keyword] !== undefined) errors.push(forbidden(path.child(keyword), `${keyword} is not supported`));
  }
  if (type === "null") {
    errors.push(forbidden(path.child("type"), "type cannot be set to null, use nullable as an alternative"));
  }
  if (Array.isArray(schema.items)) {
    errors.push(forbidden(path.child("items"), "items must be a schema object and not an array"));
  }
  if (around.isInMetadata && schema["x-kubernetes-embedded-resource"] === true) {
    errors.push(forbidden(path.child("x-kubernetes-embedded-resource"), "must not be used inside of resource meta"));
  }
  if (schema.uniqueItems === true) {
    const detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    errors.push(forbidden(path.child("uniqueItems"), detail));
  }
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    errors.push(invalid(path.child("x-kubernetes-preserve-unknown-fields"), false, "must be true or undefined"));
  }
}

function checkMapType(schema: Schema, path: FieldPath, errors: FieldError[]): void {
  const mapType = schema["x-kubernetes-map-type"];
  if (mapType === undefined) return;
  checkCarrier(schema.type, "object", "x-kubernetes-map-type", path, errors);
  if (mapType !== "atomic" && mapType !== "granular") {
    errors.push(notSupported(path.child("x-kubernetes-map-type"), mapType, ["atomic", "granular"]));
  }
}

/** The type that a keyword belongs to. */
function checkCarrier(
  type: string | undefined,
  expected: string,
  keyword: string,
  path: FieldPath,
  errors: FieldError[],
): boolean {
  if (type === expected) return true;
  const detail = `must be ${expected} if ${keyword} is specified`;
  errors.push(
    type === undefined || type === "" ? required(path.child("type"), detail) : invalid(path.child("type"), type, detail),
  );
  return false;
}

function checkListType(schema: Schema, path: FieldPath, errors: FieldError[]): void {
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const at = path.child("x-kubernetes-list-type");
  if (listType !== undefined) {
    const isArray = checkCarrier(schema.type, "array", "x-kubernetes-list-type", path, errors);
    if (isArray && listType === "set" && schema.items !== undefined) checkSetItems(schema.items, path.child("items"), errors);
    if (listType !== "atomic" && listType !== "set" && listType !== "map") {
      errors.push(notSupported(at, listType, ["atomic", "set", "map"]));
    }
  }
  if (keys.length > 0 && listType !== "map") {
    const detail = "must be map if x-kubernetes-list-map-keys is non-empty";
    errors.push(listType === undefined ? required(at, detail) : invalid(at, listType, detail));
  }
  if (listType === "map") checkMapList(schema, keys, path, errors);
  const isNullable = schema.items?.nullable === true;
  if ((listType === "set" || listType === "map") && isNullable) {
    const detail = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
    errors.push(forbidden(path.child("items").child("nullable"), detail));
  }
}

/** Items of a set are compared as wholes, so they must be merged as wholes too. */
function checkSetItems(items: Schema, path: FieldPath, errors: FieldError[]): void {
  const detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const listType = items["x-kubernetes-list-type"];
  if (items.type === "array" && listType !== undefined && listType !== "atomic") {
    errors.push(invalid(path.child("x-kubernetes-list-type"), listType, detail));
  }
  if (items.type === "object" && items["x-kubernetes-map-type"] !== "atomic") {
    errors.push(invalid(path.child("x-kubernetes-map-type"), listType ?? null, detail));
  }
}

function checkMapList(schema: Schema, keys: readonly string[], path: FieldPath, errors: FieldError[]): void {
  const keysAt = path.child("x-kubernetes-list-map-keys");
  const itemsAt = path.child("items");
  const { items } = schema;
  if (keys.length === 0) errors.push(required(keysAt, "must not be empty if x-kubernetes-list-type is map"));
  if (items === undefined) {
    errors.push(required(itemsAt, "must have a schema if x-kubernetes-list-type is map"));
    return;
  }
  if (items.type !== "object") {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalid(itemsAt.child("type"), items.type ?? "", detail));
    return;
  }
  for (const [i, key] of keys.entries()) {
    const property = items.properties !== undefined && Object.hasOwn(items.properties, key) ? items.properties[key] : undefined;
    if (property === undefined) errors.push(invalid(keysAt, keys, "entries must all be names of item properties"));
    else checkListKey(key, property, items, itemsAt.child("properties").key(key), errors);
    if (keys.indexOf(key) < i) errors.push(invalid(keysAt, keys, "must not contain duplicate entries"));
  }
}

function checkListKey(key: string, property: Schema, items: Schema, path: FieldPath, errors: FieldError[]): void {
  if (property.type === "array" || property.type === "object") {
    const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
    errors.push(invalid(path.child("type"), items.type, detail));
  }
  const reason = "this property is in x-kubernetes-list-map-keys, so it";
  if (items.required?.includes(key) !== true && property.default === undefined) {
    errors.push(required(path.child("default"), `${reason} must have a default or be a required property`));
  }
  if (property.nullable === true) errors.push(forbidden(path.child("nullable"), `${reason} cannot be nullable`));
}

/** The form of CEL rules; whether they compile is for the CEL evaluator to say. */
function checkRules(schema: Schema, path: FieldPath, errors: FieldError[]): void {
  for (const [i, { rule = "", message = "", messageExpression = "", reason }] of (
    schema["x-kubernetes-validations"] ?? []
  ).entries()) {
    const at = path.child("x-kubernetes-validations").index(i);
    const spoken = message.trim();
    const hasBreak = /[\n\r]/;
    if (rule.trim() === "") errors.push(required(at.child("rule"), "rule is not specified"));
    else if (message !== "" && spoken === "")
      errors.push(invalid(at.child("message"), message, "must be non-empty if specified"));
    else if (hasBreak.test(spoken)) errors.push(invalid(at.child("message"), message, "must not contain line breaks"));
    else if (hasBreak.test(rule.trim()) && spoken === "") {
      errors.push(required(at.child("message"), "message must be specified if rule contains line breaks"));
    }
    if (messageExpression !== "" && messageExpression.trim() === "") {
      errors.push(required(at.child("messageExpression"), "messageExpression must be non-empty if specified"));
    }
    if (reason !== undefined && !REASONS.includes(reason)) errors.push(notSupported(at.child("reason"), reason, REASONS));
  }
}
