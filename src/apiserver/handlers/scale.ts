/** The `scale` subresource of custom resources: an autoscaling/v1 Scale that reads and writes a few of the object's fields. */
import type { FieldError } from "#schema/field.ts";
import { FieldPath, invalid } from "#schema/field.ts";
import { fieldNames } from "#schema/json-path.ts";
import type { KubeObject } from "#schema/meta.ts";
import { quote } from "#schema/quote.ts";
import type { ScaleSubresource } from "#schema/structural.ts";
import { isObject, own, put } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { goType, printGo } from "#kube/patch/go-format.ts";
import { badRequest, statusFault, unclassified } from "#kube/status.ts";
import type { Definition, VersionDefinition } from "#schema/definition.ts";
import type { Resource } from "../registry.ts";
import { goTypeMismatch } from "../go-types.ts";
import { itemOf } from "../view.ts";
import type { Item } from "../render/render.ts";

const MAX_REPLICAS = 2 ** 31 - 1;

/** The Scale of an object; throws 500 when the object has no replicas field, as the genuine server does. */
export function scaleOf(object: KubeObject, paths: ScaleSubresource): Item {
  const scale = toScale(object, paths);
  if (scale["spec"] === undefined) {
    const message = `the spec replicas field ${quote(paths.specReplicasPath)} does not exist`;
    throw statusFault("InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });
  }
  return itemOf(scale);
}

/** As {@link scaleOf}; without replicas in the object there is no spec. Zero values are left out of the status as in Go. */
export function toScale(object: KubeObject, paths: ScaleSubresource): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = read(object, paths.specReplicasPath, "int64");
  const selector = paths.labelSelectorPath === undefined ? "" : (read(object, paths.labelSelectorPath, "string") ?? "");
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: JSON.parse(JSON.stringify({ name, namespace, uid, resourceVersion, creationTimestamp })) as KubeObject["metadata"],
    ...(replicas === undefined ? {} : { spec: replicas === 0 ? {} : { replicas } }),
    status: { replicas: read(object, paths.statusReplicasPath, "int64") ?? 0, ...(selector === "" ? {} : { selector }) },
  };
}

/** Carries a changed Scale over to its object: replicas, and the resourceVersion as precondition. Throws 400. */
export function applyScale(object: KubeObject, scale: KubeObject, paths: ScaleSubresource): KubeObject {
  const spec = scale["spec"];
  if (!isObject(spec)) throw badRequest(`the spec replicas field ${quote(paths.specReplicasPath)} cannot be empty`);
  setAt(object as unknown as JsonObject, fieldNames(paths.specReplicasPath), own(spec, "replicas") ?? 0);
  if (scale.metadata.resourceVersion) object.metadata.resourceVersion = scale.metadata.resourceVersion;
  return object;
}

/** The scale fields must be what Scale can hold, on every write of the object. */
export function validateScale(object: KubeObject, paths: ScaleSubresource | undefined, statusOnly: boolean): FieldError[] {
  if (paths === undefined) return [];
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = paths;
  const errors = [...(statusOnly ? [] : replicasErrors(object, specReplicasPath)), ...replicasErrors(object, statusReplicasPath)];
  if (labelSelectorPath !== undefined) {
    const selector = access(object, labelSelectorPath, "string");
    if ("problem" in selector) errors.push(invalid(FieldPath.of(labelSelectorPath), "", selector.problem));
  }
  return errors;
}

function replicasErrors(object: KubeObject, path: string): FieldError[] {
  const found = access(object, path, "int64");
  const at = FieldPath.of(path);
  if ("problem" in found) return [invalid(at, 0, found.problem)];
  const value = (found.value ?? 0) as number;
  if (value < 0) return [invalid(at, value, "should be a non-negative integer")];
  return value > MAX_REPLICAS ? [invalid(at, value, `should be less than or equal to ${MAX_REPLICAS}`)] : [];
}

function read(object: KubeObject, path: string, type: "int64" | "string"): Json | undefined {
  const found = access(object, path, type);
  if ("problem" in found) throw unclassified(found.problem);
  return found.value;
}

/** Follows a path as Kubernetes does in unstructured objects, with its words for what is in the way. */
function access(object: KubeObject, path: string, type: "int64" | "string"): { value: Json | undefined } | { problem: string } {
  let value: Json | undefined = object as unknown as JsonObject;
  const passed: string[] = [];
  const problem = (found: Json, expected: string): { problem: string } => ({
    problem: `.${passed.join(".")} accessor error: ${printGo(found)} is of the type ${goType(found)}, expected ${expected}`,
  });
  for (const name of fieldNames(path)) {
    passed.push(name);
    if (!isObject(value)) return problem(value, "map[string]interface{}");
    value = own(value, name);
    if (value === undefined || (value === null && passed.length < fieldNames(path).length)) return { value: undefined };
  }
  return goType(value) === type ? { value } : problem(value, type);
}

function setAt(object: JsonObject, [name, ...rest]: string[], value: Json): void {
  if (rest.length === 0) return put(object, name!, value);
  let child = own(object, name!);
  if (!isObject(child)) put(object, name!, (child = {}));
  setAt(child, rest, value);
}

/** What decoding, patching and naming a Scale needs to know; it is not stored, so the registry does not have it. */
const SCALE_VERSION: VersionDefinition = {
  name: "v1",
  served: true,
  schema: {
    type: "object",
    properties: {
      spec: { type: "object", properties: { replicas: { type: "integer", format: "int32" } } },
      status: { type: "object", properties: { replicas: { type: "integer", format: "int32" }, selector: { type: "string" } } },
    },
  },
  columns: [
    { name: "Desired", type: "integer", description: "How many are wanted.", jsonPath: ".spec.replicas" },
    { name: "Available", type: "integer", description: "How many there are.", jsonPath: ".status.replicas" },
    { name: "Age", type: "date", description: "Time since the object was created.", jsonPath: ".metadata.creationTimestamp" },
  ],
  hasStatus: false,
  selectable: [],
};

function scaleProblem({ spec }: KubeObject): string | undefined {
  if (spec === undefined || spec === null) return undefined;
  if (!isObject(spec)) return goTypeMismatch(spec as Json, "Go struct field Scale.spec of type v1.ScaleSpec");
  const replicas = own(spec, "replicas") ?? 0;
  const fits = typeof replicas === "number" && Number.isInteger(replicas) && Math.abs(replicas) <= MAX_REPLICAS;
  return fits ? undefined : goTypeMismatch(replicas, "Go struct field ScaleSpec.spec.replicas of type int32");
}

/** Scale as a kind of its own, within the resource it belongs to. */
export function scaleResource({ definition }: Resource): Resource {
  const scale: Definition = {
    ...definition,
    group: "autoscaling",
    kind: "Scale",
    storageVersion: "v1",
    versions: [SCALE_VERSION],
    custom: false,
    strategy: {
      hasGeneration: false,
      decodeProblem: scaleProblem,
      // No replicas are none: Go leaves a zero out of the JSON.
      cells: { Desired: ({ spec }) => (isObject(spec) ? Number(own(spec, "replicas") ?? 0) : 0) },
    },
  };
  return { definition: scale, version: SCALE_VERSION };
}
