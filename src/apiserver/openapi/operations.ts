/**
 * What can be done with a resource, as OpenAPI operations. kubectl reads from them whether the server validates fields itself: a PATCH
 * operation with the kind in `x-kubernetes-group-version-kind` and a query parameter `fieldValidation`.
 */
import type { Definition } from "#schema/definition.ts";
import { apiVersionOf } from "#schema/meta.ts";
import { subresourcesOf, verbsOf } from "../discovery/groups.ts";
import type { Subresource } from "../discovery/groups.ts";
import type { Resource } from "../registry.ts";
import type { OpenApiSchema } from "./meta-schemas.ts";
import { SCALE_SCHEMA_NAME, metaRef } from "./meta-schemas.ts";
import { listSchemaName, schemaName } from "./names.ts";

export interface Parameter {
  name: string;
  in: "query" | "path";
  description: string;
  required?: boolean;
  schema: OpenApiSchema;
}

export type Content = Record<string, { schema: OpenApiSchema }>;

export interface Operation {
  tags: string[];
  description: string;
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Content; required?: boolean };
  responses: Record<string, { description: string; content?: Content }>;
  "x-kubernetes-action": string;
  "x-kubernetes-group-version-kind": { group: string; version: string; kind: string };
}

export type Method = "get" | "put" | "post" | "delete" | "patch";
export type PathItem = Partial<Record<Method, Operation>> & { parameters: Parameter[] };

function query(name: string, type: "string" | "boolean" | "integer", description: string): Parameter {
  return { name, in: "query", description, schema: { type, uniqueItems: true } };
}
function inPath(name: string, description: string): Parameter {
  return { name, in: "path", description, required: true, schema: { type: "string", uniqueItems: true } };
}

const NAMESPACE = inPath("namespace", "The namespace of the object.");
const PRETTY = query("pretty", "string", "With true the answer is indented.");
const DRY_RUN = query("dryRun", "string", "With All nothing is stored, the answer is what would have been.");
const FIELD_MANAGER = query("fieldManager", "string", "Who makes this change.");
const FIELD_VALIDATION = query(
  "fieldValidation",
  "string",
  "What becomes of unknown and duplicate fields: Ignore drops them, Warn (the default) drops them and says so, Strict refuses the request.",
);
const FORCE = query("force", "boolean", "Takes fields over from other managers. For apply patches only.");
const DELETION = [
  DRY_RUN,
  query("gracePeriodSeconds", "integer", "Seconds the object has to end in an orderly way."),
  query("orphanDependents", "boolean", "Old form of propagationPolicy."),
  query("propagationPolicy", "string", "What happens to the objects it owns: Background, Foreground or Orphan."),
];
const SELECTION = [
  query("allowWatchBookmarks", "boolean", "A watch may send events that only tell how far it has got."),
  query("continue", "string", "The token that the previous part of the list gave."),
  query("fieldSelector", "string", "Only objects whose fields match."),
  query("labelSelector", "string", "Only objects whose labels match."),
  query("limit", "integer", "How many objects at most; the answer says how to go on."),
  query("resourceVersion", "string", "How fresh the answer must be, or where a watch starts."),
  query("resourceVersionMatch", "string", "How resourceVersion is meant: Exact or NotOlderThan."),
  query("sendInitialEvents", "boolean", "A watch starts with what is there, and says when that has been sent."),
  query("timeoutSeconds", "integer", "Seconds until the answer, or a watch, ends."),
  query("watch", "boolean", "Sends changes as they happen instead of a list."),
];
const WRITING = [DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION];

const JSON_PATCHES = ["application/json-patch+json", "application/merge-patch+json"];
const STRATEGIC_PATCH = "application/strategic-merge-patch+json";

function content(types: readonly string[], schema: OpenApiSchema): Content {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}
function encoded(schema: OpenApiSchema): Content {
  return content(["application/json", "application/yaml"], schema);
}
function toSchema(name: string): OpenApiSchema {
  return { $ref: `#/components/schemas/${name}` };
}

/** All paths of a resource in one version. */
export function pathsOf(resource: Resource): Record<string, PathItem> {
  const { definition, version } = resource;
  const root = `${definition.group === "" ? "/api" : "/apis"}/${apiVersionOf(definition.group, version.name)}`;
  const parent = definition.namespaced ? `${root}/namespaces/{namespace}` : root;
  const inNamespace = definition.namespaced ? [NAMESPACE] : [];
  const name = inPath("name", `Name of the ${definition.kind}.`);
  const operations = new Operations(resource);
  const paths: Record<string, PathItem> = {};
  if (definition.namespaced) {
    paths[`${root}/${definition.plural}`] = { get: operations.list("ForAllNamespaces"), parameters: [PRETTY] };
  }
  const collection: PathItem = { get: operations.list(""), post: operations.create(), parameters: [...inNamespace, PRETTY] };
  if (verbsOf(definition).includes("deletecollection")) collection.delete = operations.deleteCollection();
  paths[`${parent}/${definition.plural}`] = collection;
  paths[`${parent}/${definition.plural}/{name}`] = {
    get: operations.read(),
    put: operations.replace(),
    patch: operations.patch(),
    delete: operations.delete(),
    parameters: [name, ...inNamespace, PRETTY],
  };
  for (const subresource of subresourcesOf(definition, version)) {
    const item: PathItem = { parameters: [name, ...inNamespace, PRETTY] };
    if (subresource.verbs.includes("get")) item.get = operations.read(subresource);
    if (subresource.verbs.includes("update")) item.put = operations.replace(subresource);
    if (subresource.verbs.includes("patch")) item.patch = operations.patch(subresource);
    paths[`${parent}/${definition.plural}/{name}/${subresource.name}`] = item;
  }
  return paths;
}

class Operations {
  readonly #definition: Definition;
  readonly #version: string;
  readonly #object: string;

  constructor({ definition, version }: Resource) {
    this.#definition = definition;
    this.#version = version.name;
    this.#object = schemaName(definition, version.name);
  }

  list(suffix: string): Operation {
    const schema = toSchema(listSchemaName(this.#definition, this.#version));
    return this.#operation("list", `list objects of kind ${this.#definition.kind}`, schema, { parameters: SELECTION }, suffix);
  }
  create(): Operation {
    const more = { parameters: WRITING, requestBody: { content: encoded(toSchema(this.#object)), required: true } };
    return this.#operation("post", `create a ${this.#definition.kind}`, toSchema(this.#object), more);
  }
  deleteCollection(): Operation {
    const parameters = [...SELECTION, ...DELETION];
    return this.#operation("deletecollection", `delete a collection of ${this.#definition.kind}`, metaRef("Status"), {
      parameters,
    });
  }
  read(subresource?: Subresource): Operation {
    return this.#operation("get", `read${this.#what(subresource)}`, this.#schemaOf(subresource), {}, "", subresource);
  }
  replace(subresource?: Subresource): Operation {
    const schema = this.#schemaOf(subresource);
    const more = { parameters: WRITING, requestBody: { content: encoded(schema), required: true } };
    return this.#operation("put", `replace${this.#what(subresource)}`, schema, more, "", subresource);
  }
  patch(subresource?: Subresource): Operation {
    const types = this.#definition.custom ? JSON_PATCHES : [...JSON_PATCHES, STRATEGIC_PATCH];
    const requestBody = { content: content(types, metaRef("Patch")), required: true };
    const more = { parameters: [...WRITING, FORCE], requestBody };
    return this.#operation(
      "patch",
      `partially update${this.#what(subresource)}`,
      this.#schemaOf(subresource),
      more,
      "",
      subresource,
    );
  }
  delete(): Operation {
    const more = { parameters: DELETION, requestBody: { content: encoded(metaRef("DeleteOptions")) } };
    return this.#operation("delete", `delete a ${this.#definition.kind}`, metaRef("Status"), more);
  }

  #what(subresource: Subresource | undefined): string {
    return `${subresource === undefined ? "" : ` ${subresource.name} of`} the specified ${this.#definition.kind}`;
  }
  #schemaOf(subresource: Subresource | undefined): OpenApiSchema {
    return toSchema(subresource?.responseKind === undefined ? this.#object : SCALE_SCHEMA_NAME);
  }

  #operation(
    action: string,
    description: string,
    answer: OpenApiSchema,
    more: Pick<Operation, "parameters" | "requestBody">,
    suffix = "",
    subresource?: Subresource,
  ): Operation {
    const { group, kind, namespaced } = this.#definition;
    const own = { group, version: this.#version, kind };
    const place = capitals(group === "" ? "core" : group) + capitals(this.#version);
    const scope = namespaced && suffix === "" ? "Namespaced" : "";
    const verb = action === "get" ? "read" : action === "put" ? "replace" : action === "post" ? "create" : action;
    return {
      tags: [`${lowerFirst(capitals(group === "" ? "core" : group))}_${this.#version}`],
      description,
      operationId: `${verb}${place}${scope}${kind}${capitals(subresource?.name ?? "")}${suffix}`,
      ...more,
      responses: { 200: { description: "OK", content: encoded(answer) }, 401: { description: "Unauthorized" } },
      "x-kubernetes-action": action,
      "x-kubernetes-group-version-kind": subresource?.responseKind ?? own,
    };
  }
}

/** `lab.example.io` → `LabExampleIo`. */
function capitals(text: string): string {
  return text.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9]?)/g, (_, letter: string) => letter.toUpperCase());
}
function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
