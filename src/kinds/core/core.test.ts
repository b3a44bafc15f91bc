import assert from "node:assert/strict";
import { test } from "node:test";
import vectors from "../../../test/vectors/schema/core.json" with { type: "json" };
import type { KubeObject } from "#schema/meta.ts";
import { prune } from "#schema/prune.ts";
import { unknownField } from "#schema/strict.ts";
import type { JsonObject } from "#std/json.ts";
import { coreDefinitions } from "./definitions.ts";

interface Vector {
  kind: string;
  body: JsonObject;
  problem?: string;
  result?: JsonObject;
  causes?: string[][];
  unknown?: string[];
}

/** What the API server does with a body: read, prune, default, prepare, validate. */
function create(kind: string, body: JsonObject): Omit<Vector, "kind" | "body"> {
  const definition = coreDefinitions.find((candidate) => candidate.kind === kind)!;
  const { strategy, versions } = definition;
  const object = { apiVersion: "", kind, metadata: { name: "x" }, ...structuredClone(body) } as KubeObject;
  const problem = strategy.decodeProblem!(object);
  if (problem !== undefined) return { problem };
  const unknown = prune(object as unknown as JsonObject, versions[0]!.schema).map(unknownField);
  strategy.defaults?.(object);
  strategy.prepareCreate?.(object);
  const errors = strategy.validate?.(object, undefined) ?? [];
  const causes = errors.map((error) => [error.type, error.field, error.body]);
  const { apiVersion: _1, kind: _2, metadata: _3, ...result } = object as unknown as JsonObject;
  return { ...(unknown.length === 0 ? {} : { unknown }), ...(causes.length === 0 ? { result } : { causes }) };
}

for (const { kind } of coreDefinitions) {
  test(`${kind} is read, completed and judged as by a genuine server`, () => {
    const cases = (vectors.cases as unknown as Vector[]).filter((vector) => vector.kind === kind);
    assert.ok(cases.length > 3);
    for (const { kind: _, body, ...expected } of cases) {
      const found = create(kind, body);
      const sort = (rows: string[][] | undefined): string[] | undefined => rows?.map((row) => row.join(" | ")).toSorted();
      assert.deepEqual(
        { ...found, causes: sort(found.causes) },
        { ...expected, causes: sort(expected.causes) },
        JSON.stringify(body),
      );
    }
  });
}
