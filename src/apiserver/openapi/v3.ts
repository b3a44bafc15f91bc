/** The OpenAPI v3 document of a group and version (spec.openapis.org/oas/v3.0.0, as Kubernetes fills it). */
import type { Schema } from "#schema/structural.ts";
import type { Resource } from "../registry.ts";
import type { ServedGroup, ServedVersion } from "../discovery/groups.ts";
import type { OpenApiSchema } from "./meta-schemas.ts";
import { API_VERSION, KIND, SCALE_SCHEMA, SCALE_SCHEMA_NAME, described, metaRef, metaSchemas } from "./meta-schemas.ts";
import { listSchemaName, schemaName } from "./names.ts";
import type { PathItem } from "./operations.ts";
import { pathsOf } from "./operations.ts";

export interface OpenApiDocument {
  openapi: "3.0.0";
  info: { title: string; version: string };
  paths: Record<string, PathItem>;
  components: { schemas: Record<string, OpenApiSchema> };
}

export const INFO = { title: "Sidero", version: "v1" };

export function documentOf(group: ServedGroup, version: ServedVersion): OpenApiDocument {
  const paths: Record<string, PathItem> = {};
  const schemas: Record<string, OpenApiSchema> = metaSchemas(group.name, version.name);
  for (const resource of version.resources) {
    Object.assign(paths, pathsOf(resource));
    schemas[schemaName(resource.definition, version.name)] = objectSchema(resource);
    schemas[listSchemaName(resource.definition, version.name)] = listSchema(resource);
    if (resource.version.scale !== undefined) schemas[SCALE_SCHEMA_NAME] = SCALE_SCHEMA;
  }
  return { openapi: "3.0.0", info: INFO, paths, components: { schemas } };
}

/** The kind's own schema with what every object has; whatever a CRD says about metadata is the server's to know better. */
function objectSchema({ definition, version }: Resource): OpenApiSchema {
  const schema = published(version.schema) as OpenApiSchema;
  return {
    ...schema,
    type: "object",
    properties: {
      ...schema.properties,
      apiVersion: API_VERSION,
      kind: KIND,
      metadata: described("Name, labels, owners, and what the server records about the object.", metaRef("ObjectMeta")),
    },
    "x-kubernetes-group-version-kind": [{ group: definition.group, kind: definition.kind, version: version.name }],
  };
}

/** Says in OpenAPI's own words what `x-kubernetes-int-or-string` says in Kubernetes'. */
function published(schema: Schema): Schema {
  const { properties, items, additionalProperties: additional } = schema;
  return {
    ...schema,
    ...(schema["x-kubernetes-int-or-string"] === true
      ? { anyOf: schema.anyOf ?? [{ type: "integer" }, { type: "string" }] }
      : {}),
    ...(properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, published(field)])) }),
    ...(items === undefined ? {} : { items: published(items) }),
    ...(typeof additional === "object" ? { additionalProperties: published(additional) } : {}),
  };
}

function listSchema({ definition, version }: Resource): OpenApiSchema {
  const { group, kind, listKind, plural } = definition;
  return {
    description: `A list of objects of kind ${kind}.`,
    type: "object",
    required: ["items"],
    properties: {
      apiVersion: API_VERSION,
      items: {
        description: `The ${plural}.`,
        type: "array",
        items: { $ref: `#/components/schemas/${schemaName(definition, version.name)}` },
      },
      kind: KIND,
      metadata: described("What the list says about itself.", metaRef("ListMeta")),
    },
    "x-kubernetes-group-version-kind": [{ group, kind: listKind, version: version.name }],
  };
}
