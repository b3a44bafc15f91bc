/** Random objects that a schema accepts. Values come from small sets, so that equal ones are common: that is where bugs are. */
import fc from "fast-check";
import type { Kind } from "#schema/kind.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { Schema } from "#schema/structural.ts";

const WORDS = ["", "a", "b", "intel", "amd", "x86 ü", "10.0.0.1"];
const TIMES = ["2024-02-29T23:59:59Z", "2025-01-01T00:00:00Z"];

/** Any value of a schema of the words that our kinds use. */
export function valueOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema["x-kubernetes-int-or-string"] === true) return fc.oneof(fc.integer(), fc.constantFrom(...WORDS));
  switch (schema.type) {
    case "string":
      return text(schema);
    case "integer":
      return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 3, (schema.minimum ?? 0) + 3) });
    case "number":
      return fc.double({ min: 0, max: 4, noNaN: true });
    case "boolean":
      return fc.boolean();
    case "array":
      return list(schema);
    case "object":
      return record(schema);
    default:
      return fc.jsonValue({ maxDepth: 2 }).filter((value) => value !== null);
  }
}

function text(schema: Schema): fc.Arbitrary<string> {
  if (schema.format === "date-time") return fc.constantFrom(...TIMES);
  if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern), { maxLength: 12 });
  return fc.constantFrom(...WORDS.filter((word) => word.length >= (schema.minLength ?? 0)));
}

function list(schema: Schema): fc.Arbitrary<unknown[]> {
  const keys = schema["x-kubernetes-list-map-keys"];
  const item = valueOf(schema.items!);
  const minLength = Math.min(schema.minItems ?? 0, 3);
  if (keys === undefined) return fc.array(item, { minLength, maxLength: 3 });
  return fc.uniqueArray(item, {
    minLength,
    maxLength: 3,
    selector: (value) => keys.map((key) => (value as Record<string, unknown>)[key]).join("/"),
  });
}

function record(schema: Schema): fc.Arbitrary<Record<string, unknown>> {
  const { properties, additionalProperties } = schema;
  if (properties === undefined) {
    return fc.dictionary(fc.constantFrom("a", "b", "zone"), valueOf((additionalProperties ?? {}) as Schema), {
      maxKeys: 2,
      noNullPrototype: true,
    });
  }
  const fields = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, valueOf(field)]));
  const requiredKeys = schema.required ?? [];
  const least = schema.minProperties ?? 0;
  return fc.record(fields, { requiredKeys, noNullPrototype: true }).filter((value) => Object.keys(value).length >= least);
}

/** An object of the kind, with labels and annotations, as it comes off the wire. */
export function objectOf(kind: Kind): fc.Arbitrary<KubeObject> {
  const metadata = fc.record(
    {
      name: fc.constant("x"),
      labels: fc.constant({ zone: "east" }),
      annotations: fc.constant({ "example.dev/note": "kept" }),
    },
    { requiredKeys: ["name"], noNullPrototype: true },
  );
  return fc
    .tuple(metadata, valueOf(kind.schema))
    .map(([meta, body]) => ({ apiVersion: kind.apiVersion, kind: kind.kind, metadata: meta, ...(body as object) }))
    .map((object) => JSON.parse(JSON.stringify(object)) as KubeObject);
}

/** The object with one part of its spec or status removed or replaced by something that may not belong there. */
export function damaged(object: fc.Arbitrary<KubeObject>): fc.Arbitrary<KubeObject> {
  const junk = fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    3,
    -1,
    1.5,
    70_000,
    "",
    "move",
    "a~2",
    [],
    [null],
    {},
    { bogus: 1 },
  );
  return fc.tuple(object, fc.nat(), junk).map(([whole, choice, replacement]) => {
    const copy = JSON.parse(JSON.stringify(whole)) as KubeObject;
    const places = placesOf(copy["spec"], copy, "spec").concat(placesOf(copy["status"], copy, "status"));
    const [holder, key] = places[choice % places.length]!;
    if (replacement === undefined && !Array.isArray(holder)) delete holder[key as string];
    else (holder as Record<string | number, unknown>)[key] = replacement ?? null;
    return copy;
  });
}

type Place = [holder: Record<string, unknown> | unknown[], key: string | number];

function placesOf(value: unknown, holder: Place[0], key: string | number): Place[] {
  const here: Place[] = [[holder, key]];
  if (typeof value !== "object" || value === null) return here;
  const inside = Array.isArray(value) ? value : (value as Record<string, unknown>);
  return here.concat(
    Object.entries(value).flatMap(([name, part]) => placesOf(part, inside, Array.isArray(value) ? Number(name) : name)),
  );
}
