/** From a Go struct and a strategy to a Definition of a kind that Kubernetes itself has. */
import type { Definition, Strategy } from "#schema/definition.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { PrinterColumn } from "#schema/structural.ts";
import type { Json, JsonObject } from "#std/json.ts";
import type { GoFields } from "./go.ts";
import { DecodeProblem, readFields, struct } from "./go.ts";

export interface CoreKind {
  /** "" for the core group. */
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  readonly doc: string;
  /** All fields but apiVersion, kind and metadata. */
  readonly fields: GoFields;
  readonly columns: readonly PrinterColumn[];
  readonly hasStatus?: boolean;
  readonly strategy?: Partial<Strategy>;
}

const TYPE_META = ["apiVersion", "kind", "metadata"] as const;

/** Served as version v1. */
export function define(kind: CoreKind): Definition {
  const { schema } = struct(kind.kind, kind.fields, { schema: { description: kind.doc } });
  const { group, plural, namespaced, shortNames = [], categories = [], columns, hasStatus = false } = kind;
  return {
    group,
    kind: kind.kind,
    listKind: `${kind.kind}List`,
    plural,
    singular: kind.kind.toLowerCase(),
    shortNames,
    categories,
    namespaced,
    storageVersion: "v1",
    versions: [{ name: "v1", served: true, schema, columns, hasStatus, selectable: [] }],
    custom: false,
    strategy: { hasGeneration: false, decodeProblem: (object) => decode(object, kind), ...kind.strategy },
  };
}

/** Brings the object, in place, into the form Go would give it. Its metadata is read elsewhere, the same way for all kinds. */
function decode(object: KubeObject, { kind, fields }: CoreKind): string | undefined {
  const body = object as unknown as JsonObject;
  const content = Object.fromEntries(Object.entries(body).filter(([key]) => !TYPE_META.some((name) => name === key)));
  try {
    const read = readFields(content, fields, { struct: kind, path: "" });
    for (const key of Object.keys(content)) delete body[key];
    Object.assign(body, read);
    return undefined;
  } catch (error) {
    if (error instanceof DecodeProblem) return error.message;
    throw error;
  }
}

/** A zero value for a whole part of a kind: what it is before anybody has written it. */
export function zeroOf(fields: GoFields, part: string): Json {
  return fields[part]!.type.zero();
}
