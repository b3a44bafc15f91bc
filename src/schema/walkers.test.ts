import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Json, JsonObject } from "#std/json.ts";
import { clone } from "#std/json.ts";
import { applyDefaults } from "./default.ts";
import { prune } from "./prune.ts";
import type { Schema } from "./structural.ts";
import { validate } from "./validate.ts";

const NAMES = ["a", "b", "c", "__proto__", "constructor"];

/** Structural schemas with defaults of the right type. */
const schemas = fc.letrec<{ any: Schema }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    fc.record({ type: fc.constant("string" as const), default: fc.string({ maxLength: 3 }) }, { requiredKeys: ["type"] }),
    fc.record(
      { type: fc.constant("integer" as const), nullable: fc.boolean(), minimum: fc.integer({ min: -3, max: 3 }) },
      { requiredKeys: ["type"] },
    ),
    fc.constant<Schema>({ "x-kubernetes-preserve-unknown-fields": true }),
    tie("any").map((items): Schema => ({ type: "array", items })),
    tie("any").map((additionalProperties): Schema => ({ type: "object", additionalProperties })),
    fc
      .dictionary(fc.constantFrom(...NAMES), tie("any"), { maxKeys: 3 })
      .map((properties): Schema => ({ type: "object", properties: { ...properties } })),
  ),
})).any;

const root = fc
  .dictionary(fc.constantFrom(...NAMES), schemas, { maxKeys: 4 })
  .map((properties): Schema => ({ type: "object", properties }));

const bodies = fc
  .dictionary(fc.constantFrom(...NAMES, "unknown"), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 4 })
  .map((body) => clone(body as JsonObject));

test("pruning and defaulting come to rest, and the walkers bear any object", () => {
  fc.assert(
    fc.property(root, bodies, (schema, body) => {
      const object = clone(body);
      const reported = prune(object, schema);
      assert.deepEqual(reported, reported.toSorted());
      assert.deepEqual(prune(clone(object), schema), []);
      applyDefaults(object, schema);
      const again = clone(object);
      prune(again, schema);
      applyDefaults(again, schema);
      assert.deepEqual(again, object);
      for (const error of validate(object, schema)) assert.notEqual(error.body, "");
      assert.deepEqual(Object.getPrototypeOf(object), Object.prototype);
    }),
    { numRuns: 300 },
  );
});

test("what has not changed is not held against an update", () => {
  fc.assert(
    fc.property(root, bodies, (schema, body) => {
      const object = clone(body);
      prune(object, schema);
      assert.deepEqual(validate(object, schema, { old: clone(object) }), []);
    }),
    { numRuns: 300 },
  );
});

test("a default is a copy, and defaults within it apply", () => {
  const schema: Schema = {
    type: "object",
    properties: {
      list: { type: "array", default: [{}], items: { type: "object", properties: { n: { type: "integer", default: 1 } } } },
    },
  };
  const [first, second]: JsonObject[] = [{}, {}];
  applyDefaults(first!, schema);
  (first!["list"] as Json[]).push("mine");
  applyDefaults(second!, schema);
  assert.deepEqual(second, { list: [{ n: 1 }] });
  assert.deepEqual(schema.properties!["list"]!.default, [{}]);
});

test("a schema that contains itself can be walked", () => {
  const tree: Schema = { type: "object", properties: { name: { type: "string", maxLength: 1 } } };
  tree.properties!["child"] = tree;
  const object: JsonObject = { child: { child: { name: "too long", bogus: 1 } } };
  assert.deepEqual(prune(object, tree), ["child.child.bogus"]);
  assert.deepEqual(
    validate(object, tree).map((error) => error.field),
    ["child.child.name"],
  );
});

test("what a hostile object makes the server say is bounded", () => {
  const schema: Schema = { type: "object", properties: { list: { type: "array", items: { type: "integer" } } } };
  const object: JsonObject = { list: Array.from({ length: 5000 }, () => "x") };
  for (let i = 0; i < 5000; i++) object[`unknown${i}`] = 1;
  assert.equal(prune(object, schema).length, 100);
  assert.equal(Object.keys(object).length, 1);
  assert.equal(validate(object, schema).length, 200);
});
