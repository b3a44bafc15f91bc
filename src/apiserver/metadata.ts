/**
 * metadata as it is read from a body: Go decodes it into a struct, so wrong types are refused in Go's words, unknown fields and
 * empty values do not survive. The kinds' schemas leave metadata out, it is the same for all.
 */
import { FieldPath, invalid, printFieldError } from "#schema/field.ts";
import type { KubeObject, ObjectMeta } from "#schema/meta.ts";
import { Below } from "#schema/node.ts";
import type { SchemaNode } from "#schema/node.ts";
import { normalizeTime } from "#schema/time.ts";
import { isObject, own, put } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { goTypeMismatch } from "./go-types.ts";

export interface MetaReading {
  readonly meta: ObjectMeta;
  /** Paths of fields that ObjectMeta does not have (`metadata.bogus`). */
  readonly unknown: string[];
}

/** What a field may hold; every reader returns the value to keep, undefined for nothing. */
type Reader = (value: Json, at: Place) => Json | undefined;

/** Where a value is: `field` and `struct` as Go's messages name them, `path` as unknown fields are reported. */
interface Place {
  readonly struct: string;
  readonly field: string;
  readonly path: string;
  readonly unknown: string[];
}

/** A value that Go would refuse to decode; the message is Go's. */
export class DecodeProblem extends Error {}

const OWNER: Record<string, Reader> = {
  apiVersion: text,
  kind: text,
  name: text,
  uid: text,
  controller: scalar("boolean", "bool"),
  blockOwnerDeletion: scalar("boolean", "bool"),
};

const META: Record<string, Reader> = {
  name: text,
  generateName: text,
  namespace: text,
  selfLink: text,
  uid: text,
  resourceVersion: text,
  generation: scalar("number", "int64"),
  creationTimestamp: time,
  deletionTimestamp: time,
  deletionGracePeriodSeconds: scalar("number", "int64"),
  labels: texts,
  annotations: texts,
  ownerReferences: listOf("[]v1.OwnerReference", struct("OwnerReference", OWNER)),
  finalizers: listOf("[]string", (value, at) => text(value, at) ?? ""),
  // Who owns which field is not tracked before server-side apply exists; what clients send is not kept either.
  managedFields: () => undefined,
};

/**
 * Reads `object.metadata`. `prefix` is `metadata.` for built-in kinds, whose messages name the whole path, "" for custom
 * resources. Throws {@link DecodeProblem}.
 */
export function readMetadata(object: KubeObject, prefix: "" | "metadata."): MetaReading {
  const value = (object.metadata ?? {}) as Json;
  if (isObject(value)) return readMeta(value, prefix, "metadata");
  const into = prefix === "" ? META_VALUE : `Go struct field ${object.kind}.metadata of type v1.ObjectMeta`;
  throw new DecodeProblem(goTypeMismatch(value, into));
}

/**
 * Reads the metadata of every `x-kubernetes-embedded-resource` below the root, in place; returns the paths of unknown fields.
 * Throws {@link DecodeProblem} that names the path.
 */
export function readEmbedded(value: Json, node: SchemaNode, path: FieldPath = FieldPath.root): string[] {
  if ((node.below & Below.embedded) === 0) return [];
  if (Array.isArray(value)) {
    const { items } = node;
    return items === undefined ? [] : value.flatMap((item, i) => readEmbedded(item, items, path.index(i)));
  }
  if (!isObject(value)) return [];
  const unknown = node.isEmbedded ? readEmbeddedMetadata(value, path.child("metadata")) : [];
  for (const key of Object.keys(value)) {
    const child = node.properties.get(key) ?? node.additional;
    if (child !== undefined) unknown.push(...readEmbedded(value[key]!, child, path.child(key)));
  }
  return unknown;
}

function readEmbeddedMetadata(resource: JsonObject, path: FieldPath): string[] {
  const value = own(resource, "metadata");
  if (value === undefined) return [];
  try {
    if (!isObject(value)) throw new DecodeProblem(goTypeMismatch(value, META_VALUE));
    const { meta, unknown } = readMeta(value, "", String(path));
    resource["metadata"] = meta as unknown as JsonObject;
    return unknown;
  } catch (error) {
    if (!(error instanceof DecodeProblem)) throw error;
    throw new DecodeProblem(printFieldError(invalid(path, value, error.message)));
  }
}

const META_VALUE = "Go value of type v1.ObjectMeta";

function readMeta(value: JsonObject, field: string, path: string): MetaReading {
  const unknown: string[] = [];
  const meta: JsonObject = {};
  readFields(value, META, { struct: "ObjectMeta", field, path, unknown }, meta);
  return { meta, unknown };
}

function readFields(value: JsonObject, readers: Record<string, Reader>, at: Place, into: JsonObject): void {
  for (const name of Object.keys(value)) {
    const path = `${at.path}.${name}`;
    if (!Object.hasOwn(readers, name)) {
      at.unknown.push(path);
      continue;
    }
    const field = value[name]!;
    const kept = field === null ? undefined : readers[name]!(field, { ...at, field: `${at.field}${name}`, path });
    if (kept !== undefined) put(into, name, kept);
  }
}

function refuse(value: Json, at: Place, type: string): never {
  throw new DecodeProblem(goTypeMismatch(value, `Go struct field ${at.struct}.${at.field} of type ${type}`));
}

function text(value: Json, at: Place): string | undefined {
  if (typeof value !== "string") refuse(value, at, "string");
  return value === "" ? undefined : value;
}

function scalar(type: "number" | "boolean", goType: string): Reader {
  return (value, at) => {
    if (typeof value !== type) refuse(value, at, goType);
    if (typeof value === "number" && !Number.isInteger(value))
      throw new DecodeProblem(
        `json: cannot unmarshal number ${value} into Go struct field ${at.struct}.${at.field} of type ${goType}`,
      );
    return at.field.endsWith("generation") && value === 0 ? undefined : value;
  };
}

function time(value: Json, at: Place): string {
  if (typeof value !== "string") refuse(value, at, "string");
  const result = normalizeTime(value, "seconds");
  if ("problem" in result) throw new DecodeProblem(result.problem);
  return result.time;
}

function texts(value: Json, at: Place): JsonObject | undefined {
  if (!isObject(value)) refuse(value, at, "map[string]string");
  const keys = Object.keys(value);
  for (const key of keys) {
    const member = value[key]!;
    if (member === null) put(value, key, "");
    else if (typeof member !== "string") refuse(member, at, "string");
  }
  return keys.length === 0 ? undefined : value;
}

function listOf(goType: string, item: Reader): Reader {
  return (value, at) => {
    if (!Array.isArray(value)) refuse(value, at, goType);
    return value.length === 0 ? undefined : value.map((entry, i) => item(entry, { ...at, path: `${at.path}[${i}]` }) ?? null);
  };
}

function struct(name: string, readers: Record<string, Reader>): Reader {
  return (value, at) => {
    if (!isObject(value)) refuse(value, at, `v1.${name}`);
    const into: JsonObject = {};
    readFields(value, readers, { ...at, struct: name, field: `${at.field}.` }, into);
    return into;
  };
}
