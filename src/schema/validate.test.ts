import assert from "node:assert/strict";
import { test } from "node:test";
import combinations from "../../test/vectors/schema/combinations.json" with { type: "json" };
import fields from "../../test/vectors/schema/fields.json" with { type: "json" };
import formats from "../../test/vectors/schema/formats.json" with { type: "json" };
import limits from "../../test/vectors/schema/limits.json" with { type: "json" };
import lists from "../../test/vectors/schema/lists.json" with { type: "json" };
import random from "../../test/vectors/schema/random.json" with { type: "json" };
import ratcheting from "../../test/vectors/schema/ratcheting.json" with { type: "json" };
import types from "../../test/vectors/schema/types.json" with { type: "json" };
import type { JsonObject } from "#std/json.ts";
import { clone } from "#std/json.ts";
import { applyDefaults } from "./default.ts";
import type { FieldError } from "./field.ts";
import { findFormat } from "./format.ts";
import { prune } from "./prune.ts";
import { unknownField } from "./strict.ts";
import type { Schema } from "./structural.ts";
import { validate } from "./validate.ts";

interface Vector {
  object: JsonObject;
  old?: JsonObject;
  result?: JsonObject;
  causes?: string[][];
  warnings?: string[];
}

/** What the API server does with a body before it judges it. */
function admitted(vector: JsonObject, schema: Schema): { object: JsonObject; unknown: string[] } {
  const object = clone(vector);
  const unknown = prune(object, schema);
  delete object["status"];
  applyDefaults(object, schema);
  return { object, unknown };
}

/** The genuine server walks Go maps, so the order of its causes says nothing. */
function sorted(rows: readonly (readonly string[])[]): string[] {
  return rows.map((row) => row.join(" | ")).toSorted();
}

function causesOf(errors: readonly FieldError[]): string[][] {
  return errors.map((error) => [error.type, error.field, error.body]);
}

for (const [name, vectors] of Object.entries({ types, limits, fields, combinations, lists, random, ratcheting })) {
  test(`${name}: verdicts, messages, results and warnings are the genuine server's`, () => {
    const schema = vectors.schema as Schema;
    for (const vector of vectors.cases as unknown as Vector[]) {
      const { object, unknown } = admitted(vector.object, schema);
      const old = vector.old && admitted(vector.old, schema).object;
      const shown = JSON.stringify(vector);
      assert.deepEqual(sorted(causesOf(validate(object, schema, { old }))), sorted(vector.causes ?? []), shown);
      if (vector.causes !== undefined) continue;
      assert.deepEqual(object, vector.result, shown);
      assert.deepEqual(unknown.map(unknownField), vector.warnings ?? [], shown);
    }
  });
}

test("every format accepts the texts it accepts on a genuine server", () => {
  for (const [name, accepted] of Object.entries(formats.accepted)) {
    const accepts = findFormat(name, ["string"])!.accepts!;
    assert.deepEqual(
      formats.texts.filter(accepts),
      formats.texts.filter((text) => accepted.includes(text)),
      name,
    );
  }
});
