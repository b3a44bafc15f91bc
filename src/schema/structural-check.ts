/**
 * What a CustomResourceDefinition's schema must be: structural (every value's shape said once, outside allOf, anyOf, oneOf and
 * not), free of what Kubernetes does not support, and with defaults that are valid themselves. Rules and messages are those of
 * apiextensions-apiserver (`schema/validation.go`, `defaulting/validation.go`, `apis/apiextensions/validation`). CEL rules are
 * checked for form only.
 */
import type { Json, JsonObject } from "#std/json.ts";
import { clone, equal } from "#std/json.ts";
import type { FieldError, FieldPath } from "./field.ts";
import { forbidden, invalid, printFieldError, required } from "./field.ts";
import { checkKeywords, hasForeignKeywords } from "./keyword-check.ts";
import { prune } from "./prune.ts";
import { patternProblem } from "./regexp/matcher.ts";
import type { Schema } from "./structural.ts";
import { validate } from "./validate.ts";

/** Where a schema stands: rules differ for the whole object, items and fields. */
type Level = "root" | "item" | "field";

export interface StructuralOptions {
  /** The version has the status subresource: `status` must be judgeable by itself, so little is allowed at the root. */
  readonly hasStatus?: boolean;
}

/** Everything wrong with a schema, [] when it may be served. Linear in the schema's size. */
export function checkStructural(schema: Schema, path: FieldPath, options: StructuralOptions = {}): FieldError[] {
  const errors: FieldError[] = options.hasStatus === true ? checkRoot(schema, path) : [];
  if (schema.nullable === true) errors.push(forbidden(path.child("nullable"), "nullable cannot be true at the root"));
  if (!hasForeignKeywords(schema)) {
    const structural = structuralErrors(schema, path);
    errors.push(...(structural.length > 0 ? structural : checkDefaults(schema, path)));
  }
  return [...errors, ...checkKeywords(schema, path)];
}

const ALLOWED_AT_ROOT: Readonly<Record<string, string>> = {
  description: "Description",
  type: "Type",
  format: "Format",
  title: "Title",
  maximum: "Maximum",
  exclusiveMaximum: "ExclusiveMaximum",
  minimum: "Minimum",
  exclusiveMinimum: "ExclusiveMinimum",
  maxLength: "MaxLength",
  minLength: "MinLength",
  pattern: "Pattern",
  maxItems: "MaxItems",
  minItems: "MinItems",
  uniqueItems: "UniqueItems",
  multipleOf: "MultipleOf",
  required: "Required",
  items: "Items",
  properties: "Properties",
  externalDocs: "ExternalDocs",
  example: "Example",
  "x-kubernetes-preserve-unknown-fields": "XPreserveUnknownFields",
  "x-kubernetes-validations": "XValidations",
};

function checkRoot(schema: Schema, path: FieldPath): FieldError[] {
  const condition = "root of the schema if the status subresource is enabled";
  if (schema.type !== undefined && schema.type !== "object") {
    return [invalid(path.child("type"), schema.type, `only "object" is allowed as the type at the ${condition}`)];
  }
  const stranger = Object.keys(schema).find((key) => !Object.hasOwn(ALLOWED_AT_ROOT, key));
  if (stranger === undefined || stranger === "nullable") return [];
  const allowed = Object.values(ALLOWED_AT_ROOT).join(" ");
  return [invalid(path, schema, `only [${allowed}] fields are allowed at the ${condition}`)];
}

function structuralErrors(schema: Schema, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  checkInvariants(schema, "root", path, errors);
  checkCompleteness(schema, path, errors);
  return errors.toSorted((a, b) => (printFieldError(a) < printFieldError(b) ? -1 : 1));
}

function checkInvariants(schema: Schema, level: Level, path: FieldPath, errors: FieldError[]): void {
  if (schema.type === "array" && schema.items === undefined) errors.push(required(path.child("items"), "must be specified"));
  if (schema.items !== undefined) checkInvariants(schema.items, "item", path.child("items"), errors);
  const properties = schema.properties ?? {};
  for (const name of Object.keys(properties)) {
    checkInvariants(properties[name]!, "field", path.child("properties").key(name), errors);
  }
  const { additionalProperties } = schema;
  if (additionalProperties !== undefined) {
    const at = path.child("additionalProperties");
    if (level === "root") errors.push(forbidden(at, "must not be used at the root"));
    if (typeof additionalProperties === "object") checkInvariants(additionalProperties, "field", at, errors);
  }
  checkExtensions(schema, path, errors);
  checkValueRules(schema, intOrStringPattern(schema), path, errors);
  checkType(schema, level, path, errors);
  if (level === "root" || schema["x-kubernetes-embedded-resource"] === true) checkTypeMeta(properties, path, errors);
  if (Object.hasOwn(properties, "metadata")) checkMetadata(properties["metadata"]!, schema, level, path, errors);
}

function checkExtensions(schema: Schema, path: FieldPath, errors: FieldError[]): void {
  const preserves = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  if (schema["x-kubernetes-int-or-string"] === true) {
    const detail = "must be false if x-kubernetes-int-or-string is true";
    if (preserves) errors.push(invalid(path.child("x-kubernetes-preserve-unknown-fields"), true, detail));
    if (isEmbedded) errors.push(invalid(path.child("x-kubernetes-embedded-resource"), true, detail));
  }
  if (!isEmbedded) return;
  if (schema.additionalProperties !== undefined) {
    errors.push(forbidden(path.child("additionalProperties"), "must not be used if x-kubernetes-embedded-resource is set"));
  }
  if (!preserves && Object.keys(schema.properties ?? {}).length === 0) {
    const detail = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    errors.push(required(path.child("properties"), detail));
  }
}

function checkType(schema: Schema, level: Level, path: FieldPath, errors: FieldError[]): void {
  const { type = "" } = schema as { type?: string };
  const at = path.child("type");
  if (schema["x-kubernetes-embedded-resource"] === true && type !== "object") {
    const detail = "must be object if x-kubernetes-embedded-resource is true";
    errors.push(type === "" ? required(at, detail) : invalid(at, type, detail));
  } else if (
    type === "" &&
    schema["x-kubernetes-int-or-string"] !== true &&
    schema["x-kubernetes-preserve-unknown-fields"] !== true
  ) {
    const where = { root: "at the root", item: "for specified array items", field: "for specified object fields" }[level];
    errors.push(required(at, `must not be empty ${where}`));
  }
  if (level === "root" && type !== "" && type !== "object") errors.push(invalid(at, type, "must be object at the root"));
}

function checkTypeMeta(properties: Record<string, Schema>, path: FieldPath, errors: FieldError[]): void {
  for (const name of ["kind", "apiVersion"]) {
    const property = Object.hasOwn(properties, name) ? properties[name]! : undefined;
    if (property === undefined || property.type === "string") continue;
    errors.push(invalid(path.child("properties").key(name).child("type"), property.type ?? "", "must be string"));
  }
}

/** metadata is the same for every kind: a schema may only narrow its names. */
function checkMetadata(metadata: Schema, parent: Schema, level: Level, path: FieldPath, errors: FieldError[]): void {
  const at = path.child("properties").key("metadata");
  const isChecked = level === "root" || parent["x-kubernetes-embedded-resource"] === true;
  if (isChecked && metadata.type !== "object") errors.push(invalid(at.child("type"), metadata.type ?? "", "must be object"));
  if (level !== "root") return;
  const { type: _type, properties = {}, default: _default, ...rest } = metadata;
  const others = Object.keys(properties).filter((name) => name !== "name" && name !== "generateName");
  if (others.length === 0 && Object.keys(rest).length === 0) return;
  const detail = "must not specify anything other than name and generateName, but metadata is implicitly specified";
  errors.push(forbidden(at, detail));
}

/** Which alternatives are the two ways to write int-or-string, where `type` is allowed. */
function intOrStringPattern(schema: Schema): "anyOf" | "allOf" | undefined {
  const either: Schema[] = [{ type: "integer" }, { type: "string" }];
  if (equal(schema.anyOf, either)) return "anyOf";
  return equal(schema.allOf?.[0]?.anyOf, either) ? "allOf" : undefined;
}

function checkValueRules(schema: Schema, exempt: "anyOf" | "allOf" | undefined, path: FieldPath, errors: FieldError[]): void {
  if (exempt !== "anyOf") {
    for (const [i, option] of (schema.anyOf ?? []).entries())
      checkNested(option, undefined, path.child("anyOf").index(i), errors);
  }
  for (const [i, option] of (schema.allOf ?? []).entries()) {
    checkNested(option, exempt === "allOf" && i === 0 ? "anyOf" : undefined, path.child("allOf").index(i), errors);
  }
  for (const [i, option] of (schema.oneOf ?? []).entries()) checkNested(option, undefined, path.child("oneOf").index(i), errors);
  if (schema.not !== undefined) checkNested(schema.not, undefined, path.child("not"), errors);
  const problem = patternProblem(schema.pattern ?? "");
  if (problem !== undefined) {
    errors.push(invalid(path.child("pattern"), schema.pattern, `must be a valid regular expression, but isn't: ${problem}`));
  }
}

const SHAPE_KEYWORDS: readonly (readonly [keyof Schema, string])[] = [
  ["type", "must be empty to be structural"],
  ["additionalProperties", "must be undefined to be structural"],
  ["default", "must be undefined to be structural"],
  ["title", "must be empty to be structural"],
  ["description", "must be empty to be structural"],
  ["nullable", "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural"],
  ["x-kubernetes-embedded-resource", "must be false to be structural"],
  ["x-kubernetes-int-or-string", "must be false to be structural"],
  ["x-kubernetes-list-map-keys", "must be empty to be structural"],
  ["x-kubernetes-list-type", "must be undefined to be structural"],
  ["x-kubernetes-map-type", "must be undefined to be structural"],
  ["x-kubernetes-validations", "must be empty to be structural"],
];

/** Inside allOf, anyOf, oneOf and not values are judged, never shaped. */
function checkNested(schema: Schema, exempt: "anyOf" | undefined, path: FieldPath, errors: FieldError[]): void {
  checkValueRules(schema, exempt, path, errors);
  if (schema.items !== undefined) checkNested(schema.items, undefined, path.child("items"), errors);
  const properties = schema.properties ?? {};
  for (const name of Object.keys(properties)) {
    checkNested(properties[name]!, undefined, path.child("properties").key(name), errors);
  }
  for (const [keyword, detail] of SHAPE_KEYWORDS) {
    const value = schema[keyword];
    if (value !== undefined && value !== "" && value !== false) errors.push(forbidden(path.child(keyword), detail));
  }
  if (Object.hasOwn(properties, "metadata")) {
    errors.push(forbidden(path.child("properties").key("metadata"), "must not be specified in a nested context"));
  }
}

/** Every field that the root's combinations judge must be shaped outside of them. */
function checkCompleteness(schema: Schema, path: FieldPath, errors: FieldError[]): void {
  for (const [nested, at] of combinations(schema, path)) checkCovered(nested, schema, at, path, errors);
}

function combinations(schema: Schema, path: FieldPath): (readonly [Schema, FieldPath])[] {
  const found: (readonly [Schema, FieldPath])[] = [];
  for (const keyword of ["allOf", "anyOf", "oneOf"] as const) {
    for (const [i, option] of (schema[keyword] ?? []).entries()) found.push([option, path.child(keyword).index(i)]);
  }
  if (schema.not !== undefined) found.push([schema.not, path.child("not")]);
  return found;
}

function checkCovered(nested: Schema, shape: Schema, at: FieldPath, shapeAt: FieldPath, errors: FieldError[]): void {
  if (nested.items !== undefined) {
    const missing = `because it is defined in ${String(at.child("items"))}`;
    if (shape.items === undefined) errors.push(required(shapeAt.child("items"), missing));
    else checkCovered(nested.items, shape.items, at.child("items"), shapeAt.child("items"), errors);
  }
  for (const [name, property] of Object.entries(nested.properties ?? {})) {
    const [from, to] = [at.child("properties").key(name), shapeAt.child("properties").key(name)];
    const shaped = shape.properties !== undefined && Object.hasOwn(shape.properties, name) ? shape.properties[name] : undefined;
    if (shaped === undefined) errors.push(required(to, `because it is defined in ${String(from)}`));
    else checkCovered(property, shaped, from, to, errors);
  }
  for (const [inner, innerAt] of combinations(nested, at)) checkCovered(inner, shape, innerAt, shapeAt, errors);
}

/** A default must be what a client could have sent: no unknown fields, valid by its own schema. */
function checkDefaults(schema: Schema, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  walkDefaults(schema, path, errors);
  return errors;
}

function walkDefaults(schema: Schema, path: FieldPath, errors: FieldError[]): void {
  if (schema.default !== undefined) {
    const at = path.child("default");
    if (hasUnknown(schema.default, schema)) errors.push(invalid(at, schema.default, "must not have unknown fields"));
    errors.push(...validateValue(schema.default, schema, at));
  }
  if (schema.items !== undefined) walkDefaults(schema.items, path.child("items"), errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    walkDefaults(property, path.child("properties").key(name), errors);
  }
}

const HOLDER = "value";

/** The walkers take objects: a value of any type is judged as the one field of an object. */
function held(value: Json, schema: Schema): { object: JsonObject; schema: Schema } {
  return { object: { [HOLDER]: clone(value) }, schema: { type: "object", properties: { [HOLDER]: schema } } };
}

function hasUnknown(value: Json, schema: Schema): boolean {
  const holder = held(value, schema);
  return prune(holder.object, holder.schema).length > 0;
}

function validateValue(value: Json, schema: Schema, path: FieldPath): FieldError[] {
  const holder = held(value, schema);
  return validate(holder.object, holder.schema, { part: HOLDER, at: path });
}
