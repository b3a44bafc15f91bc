/** What can be asked about in `spec.where`: the names and their types, taken from the description of hardware. */
import type { Schema } from "#schema/structural.ts";
import { HardwareInformation } from "#kinds/metal/v1alpha2/hardware.ts";

export type Type =
  | { readonly kind: "int" | "double" | "string" | "bool" | "bytes" | "null" | "dyn" }
  | { readonly kind: "list"; readonly item: Type }
  | { readonly kind: "map"; readonly value: Type }
  | { readonly kind: "object"; readonly name: string; readonly fields: ReadonlyMap<string, Type> };

export const INT: Type = { kind: "int" };
export const DOUBLE: Type = { kind: "double" };
export const STRING: Type = { kind: "string" };
export const BOOL: Type = { kind: "bool" };
export const DYN: Type = { kind: "dyn" };

/** Sizes that the resource has as text or in other units, and that are bytes here. */
const BYTES: ReadonlySet<string> = new Set(["memory.totalSize", "storage.totalSize"]);

function typeOf(schema: Schema, name: string): Type {
  switch (schema.type) {
    case "integer":
      return INT;
    case "number":
      return DOUBLE;
    case "boolean":
      return BOOL;
    case "string":
      return BYTES.has(name) ? INT : STRING;
    case "array":
      return { kind: "list", item: typeOf(schema.items ?? {}, `${name}[]`) };
    case "object": {
      const fields = Object.entries(schema.properties ?? {});
      const named = fields.map(([field, inner]) => [field, typeOf(inner, name === "" ? field : `${name}.${field}`)] as const);
      return { kind: "object", name, fields: new Map(named) };
    }
    default:
      return DYN;
  }
}

const hardware = typeOf(HardwareInformation.schema, "");

/** The parts of the hardware by their own names, and what else a Server is known by. */
export const VARIABLES: ReadonlyMap<string, Type> = new Map<string, Type>([
  ...(hardware.kind === "object" ? hardware.fields : []),
  ["labels", { kind: "map", value: STRING }],
  ["hostname", STRING],
  ["name", STRING],
]);

/** For messages: `int`, `list(string)`, `memory.modules[]`. */
export function show(type: Type): string {
  switch (type.kind) {
    case "list":
      return `list(${show(type.item)})`;
    case "map":
      return `map(string, ${show(type.value)})`;
    case "object":
      return type.name;
    default:
      return type.kind;
  }
}
