/** The `scale` subresource of custom resources: an autoscaling/v1 Scale that reads and writes a few of the object's fields. */
import type { FieldError } from "#schema/field.ts";
import { FieldPath, invalid } from "#schema/field.ts";
import { fieldNames } from "#schema/json-path.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { ScaleSubresource } from "#schema/structural.ts";
import { isObject, own, put } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { badRequest, statusFault, unclassified } from "#kube/status.ts";
import type { Definition, VersionDefinition } from "#schema/definition.ts";
import type { Resource } from "../registry.ts";
import { itemOf } from "../view.ts";
import type { Item } from "../render/render.ts";

const MAX_REPLICAS = 2 ** 31 - 1;

/** The Scale of an object; throws 500 when the object has no replicas field, as the genuine server does. */
export function scaleOf(object: KubeObject, paths: ScaleSubresource): Item {
  const scale = toScale(object, paths);
  if (scale["spec"] === undefined) {
    const message = `the spec replicas field ${JSON.stringify(paths.specReplicasPath)} does not exist`;
    throw statusFault("InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });
  }
  return itemOf(scale);
}

/** As {@link scaleOf}; without replicas in the object there is no spec. Zero values are left out of the status as in Go. */
export function toScale(object: KubeObject, paths: ScaleSubresource): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = numberAt(object, paths.specReplicasPath);
  const selector = paths.labelSelectorPath === undefined ? undefined : valueAt(object, paths.labelSelectorPath);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: JSON.parse(JSON.stringify({ name, namespace, uid, resourceVersion, creationTimestamp })) as KubeObject["metadata"],
    ...(replicas === undefined ? {} : { spec: replicas === 0 ? {} : { replicas } }),
    status: {
      replicas: numberAt(object, paths.statusReplicasPath) ?? 0,
      ...(selector === undefined || selector === "" ? {} : { selector }),
    },
  };
}

/** Carries a changed Scale over to its object: replicas, and the resourceVersion as precondition. Throws 400. */
export function applyScale(object: KubeObject, scale: KubeObject, paths: ScaleSubresource): KubeObject {
  const spec = scale["spec"];
  if (!isObject(spec)) throw badRequest(`the spec replicas field ${JSON.stringify(paths.specReplicasPath)} cannot be empty`);
  setAt(object as unknown as JsonObject, fieldNames(paths.specReplicasPath), own(spec, "replicas") ?? 0);
  if (scale.metadata.resourceVersion) object.metadata.resourceVersion = scale.metadata.resourceVersion;
  return object;
}

/** The scale fields must be what Scale can hold, on every write of the object. */
export function validateScale(object: KubeObject, paths: ScaleSubresource | undefined, statusOnly: boolean): FieldError[] {
  if (paths === undefined) return [];
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = paths;
  const errors = [...(statusOnly ? [] : replicasErrors(object, specReplicasPath)), ...replicasErrors(object, statusReplicasPath)];
  const selector = labelSelectorPath === undefined ? undefined : valueAt(object, labelSelectorPath);
  if (selector !== undefined && typeof selector !== "string") {
    errors.push(invalid(FieldPath.of(labelSelectorPath!), "", accessorProblem(labelSelectorPath!, selector, "string")));
  }
  return errors;
}

function replicasErrors(object: KubeObject, path: string): FieldError[] {
  const value = valueAt(object, path);
  const at = FieldPath.of(path);
  if (value === undefined) return [];
  if (typeof value !== "number" || !Number.isInteger(value)) return [invalid(at, 0, accessorProblem(path, value, "int64"))];
  if (value < 0) return [invalid(at, value, "should be a non-negative integer")];
  return value > MAX_REPLICAS ? [invalid(at, value, `should be less than or equal to ${MAX_REPLICAS}`)] : [];
}

function numberAt(object: KubeObject, path: string): number | undefined {
  const value = valueAt(object, path);
  if (value === undefined || typeof value === "number") return value;
  throw unclassified(accessorProblem(path, value, "int64"));
}

function accessorProblem(path: string, value: Json, expected: string): string {
  const types: Record<string, string> = { string: "string", boolean: "bool", number: "float64" };
  const type =
    value === null ? "<nil>" : Array.isArray(value) ? "[]interface {}" : (types[typeof value] ?? "map[string]interface {}");
  return `${path} accessor error: ${JSON.stringify(value)} is of the type ${type}, expected ${expected}`;
}

function valueAt(object: KubeObject, path: string): Json | undefined {
  let value: Json | undefined = object as unknown as JsonObject;
  for (const name of fieldNames(path)) value = isObject(value) ? own(value, name) : undefined;
  return value;
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
  columns: [],
  hasStatus: false,
  selectable: [],
};

/** Scale as a kind of its own, within the resource it belongs to. */
export function scaleResource({ definition }: Resource): Resource {
  const scale: Definition = {
    ...definition,
    group: "autoscaling",
    kind: "Scale",
    storageVersion: "v1",
    versions: [SCALE_VERSION],
    custom: false,
    strategy: { hasGeneration: false },
  };
  return { definition: scale, version: SCALE_VERSION };
}
