/** patch: a document that says what shall change, applied to the object as it is when it is written. */
import type { Outgoing } from "#io/serve.ts";
import { unknownPatchFields } from "#kube/patch/json-patch.ts";
import { APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, applyPatch } from "#kube/patch/apply.ts";
import type { PatchType } from "#kube/patch/apply.ts";
import { printGo } from "#kube/patch/go-format.ts";
import { badRequest, statusFault } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";
import { apiVersionOf } from "#schema/meta.ts";
import { quote } from "#schema/quote.ts";
import { unknownField } from "#schema/strict.ts";
import type { Fault } from "#std/fault.ts";
import { isObject, own } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { SCHEME, mediaType, missingKind, parseDocument, readBody, unsupportedMediaType, wrongType } from "../codec.ts";
import { coerce } from "../coerce.ts";
import { TYPE_META, goTypeMismatch } from "../go-types.ts";
import { DecodeProblem } from "../metadata.ts";
import type { Resource } from "../registry.ts";
import { readWriteOptions } from "./options.ts";
import type { FieldValidation } from "./options.ts";
import { applyScale, scaleOf, scaleResource, toScale } from "./scale.ts";
import { answer, negotiate } from "./target.ts";
import type { Parts, Target } from "./target.ts";
import { matchName, matchNamespace } from "./update.ts";
import { change } from "./write.ts";

/** Patch types by kind; strategic needs a schema with merge keys, which only built-in kinds have. */
const OF_CUSTOM: readonly string[] = [JSON_PATCH, MERGE_PATCH, APPLY_PATCH];
const OF_BUILT_IN: readonly string[] = [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH];

export async function patch(parts: Parts, target: Target): Promise<Outgoing> {
  const { request, subresource } = target;
  const type = patchType(target);
  negotiate(parts, target);
  const body = await readBody(request);
  const { dryRun, fieldValidation } = readWriteOptions(request.query, "PatchOptions", type);
  const paths = subresource === "scale" ? target.resource.version.scale! : undefined;
  const resource = paths === undefined ? target.resource : scaleResource(target.resource);
  const document = new PatchDocument(type as PatchType, body, fieldValidation);
  const { item, created } = await change(
    parts,
    target,
    {
      wanted({ read }) {
        const readPart = paths === undefined ? read : (): KubeObject => toScale(read(), paths);
        const patched = document.apply(readPart, resource, request.warnings);
        matchNamespace(patched, target);
        matchName(patched, target);
        return paths === undefined ? patched : applyScale(read(), patched, paths);
      },
    },
    { dryRun, warnings: request.warnings },
  );
  return answer(parts, target, created ? 201 : 200, paths === undefined ? item : scaleOf(item.object(), paths));
}

/** Throws 415. Server-side apply is known by name and refused until it is built: its type is not offered. */
function patchType({ request, resource }: Target): string {
  const type = mediaType(request);
  const { custom } = resource.definition;
  const accepted = custom ? OF_CUSTOM : OF_BUILT_IN;
  if (type === APPLY_PATCH) throw unsupportedMediaType(accepted.filter((known) => known !== APPLY_PATCH));
  if (accepted.includes(type)) return type;
  if (custom) throw unsupportedMediaType(accepted);
  throw statusFault("UnsupportedMediaType", "415: Unsupported Media Type", {});
}

/** A patch as it came, parsed once and applied as often as it takes. */
class PatchDocument {
  readonly #type: PatchType;
  readonly #patch: Json;
  readonly #validation: FieldValidation;
  /** What a strict reader says about the patch itself. */
  readonly #complaints: string[];

  /** Throws 400 for a body that is no JSON. */
  constructor(type: PatchType, body: Buffer, validation: FieldValidation) {
    this.#type = type;
    this.#validation = validation;
    const { value, complaints } = parsePatch(type, body, validation);
    this.#patch = value;
    const unknown = type === JSON_PATCH ? unknownPatchFields(value).map(unknownField) : [];
    this.#complaints =
      type === JSON_PATCH ? [...unknown, ...complaints].map((complaint) => `json patch ${complaint}`) : complaints;
  }

  /** The patched object, decoded as a body would be. Throws 400 and 422. */
  apply(read: () => KubeObject, resource: Resource, warnings: string[]): KubeObject {
    const patched = this.#patched(read, resource);
    if (!isObject(patched))
      throw this.#refuse(read, resource, `couldn't get version/kind; json parse error: ${goTypeMismatch(patched, TYPE_META)}`);
    const object = patched as unknown as KubeObject;
    this.#checkType(object, read, resource);
    let unknown: string[];
    try {
      unknown = coerce(object, resource).map(unknownField);
    } catch (error) {
      if (error instanceof DecodeProblem) throw this.#refuse(read, resource, error.message);
      throw error;
    }
    const found = [...this.#complaints, ...unknown];
    if (found.length > 0 && this.#validation === "Strict")
      throw this.#refuse(read, resource, `strict decoding error: ${found.join(", ")}`);
    if (this.#validation === "Warn") warnings.push(...found);
    return object;
  }

  #patched(read: () => KubeObject, { version }: Resource): Json {
    return applyPatch(this.#type, read() as unknown as JsonObject, this.#patch, version.schema);
  }

  #checkType(object: KubeObject, read: () => KubeObject, resource: Resource): void {
    const { definition, version } = resource;
    const apiVersion = apiVersionOf(definition.group, version.name);
    const said = own(object as unknown as JsonObject, "kind") ?? "";
    if (said === "" && definition.custom) throw this.#refuse(read, resource, missingKind(JSON.stringify(object)));
    for (const [field, expected] of [
      ["kind", definition.kind],
      ["apiVersion", apiVersion],
    ] as const) {
      const value = own(object as unknown as JsonObject, field) ?? "";
      if (typeof value !== "string")
        throw this.#refuse(read, resource, goTypeMismatch(value, `Go struct field .${field} of type string`));
      if (value === expected) continue;
      if (definition.custom) throw wrongType(object, field, value, expected);
      if (value !== "")
        throw this.#refuse(
          read,
          resource,
          `no kind "${object.kind}" is registered for version "${object.apiVersion}" in scheme "${SCHEME}"`,
        );
      object[field] = expected;
    }
  }

  /** 422 that shows the patched object; a strategic patch itself. */
  #refuse(read: () => KubeObject, resource: Resource, problem: string): Fault {
    const shown = this.#type === STRATEGIC_PATCH ? printGo(this.#patch) : JSON.stringify(this.#patched(read, resource));
    const message = `Invalid value: ${quote(shown)}: ${problem}`;
    return statusFault("Invalid", ` "" is invalid: patch: ${message}`, {
      causes: [{ reason: "FieldValueInvalid", message, field: "patch" }],
    });
  }
}

function parsePatch(type: PatchType, body: Buffer, validation: FieldValidation): { value: Json; complaints: string[] } {
  const prefix = type === STRATEGIC_PATCH ? "" : "error decoding patch: ";
  try {
    const document = parseDocument(body, "application/json");
    if (type !== JSON_PATCH && !isObject(document.value) && document.value !== null) {
      throw new DecodeProblem(goTypeMismatch(document.value, "Go value of type map[string]interface {}"));
    }
    return document;
  } catch (error) {
    if (!(error instanceof DecodeProblem)) throw error;
    throw badRequest(validation === "Ignore" && type === MERGE_PATCH ? "Invalid JSON Patch" : prefix + error.message);
  }
}
