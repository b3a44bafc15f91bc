/**
 * OpenAPI v2 for old clients (spec.openapis.org/oas/v2.0): the v3 documents in one, in the older notation. What v2 has no words for
 * (alternatives, null) is left out, so it describes less but never forbids what v3 allows.
 */
import { isObject, put } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import type { Content, Operation, Parameter, PathItem } from "./operations.ts";
import type { OpenApiDocument } from "./v3.ts";
import { INFO } from "./v3.ts";

/** Schema keywords that only v3 has; an `allOf` around a single reference is the reference itself. */
const UNKNOWN = new Set(["anyOf", "oneOf", "not", "allOf", "nullable"]);
/** Members that map names to schemas: their keys are no keywords. */
const NAMED = new Set(["properties", "definitions"]);
const METHODS = ["get", "put", "post", "delete", "patch"] as const;

export function swaggerOf(documents: readonly OpenApiDocument[]): object {
  const paths: Record<string, JsonObject> = {};
  const definitions: JsonObject = {};
  for (const document of documents) {
    for (const [path, item] of Object.entries(document.paths)) paths[path] = pathOf(item);
    for (const [name, schema] of Object.entries(document.components.schemas))
      put(definitions, name, schemaOf(schema as JsonObject));
  }
  return { swagger: "2.0", info: INFO, paths, definitions };
}

function pathOf(item: PathItem): JsonObject {
  const path: JsonObject = { parameters: item.parameters.map(parameterOf) };
  for (const method of METHODS) {
    const operation = item[method];
    if (operation !== undefined) path[method] = operationOf(operation);
  }
  return path;
}

function operationOf({ requestBody, responses, parameters = [], ...rest }: Operation): JsonObject {
  const body = requestBody === undefined ? undefined : schemaIn(requestBody.content);
  const required = requestBody?.required === true ? { required: true } : {};
  return {
    ...(rest as unknown as JsonObject),
    ...(requestBody === undefined ? {} : { consumes: Object.keys(requestBody.content) }),
    produces: ["application/json", "application/yaml"],
    parameters: [
      ...parameters.map(parameterOf),
      ...(body === undefined ? [] : [{ name: "body", in: "body", ...required, schema: body }]),
    ],
    responses: Object.fromEntries(
      Object.entries(responses).map(([code, { description, content }]): [string, JsonObject] => {
        const schema = content === undefined ? undefined : schemaIn(content);
        return [code, schema === undefined ? { description } : { description, schema }];
      }),
    ),
  };
}

function parameterOf({ schema, ...rest }: Parameter): JsonObject {
  return { ...rest, ...(schemaOf(schema as JsonObject) as JsonObject) };
}

function schemaIn(content: Content): Json | undefined {
  const first = Object.values(content)[0];
  return first === undefined ? undefined : schemaOf(first.schema as JsonObject);
}

function schemaOf(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(schemaOf);
  if (!isObject(schema)) return schema;
  const converted: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === "$ref") put(converted, key, (value as string).replace("#/components/schemas/", "#/definitions/"));
    else if (key === "default" || key === "enum" || key === "example") put(converted, key, value);
    else if (NAMED.has(key) && isObject(value)) put(converted, key, mapOf(value));
    else if (!UNKNOWN.has(key)) put(converted, key, schemaOf(value));
    else if (key === "allOf" && Array.isArray(value) && isObject(value[0]) && "$ref" in value[0])
      Object.assign(converted, schemaOf(value[0]));
  }
  return converted;
}

function mapOf(schemas: JsonObject): JsonObject {
  const converted: JsonObject = {};
  for (const [name, schema] of Object.entries(schemas)) put(converted, name, schemaOf(schema));
  return converted;
}
