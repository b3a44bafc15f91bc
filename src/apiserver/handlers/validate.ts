/** What an object must satisfy to be stored: metadata, the kind's schema, its strategy and the fields its scale subresource reads. */
import type { VersionDefinition } from "#schema/definition.ts";
import type { FieldError, FieldErrorType } from "#schema/field.ts";
import { FieldPath, invalid } from "#schema/field.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Below, compileSchema } from "#schema/node.ts";
import { validateMetaForCreate, validateMetaForUpdate } from "#schema/object-meta.ts";
import { validate } from "#schema/validate.ts";
import type { JsonObject } from "#std/json.ts";
import type { Resource } from "../registry.ts";
import { validateScale } from "./scale.ts";

const METADATA = FieldPath.of("metadata");

export function validateCreate(object: KubeObject, { definition, version }: Resource): FieldError[] {
  return withRulesLeft(version, [
    ...validateMetaForCreate(object.metadata, definition, METADATA),
    ...(definition.custom ? validate(object as unknown as JsonObject, version.schema) : []),
    ...(definition.strategy.validate?.(object, undefined) ?? []),
    ...validateScale(object, version.scale, false),
  ]);
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
  return withRulesLeft(version, [
    ...validateMetaForUpdate(object.metadata, old.metadata, definition, METADATA),
    ...(definition.custom
      ? validate(object as unknown as JsonObject, version.schema, { old: old as unknown as JsonObject, part })
      : []),
    ...(definition.strategy.validate?.(object, old) ?? []),
    ...validateScale(object, version.scale, statusOnly),
  ]);
}

/** Faults that leave an object in no state for its kind's rules (CEL) to look at. */
const BLOCKING: ReadonlySet<FieldErrorType> = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);

/** Says so when a schema has rules that were not asked (apiextensions-apiserver `hasBlockingErr`). */
function withRulesLeft({ schema }: VersionDefinition, errors: FieldError[]): FieldError[] {
  if (!errors.some(({ type }) => BLOCKING.has(type)) || (compileSchema(schema).below & Below.rules) === 0) return errors;
  const detail =
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
  return [...errors, invalid(FieldPath.root, null, detail)];
}
