/** Request bodies: bytes and a Content-Type become an object of the requested kind, or the error a genuine server answers. */
import { invalid, FieldPath } from "#schema/field.ts";
import type { KubeObject, TypeMeta } from "#schema/meta.ts";
import { apiVersionOf, parseApiVersion } from "#schema/meta.ts";
import { duplicateField, parseJson, unknownField } from "#schema/strict.ts";
import { Fault } from "#std/fault.ts";
import { isObject, own } from "#std/json.ts";
import type { Json } from "#std/json.ts";
import { badRequest, invalidFault, statusFault } from "#kube/status.ts";
import { coerce } from "./coerce.ts";
import { TYPE_META, goTypeMismatch } from "./go-types.ts";
import type { FieldValidation } from "./handlers/options.ts";
import { DecodeProblem } from "./metadata.ts";
import type { Resource } from "./registry.ts";
import type { ApiRequest } from "./request.ts";
import type { Envelope } from "./protobuf/decode.ts";
import { decodeMessage, hasProtobuf, openEnvelope } from "./protobuf/decode.ts";
import { parseYaml } from "./yaml.ts";

/** Kubernetes' limit for request bodies. */
const BODY_LIMIT = 3 * 1024 * 1024;
const JSON_TYPE = "application/json";
const YAML_TYPE = "application/yaml";
const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";
/** What the genuine server accepts for built-in kinds; custom ones have no protobuf. */
const ACCEPTED = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE];
export type BodyType = typeof JSON_TYPE | typeof YAML_TYPE | typeof PROTOBUF_TYPE;

/** A document and what a strict reader complains about in it. */
export interface Document {
  readonly value: Json;
  /** One warning each: `duplicate field "spec.x"`. */
  readonly complaints: string[];
  /** The same as the text of an error lists it. */
  readonly problems: string[];
}

/** Reads the whole body; throws 413 beyond Kubernetes' limit. */
export async function readBody(request: ApiRequest): Promise<Buffer> {
  try {
    return await request.body(BODY_LIMIT);
  } catch (error) {
    if (!Fault.is(error, "io.too-large")) throw error;
    throw statusFault("RequestEntityTooLarge", `Request entity too large: limit is ${BODY_LIMIT}`);
  }
}

/** The media type of the body without parameters; absent means JSON. Throws 415 for what cannot be read as `apiVersion` and `kind`. */
export function bodyType(request: ApiRequest, apiVersion: string, kind: string): BodyType {
  const type = mediaType(request) || JSON_TYPE;
  if (type === JSON_TYPE || type === YAML_TYPE) return type;
  if (type === PROTOBUF_TYPE && hasProtobuf(apiVersion, kind)) return type;
  throw unsupportedMediaType(ACCEPTED);
}

export function mediaType(request: ApiRequest): string {
  return (request.headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase();
}

export function unsupportedMediaType(accepted: readonly string[]): Fault {
  const list = accepted.join(", ");
  return statusFault(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${list}`,
  );
}

/** Text to value; throws DecodeProblem with the words of Go's decoders. */
export function parseDocument(bytes: Buffer, type: BodyType): Document {
  if (type === YAML_TYPE) return parseYaml(bytes);
  if (type === PROTOBUF_TYPE) return { value: decodeMessage(openEnvelope(bytes)), complaints: [], problems: [] };
  const { value, duplicates } = parseText(bytes);
  const complaints = duplicates.map(duplicateField);
  return { value, complaints, problems: complaints };
}

function parseText(bytes: Buffer): { value: Json; duplicates: readonly string[] } {
  try {
    return parseJson(bytes) as { value: Json; duplicates: readonly string[] };
  } catch (error) {
    if (Fault.is(error, "schema.json") || Fault.is(error, "schema.json-number")) throw new DecodeProblem(error.message);
    throw error;
  }
}

/**
 * Decodes the body of a create or update. `warnings` gets what field validation complains about, or the request is refused
 * under `Strict`. Throws 400, 415, 422 with the genuine texts.
 */
export function decodeObject(
  bytes: Buffer,
  type: BodyType,
  resource: Resource,
  validation: FieldValidation,
  warnings: string[],
): KubeObject {
  const { kind, custom } = resource.definition;
  const refuse = (problem: string): Fault =>
    badRequest(`${kind} in version "${resource.version.name}" cannot be handled as a ${kind}: ${problem}`);
  const refusing = <T>(decode: () => T): T => {
    try {
      return decode();
    } catch (error) {
      if (error instanceof DecodeProblem) throw refuse(error.message);
      throw error;
    }
  };
  const { object, complaints, problems } =
    type === PROTOBUF_TYPE
      ? { object: refusing(() => readProtobuf(bytes, resource)), complaints: [], problems: [] }
      : readTyped(bytes, type, resource);
  const unknown = refusing(() => coerce(object, resource)).map(unknownField);
  // Go's struct decoder meets unknown and repeated fields in one pass, the one for custom resources in two.
  const found = custom ? [...problems, ...unknown] : [...unknown, ...problems];
  if (found.length > 0 && validation === "Strict") throw refuse(`strict decoding error: ${found.join(", ")}`);
  if (validation === "Warn") warnings.push(...(custom ? [...complaints, ...unknown] : [...unknown, ...complaints]));
  return object;
}

/** Throws 400 for another kind, DecodeProblem for a message that is broken. */
function readProtobuf(bytes: Buffer, resource: Resource): KubeObject {
  const { kind } = resource.definition;
  let envelope: Envelope;
  try {
    envelope = openEnvelope(bytes);
  } catch (error) {
    if (!(error instanceof DecodeProblem)) throw error;
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): ${error.message} (${summary(bytes)})`);
  }
  const { apiVersion, kind: said } = envelope;
  if (said !== kind && hasProtobuf(apiVersion, said)) {
    const [from, to] = [`${resource.version.name}.${said}`, `${resource.version.name}.${kind}`];
    throw badRequest(
      `${said} in version "${apiVersion}" cannot be handled as a ${kind}: converting (${from}) to (${to}): unknown conversion`,
    );
  }
  return Object.assign(decodeMessage(envelope), checkType({} as KubeObject, { apiVersion, kind: said }, resource));
}

/** Parses the body and makes sure that it is an object of the resource's kind and version, which built-in kinds may leave out. */
function readTyped(bytes: Buffer, type: BodyType, resource: Resource): Omit<Document, "value"> & { object: KubeObject } {
  const { kind, custom } = resource.definition;
  const unrecognized = (problem: string): Fault =>
    badRequest(`the object provided is unrecognized (must be of type ${kind}): ${problem} (${summary(bytes)})`);
  const untyped = (problem: string): Fault => unrecognized(`couldn't get version/kind; json parse error: ${problem}`);
  let document: Document;
  try {
    document = parseDocument(bytes, type);
  } catch (error) {
    if (error instanceof DecodeProblem) throw type === JSON_TYPE ? untyped(error.message) : unrecognized(error.message);
    throw error;
  }
  const { value, complaints, problems } = document;
  if (!isObject(value) && value !== null) throw untyped(goTypeMismatch(value, TYPE_META));
  const object = value ?? {};
  const said = { apiVersion: "", kind: "" };
  for (const field of ["apiVersion", "kind"] as const) {
    const text = own(object, field) ?? "";
    if (typeof text !== "string") throw untyped(goTypeMismatch(text, `Go struct field .${field} of type string`));
    said[field] = text;
  }
  if (custom && said.kind === "") throw unrecognized(missingKind(bytes.toString("utf8")));
  const parsed = parseApiVersion(said.apiVersion);
  if (parsed === undefined) throw unrecognized(`unexpected GroupVersion string: ${said.apiVersion}`);
  return { object: checkType(object as unknown as KubeObject, said, resource), complaints, problems };
}

export function missingKind(text: string): string {
  return `Object 'Kind' is missing in '${text}'`;
}

/** Where Kubernetes registers its kinds, as its messages say. */
export const SCHEME = "pkg/api/legacyscheme/scheme.go:30";

/** Throws 400 for another version, and for another built-in kind; 422 for another custom one. */
function checkType(object: KubeObject, said: TypeMeta, { definition, version }: Resource): KubeObject {
  const expected = apiVersionOf(definition.group, version.name);
  if (definition.custom) {
    if (said.apiVersion !== expected) {
      throw badRequest(`the API version in the data (${said.apiVersion}) does not match the expected API version (${expected})`);
    }
    if (said.kind !== definition.kind) throw wrongType(object, "kind", said.kind, definition.kind);
    return object;
  }
  const kind = said.kind || definition.kind;
  const apiVersion = said.apiVersion || expected;
  if (apiVersion !== expected || kind !== definition.kind) {
    throw badRequest(
      `${kind} in version "${parseApiVersion(apiVersion)!.version}" cannot be handled as a ${definition.kind}: ` +
        `no kind "${kind}" is registered for version "${apiVersion}" in scheme "${SCHEME}"`,
    );
  }
  return Object.assign(object, { apiVersion, kind });
}

/** 422 for a custom resource that says it is something else; named after what it says it is. */
export function wrongType(object: KubeObject, field: "kind" | "apiVersion", said: string, expected: string): Fault {
  const group = parseApiVersion(object.apiVersion)?.group ?? "";
  const name = isObject(object.metadata) && typeof object.metadata.name === "string" ? object.metadata.name : "";
  return invalidFault(group, object.kind, name, [invalid(FieldPath.of(field), said, `must be ${expected}`)]);
}

/** The beginning of a body for an error: as text when it looks like JSON, else in hexadecimal. */
function summary(bytes: Buffer): string {
  if (bytes.length === 0) return "<empty>";
  const head = bytes.subarray(0, 30);
  return head.toString(bytes[0] === 0x7b ? "utf8" : "hex") + (bytes.length > 30 ? " ..." : "");
}
