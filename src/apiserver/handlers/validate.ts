/** What an object must satisfy to be stored: metadata, the kind's schema, its strategy and the fields its scale subresource reads. */
import type { FieldError } from "#schema/field.ts";
import { FieldPath } from "#schema/field.ts";
import type { KubeObject } from "#schema/meta.ts";
import { validateMetaForCreate, validateMetaForUpdate } from "#schema/object-meta.ts";
import { validate } from "#schema/validate.ts";
import type { JsonObject } from "#std/json.ts";
import type { Resource } from "../registry.ts";
import { validateScale } from "./scale.ts";

const METADATA = FieldPath.of("metadata");

export function validateCreate(object: KubeObject, { definition, version }: Resource): FieldError[] {
  return [
    ...validateMetaForCreate(object.metadata, definition, METADATA),
    ...(definition.custom ? validate(object as unknown as JsonObject, version.schema) : []),
    ...(definition.strategy.validate?.(object, undefined) ?? []),
    ...validateScale(object, version.scale, false),
  ];
}

/** What was already wrong and did not change is tolerated. Through `status` only the status is looked at. */
export function validateUpdate(
  object: KubeObject,
  old: KubeObject,
  { definition, version }: Resource,
  subresource: string,
): FieldError[] {
  const statusOnly = subresource === "status";
  const part = statusOnly ? "status" : undefined;
  return [
    ...validateMetaForUpdate(object.metadata, old.metadata, definition, METADATA),
    ...(definition.custom
      ? validate(object as unknown as JsonObject, version.schema, { old: old as unknown as JsonObject, part })
      : []),
    ...(definition.strategy.validate?.(object, old) ?? []),
    ...validateScale(object, version.scale, statusOnly),
  ];
}
