/**
 * meta/v1 Table: what `kubectl get` prints. The server renders the cells (ages too), so that kubectl needs to know nothing about a kind.
 */
import type { Json, JsonObject } from "#std/json.ts";
import type { Clock } from "#io/clock.ts";
import { compileJsonPath } from "#schema/json-path.ts";
import type { KubeObject, ListMeta } from "#schema/meta.ts";
import { printJson, printNumber } from "#schema/quote.ts";
import type { PrinterColumn } from "#schema/structural.ts";
import type { Resource } from "../registry.ts";
import { ageSince } from "./age.ts";
import { partialObject } from "./partial.ts";
import type { Item } from "./render.ts";
import type { Shape } from "./shape.ts";

/** What a row carries besides its cells. */
export type IncludeObject = "None" | "Metadata" | "Object";

interface Column {
  readonly definition: JsonObject;
  cell(object: KubeObject, now: number): Json;
}

const NAME: Column = {
  definition: {
    name: "Name",
    type: "string",
    format: "name",
    description:
      "Name of the object, unique among the objects of its kind in a namespace (or in the cluster). Cannot be changed.",
    priority: 0,
  },
  cell: (object) => object.metadata.name ?? "",
};

const AGE: PrinterColumn = {
  name: "Age",
  type: "date",
  description: "Time since the object was created.",
  jsonPath: ".metadata.creationTimestamp",
};

/** `apiVersion` is `meta.k8s.io/v1` or `meta.k8s.io/v1beta1`, which differ in name only. */
export function tableShape(resource: Resource, apiVersion: string, includeObject: IncludeObject, clock: Clock): Shape {
  const columns = columnsOf(resource);
  const definitions = columns.map((column) => column.definition);

  function row(item: Item): JsonObject {
    const object = item.object();
    const cells = columns.map((column) => column.cell(object, clock.now()));
    if (includeObject === "None") return { cells, object: null };
    return { cells, object: includeObject === "Object" ? (object as JsonObject) : partialObject(item, apiVersion) };
  }

  function table(items: readonly Item[], metadata: ListMeta, columnDefinitions: JsonObject[] | null): object {
    return { kind: "Table", apiVersion, metadata, columnDefinitions, rows: items.map(row) };
  }

  return {
    one: (item) => table([item], revisionOf(item), definitions),
    list: (items, meta) => table(items, meta, definitions),
    event: (_type, item, first) => table([item], revisionOf(item), first ? definitions : null),
    volatile: true,
  };
}

function revisionOf(item: Item): ListMeta {
  const { resourceVersion } = item.object().metadata;
  return resourceVersion === undefined ? {} : { resourceVersion };
}

/** Only a built-in kind can have the name elsewhere than in front. */
function columnsOf({ definition, version }: Resource): Column[] {
  const columns = version.columns.length === 0 ? [AGE] : version.columns;
  const isNamed = !definition.custom && columns.some((column) => column.format === "name");
  const own = columns.map((column) => columnOf(column, definition.strategy.cells?.[column.name]));
  return isNamed ? own : [NAME, ...own];
}

function columnOf(column: PrinterColumn, computed: ((object: KubeObject) => Json) | undefined): Column {
  const definition = {
    name: column.name,
    type: column.type,
    format: column.format ?? "",
    description: column.description ?? `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
    priority: column.priority ?? 0,
  };
  const find = compileJsonPath(column.jsonPath);
  // Only the first value counts, also for paths with a wildcard.
  const value = computed ?? ((object: KubeObject): Json | undefined => find(object)[0]);
  return {
    definition,
    cell(object, now) {
      const found = value(object);
      return found === undefined ? null : cellOf(column.type, found, now);
    },
  };
}

/** A value that does not fit its column's type shows as nothing, but anything can be shown as a string. */
function cellOf(type: PrinterColumn["type"], value: Json, now: number): Json {
  switch (type) {
    case "string":
      return value === null ? "<no value>" : textOf(value);
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? ageSince(value, now) : null;
  }
}

/** As Go prints a decoded JSON value: objects and arrays as JSON, numbers by `%v`. */
function textOf(value: NonNullable<Json>): string {
  if (typeof value === "number") return printNumber(value);
  return typeof value === "object" ? printJson(value) : String(value);
}
