/**
 * Kubernetes' own kinds are Go structs, and a client can tell: values of the wrong type are refused in the words of Go's decoder,
 * absent fields may come back as zero values, empty ones may vanish. This is a small notation for such structs; from it come the
 * schema (pruning, `kubectl explain`, strategic merge) and the reading of a body.
 */
import { canonicalBase64 } from "#std/base64.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { isObject, own, put } from "#std/json.ts";
import { quantityProblem } from "#schema/quantity.ts";
import type { Schema } from "#schema/structural.ts";
import { normalizeTime } from "#schema/time.ts";

/** A body that Go would refuse to decode; the message is Go's. */
export class DecodeProblem extends Error {}

/** Where a value stands, as Go's messages name it: the innermost struct, and the path of field names from the root. */
export interface Place {
  readonly struct: string;
  readonly path: string;
}

export interface GoType {
  /** As `reflect` prints it: `string`, `[]v1.Taint`, `map[string]string`. */
  readonly name: string;
  readonly schema: Schema;
  readonly isMap?: true;
  /** What a variable of the type holds before anything is assigned; null for pointers, slices and maps. A fresh value each time. */
  zero(): Json;
  /** The value as Go would hold it. Null never comes here: it leaves the zero value. Throws {@link DecodeProblem}. */
  read(value: Json, at: Place): Json;
}

export interface GoField {
  readonly type: GoType;
  readonly schema: Schema;
  /** A pointer tells "not given" from the zero value. */
  readonly isPointer: boolean;
  /** Written even when empty: Go's tag lacks `omitempty`. */
  readonly isAlways: boolean;
  readonly isRequired: boolean;
}

/** How a field differs from the common one, which is optional and left out when empty. */
export interface FieldOptions {
  readonly pointer?: true;
  readonly always?: true;
  /** For the schema: clients must give it. The decoder does not mind. */
  readonly required?: true;
  readonly schema?: Schema;
}

/** A field with its description for `kubectl explain`. */
export function field(type: GoType, description: string, options: FieldOptions = {}): GoField {
  return {
    type,
    schema: { ...type.schema, description, ...options.schema },
    isPointer: options.pointer === true,
    isAlways: options.always === true,
    isRequired: options.required === true,
  };
}

/** A list that strategic merge patch merges by a key of its items. */
export function mergedBy(key: string): Schema {
  return { "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": key };
}

function mismatch(value: Json, at: Place, type: string): never {
  const kind = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  throw new DecodeProblem(`json: cannot unmarshal ${kind} into Go struct field ${at.struct}.${at.path} of type ${type}`);
}

function scalar(type: "string" | "boolean", name: string, zero: Json): GoType {
  const read = (value: Json, at: Place): Json => (typeof value === type ? value : mismatch(value, at, name));
  return { name, schema: { type }, zero: () => zero, read };
}

/** `name` where Go gives the string a type of its own. */
export function text(name = "string"): GoType {
  return scalar("string", name, "");
}

export function bool(): GoType {
  return scalar("boolean", "bool", false);
}

function integer(bits: 32 | 64): GoType {
  const name = `int${bits}`;
  const bound = 2 ** (bits - 1);
  const read = (value: Json, at: Place): Json => {
    if (typeof value !== "number") mismatch(value, at, name);
    if (Number.isInteger(value) && value >= -bound && value < bound) return value;
    throw new DecodeProblem(
      `json: cannot unmarshal number ${value} into Go struct field ${at.struct}.${at.path} of type ${name}`,
    );
  };
  return { name, schema: { type: "integer", format: name }, zero: () => 0, read };
}

export function int32(): GoType {
  return integer(32);
}

export function int64(): GoType {
  return integer(64);
}

export function double(): GoType {
  const read = (value: Json, at: Place): Json => (typeof value === "number" ? value : mismatch(value, at, "float64"));
  return { name: "float64", schema: { type: "number", format: "double" }, zero: () => 0, read };
}

/** Base64 in JSON. */
export function bytes(): GoType {
  const read = (value: Json, at: Place): Json => {
    if (typeof value !== "string") mismatch(value, at, "[]uint8");
    const result = canonicalBase64(value);
    if ("base64" in result) return result.base64;
    throw new DecodeProblem(`illegal base64 data at input byte ${result.illegalAt}`);
  };
  return { name: "[]uint8", schema: { type: "string", format: "byte", nullable: true }, zero: () => null, read };
}

function timeType(name: string, precision: "seconds" | "microseconds"): GoType {
  const read = (value: Json, at: Place): Json => {
    if (typeof value !== "string") mismatch(value, at, "string");
    const result = normalizeTime(value, precision);
    if ("time" in result) return result.time;
    throw new DecodeProblem(result.problem);
  };
  return { name, schema: { type: "string", format: "date-time", nullable: true }, zero: () => null, read };
}

export function time(): GoType {
  return timeType("v1.Time", "seconds");
}

export function microTime(): GoType {
  return timeType("v1.MicroTime", "microseconds");
}

/** `4`, `"500m"`, `"8Gi"`: kept as written. */
export function quantity(): GoType {
  const read = (value: Json): Json => {
    const written = typeof value === "number" ? String(value) : value;
    const problem = quantityProblem(typeof written === "string" ? written : JSON.stringify(written));
    if (problem !== undefined) throw new DecodeProblem(problem);
    return written;
  };
  return { name: "resource.Quantity", schema: { "x-kubernetes-int-or-string": true }, zero: () => "0", read };
}

/** Any JSON value, kept as it is. */
export function anything(): GoType {
  return { name: "v1.JSON", schema: { "x-kubernetes-preserve-unknown-fields": true }, zero: () => null, read: (value) => value };
}

export function list(item: GoType): GoType {
  const name = `[]${item.name}`;
  const read = (value: Json, at: Place): Json => {
    if (!Array.isArray(value)) mismatch(value, at, name);
    return value.map((entry) => (entry === null ? item.zero() : item.read(entry, at)));
  };
  return { name, schema: { type: "array", items: item.schema }, zero: () => null, read };
}

/** Keys are strings, whatever Go calls their type. */
export function map(item: GoType, name = `map[string]${item.name}`): GoType {
  const read = (value: Json, at: Place): Json => {
    if (!isObject(value)) mismatch(value, at, name);
    const result: JsonObject = {};
    for (const key of Object.keys(value)) put(result, key, value[key] === null ? item.zero() : item.read(value[key]!, at));
    return result;
  };
  return { name, schema: { type: "object", additionalProperties: item.schema }, isMap: true, zero: () => null, read };
}

export type GoFields = Readonly<Record<string, GoField>>;

/** A struct; `options.schema` adds to its schema. Fields it does not know stay for the pruner, which reports them. */
export function struct(name: string, fields: GoFields, options: { readonly schema?: Schema } = {}): GoType {
  const required = Object.keys(fields).filter((key) => fields[key]!.isRequired);
  const schema: Schema = {
    type: "object",
    properties: Object.fromEntries(Object.entries(fields).map(([key, { schema: ofField }]) => [key, ofField])),
    ...(required.length === 0 ? {} : { required }),
    ...options.schema,
  };
  const read = (value: Json, at: Place): Json => {
    if (!isObject(value)) mismatch(value, at, `v1.${name}`);
    return readFields(value, fields, { struct: name, path: at.path });
  };
  return { name: `v1.${name}`, schema, zero: () => readFields({}, fields, { struct: name, path: "" }), read };
}

/** The fields of an object as Go would write them after reading. Also the way in for a whole kind. */
export function readFields(value: JsonObject, fields: GoFields, at: Place): JsonObject {
  const result: JsonObject = {};
  for (const key of Object.keys(value)) if (!Object.hasOwn(fields, key)) put(result, key, value[key]!);
  for (const [key, { type, isPointer, isAlways }] of Object.entries(fields)) {
    const given = own(value, key) ?? null;
    const place = { struct: at.struct, path: at.path === "" ? key : `${at.path}.${key}` };
    const read = given === null ? null : type.read(given, place);
    if (read === null && isPointer) {
      if (isAlways) result[key] = null;
      continue;
    }
    const kept = read ?? type.zero();
    if (isPointer || isAlways || !isEmpty(kept, type)) result[key] = kept;
  }
  return result;
}

/** What `omitempty` leaves out. A struct is never empty. */
function isEmpty(value: Json, type: GoType): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return type.isMap === true && Object.keys(value).length === 0;
  return value === null || value === "" || value === 0 || value === false;
}
