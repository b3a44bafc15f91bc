/**
 * A schema made ready for walking: every keyword resolved once, all nodes of one shape, so that the walkers (prune, default,
 * validate) spend their time on the object. Compiled at first use and kept as long as its schema.
 */
import type { Json } from "#std/json.ts";
import { codePointCount } from "#std/utf8.ts";
import type { Format } from "./format.ts";
import { findFormat } from "./format.ts";
import type { Matcher } from "./regexp/matcher.ts";
import { compilePattern } from "./regexp/matcher.ts";
import type { Schema, SchemaType } from "./structural.ts";

/** What some node at or below a node has; a walker passes by where there is nothing for it. */
export const Below = { defaults: 1, lists: 2, embedded: 4, rules: 8 } as const;

export interface StringLimits {
  readonly minLength: number;
  readonly maxLength: number;
  readonly pattern: { readonly text: string; readonly matcher: Matcher } | undefined;
}

export interface NumberLimits {
  readonly minimum: number | undefined;
  readonly exclusiveMinimum: boolean;
  readonly maximum: number | undefined;
  readonly exclusiveMaximum: boolean;
  readonly multipleOf: number | undefined;
}

export class SchemaNode {
  /** Empty: any. `x-kubernetes-int-or-string` is integer and string. */
  types: readonly SchemaType[] = [];
  nullable = false;
  /** Undefined where Kubernetes knows no such format for the type, and then ignores it. */
  format: Format | undefined = undefined;
  defaultValue: Json | undefined = undefined;
  enumeration: readonly Json[] | undefined = undefined;
  properties: ReadonlyMap<string, SchemaNode> = new Map();
  required: readonly string[] = [];
  /** Schema of the properties not named. */
  additional: SchemaNode | undefined = undefined;
  /** Unnamed properties stay, also where {@link additional} says nothing about them (`additionalProperties: true`). */
  keepsAdditional = false;
  items: SchemaNode | undefined = undefined;
  minProperties = 0;
  maxProperties = Number.POSITIVE_INFINITY;
  minItems = 0;
  maxItems = Number.POSITIVE_INFINITY;
  text: StringLimits | undefined = undefined;
  number: NumberLimits | undefined = undefined;
  allOf: readonly SchemaNode[] = [];
  anyOf: readonly SchemaNode[] = [];
  oneOf: readonly SchemaNode[] = [];
  not: SchemaNode | undefined = undefined;
  preservesUnknown = false;
  isEmbedded = false;
  listType: "atomic" | "set" | "map" = "atomic";
  listKeys: readonly string[] = [];
  /** Bits of {@link Below}. */
  below = 0;
}

const compiled = new WeakMap<Schema, SchemaNode>();

/** A pattern that does not parse matches nothing: {@link checkStructural} refuses it when a schema comes in. */
export function compileSchema(schema: Schema): SchemaNode {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const node = new SchemaNode();
  // Registered before its parts are compiled: a schema may contain itself (JSONSchemaProps does).
  compiled.set(schema, node);
  node.types = typesOf(schema);
  node.nullable = schema.nullable === true;
  node.format = schema.format === undefined ? undefined : findFormat(schema.format, node.types);
  node.defaultValue = schema.default;
  node.enumeration = schema.enum;
  compileObject(node, schema);
  compileLimits(node, schema);
  node.items = schema.items && compileSchema(schema.items);
  node.allOf = (schema.allOf ?? []).map(compileSchema);
  node.anyOf = (schema.anyOf ?? []).map(compileSchema);
  node.oneOf = (schema.oneOf ?? []).map(compileSchema);
  node.not = schema.not && compileSchema(schema.not);
  node.isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  node.listType = schema["x-kubernetes-list-type"] ?? "atomic";
  node.listKeys = schema["x-kubernetes-list-map-keys"] ?? [];
  node.below = belowOf(node, schema);
  return node;
}

function typesOf(schema: Schema): SchemaType[] {
  if (schema["x-kubernetes-int-or-string"] === true) return ["integer", "string"];
  return schema.type === undefined ? [] : [schema.type];
}

function compileObject(node: SchemaNode, schema: Schema): void {
  const properties = schema.properties ?? {};
  node.properties = new Map(Object.keys(properties).map((name) => [name, compileSchema(properties[name]!)]));
  node.required = schema.required ?? [];
  if (typeof schema.additionalProperties === "object") node.additional = compileSchema(schema.additionalProperties);
  node.keepsAdditional = schema.additionalProperties !== undefined;
  node.preservesUnknown = schema["x-kubernetes-preserve-unknown-fields"] === true;
}

function compileLimits(node: SchemaNode, schema: Schema): void {
  node.minProperties = schema.minProperties ?? node.minProperties;
  node.maxProperties = schema.maxProperties ?? node.maxProperties;
  node.minItems = schema.minItems ?? node.minItems;
  node.maxItems = schema.maxItems ?? node.maxItems;
  const { minLength, maxLength, pattern, minimum, maximum, multipleOf } = schema;
  if (minLength !== undefined || maxLength !== undefined || (pattern ?? "") !== "") {
    node.text = {
      minLength: minLength ?? 0,
      maxLength: maxLength ?? Number.POSITIVE_INFINITY,
      pattern: (pattern ?? "") === "" ? undefined : { text: pattern!, matcher: compilePattern(pattern!) },
    };
  }
  if (minimum !== undefined || maximum !== undefined || multipleOf !== undefined) {
    node.number = {
      minimum,
      exclusiveMinimum: schema.exclusiveMinimum === true,
      maximum,
      exclusiveMaximum: schema.exclusiveMaximum === true,
      multipleOf,
    };
  }
}

function belowOf(node: SchemaNode, schema: Schema): number {
  let below = node.isEmbedded ? Below.embedded : 0;
  if ((schema["x-kubernetes-validations"] ?? []).length > 0) below |= Below.rules;
  if (node.listType !== "atomic") below |= Below.lists;
  const parts = [...node.properties.values(), node.additional, node.items];
  for (const part of parts) {
    if (part === undefined) continue;
    below |= part.below;
    if (part.defaultValue !== undefined) below |= Below.defaults;
  }
  return below;
}

/** True when the text is not longer than `limit` characters, without counting them where its length already says so. */
export function fitsLength(text: string, limit: number): boolean {
  return text.length <= limit || codePointCount(text) <= limit;
}
