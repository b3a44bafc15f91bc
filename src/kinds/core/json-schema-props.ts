/** apiextensions.k8s.io/v1 JSONSchemaProps, which contains itself in a dozen ways. */
import { isObject } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import type { GoFields, GoType, Place } from "./go.ts";
import { anything, bool, DecodeProblem, double, field, int64, list, map, readFields, struct, text } from "./go.ts";

/**
 * A schema's own schema is left open: the published one would have to contain itself. Unknown keywords are dropped here, because
 * the pruner cannot see them.
 */
export const jsonSchemaProps: GoType = {
  name: "v1.JSONSchemaProps",
  schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  zero: () => ({}),
  read(value: Json, at: Place): Json {
    if (!isObject(value)) return struct("JSONSchemaProps", {}).read(value, at);
    const known: JsonObject = {};
    for (const key of Object.keys(KEYWORDS)) if (Object.hasOwn(value, key)) known[key] = value[key]!;
    return readFields(known, KEYWORDS, { struct: "JSONSchemaProps", path: at.path });
  },
};

/** Where Go takes a schema or something else; anything that is not an object goes to `other`. */
function schemaOr(other: (value: Json, at: Place) => Json): GoType {
  return {
    name: "v1.JSONSchemaPropsOr",
    schema: jsonSchemaProps.schema,
    zero: () => null,
    read: (value, at) => (isObject(value) ? jsonSchemaProps.read(value, at) : other(value, at)),
  };
}

const schemaOrArray = schemaOr((value, at) => (Array.isArray(value) ? list(jsonSchemaProps).read(value, at) : {}));
const schemaOrStrings = schemaOr((value, at) => list(text()).read(value, at));
const schemaOrBool = schemaOr((value) => {
  if (typeof value === "boolean") return value;
  throw new DecodeProblem("boolean or JSON schema expected");
});

const validationRule = struct("ValidationRule", {
  rule: field(text(), "A CEL expression over self (and oldSelf) that must be true.", { always: true }),
  message: field(text(), "What to say when it is not."),
  messageExpression: field(text(), "A CEL expression that makes the message."),
  reason: field(text("v1.FieldValueErrorReason"), "What kind of error it is.", { pointer: true }),
  fieldPath: field(text(), "The field the error is about, below the one the rule is on."),
  optionalOldSelf: field(bool(), "True: oldSelf is optional, and the rule holds on creation too.", { pointer: true }),
});

const externalDocumentation = struct("ExternalDocumentation", {
  description: field(text(), "What is to be read there."),
  url: field(text(), "Where."),
});

const given = { pointer: true } as const;

const KEYWORDS: GoFields = {
  id: field(text(), "Not supported."),
  $schema: field(text("v1.JSONSchemaURL"), "Not supported."),
  $ref: field(text(), "Not supported.", given),
  description: field(text(), "What the value is for."),
  type: field(text(), "object, array, string, integer, number or boolean."),
  format: field(text(), "A narrower form of the type, such as date-time or int32."),
  title: field(text(), "A short name."),
  default: field(anything(), "What the value is when none is given."),
  maximum: field(double(), "The greatest number.", given),
  exclusiveMaximum: field(bool(), "The maximum itself is too much."),
  minimum: field(double(), "The smallest number.", given),
  exclusiveMinimum: field(bool(), "The minimum itself is too little."),
  maxLength: field(int64(), "The most characters.", given),
  minLength: field(int64(), "The fewest characters.", given),
  pattern: field(text(), "A regular expression (RE2) found in the text."),
  maxItems: field(int64(), "The most items.", given),
  minItems: field(int64(), "The fewest items.", given),
  uniqueItems: field(bool(), "Not supported."),
  multipleOf: field(double(), "What the number is a multiple of.", given),
  enum: field(list(anything()), "The only values there are."),
  maxProperties: field(int64(), "The most properties.", given),
  minProperties: field(int64(), "The fewest properties.", given),
  required: field(list(text()), "Properties that must be there."),
  items: field(schemaOrArray, "Schema of the items."),
  allOf: field(list(jsonSchemaProps), "Schemas that all hold."),
  oneOf: field(list(jsonSchemaProps), "Schemas of which exactly one holds."),
  anyOf: field(list(jsonSchemaProps), "Schemas of which at least one holds."),
  not: field(jsonSchemaProps, "A schema that does not hold.", given),
  properties: field(map(jsonSchemaProps), "Schemas of the named properties."),
  additionalProperties: field(schemaOrBool, "Schema of all other properties.", given),
  patternProperties: field(map(jsonSchemaProps), "Not supported."),
  dependencies: field(map(schemaOrStrings), "Not supported."),
  additionalItems: field(schemaOrBool, "Not supported.", given),
  definitions: field(map(jsonSchemaProps), "Not supported."),
  externalDocs: field(externalDocumentation, "Where to read more.", given),
  example: field(anything(), "An example value."),
  nullable: field(bool(), "Null is a value too."),
  "x-kubernetes-preserve-unknown-fields": field(bool(), "Fields that are not described stay.", given),
  "x-kubernetes-embedded-resource": field(bool(), "The value is a whole object with apiVersion, kind and metadata."),
  "x-kubernetes-int-or-string": field(bool(), "The value is an integer or a string."),
  "x-kubernetes-list-map-keys": field(list(text()), "The properties by which items of a list of type map differ."),
  "x-kubernetes-list-type": field(text(), "atomic, set or map.", given),
  "x-kubernetes-map-type": field(text(), "granular or atomic.", given),
  "x-kubernetes-validations": field(list(validationRule), "Rules in CEL."),
};
