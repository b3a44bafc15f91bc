import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { clone, isObject, type Json, type JsonObject } from "#std/json.ts";
import { applyPatch, fieldsBefore, fieldsOf } from "./fields.ts";
import { valueAt } from "./variables.ts";

describe("what is set stays set, what is no longer set goes, what others set stays", () => {
  const cases: [name: string, current: JsonObject, wanted: JsonObject, before: string[], patch: JsonObject | undefined][] = [
    ["nothing to do", { a: 1, other: 2 }, { a: 1 }, ["/a"], undefined],
    ["another value", { a: 1 }, { a: 2 }, ["/a"], { a: 2 }],
    ["no longer set", { a: 1, b: 2 }, { a: 1 }, ["/a", "/b"], { b: null }],
    ["of others", { a: 1, b: 2 }, { a: 1 }, ["/a"], undefined],
    ["no longer set, and gone", { a: 1 }, { a: 1 }, ["/a", "/b/c"], undefined],
    ["deep", { s: { x: 1, y: 2, z: 3 } }, { s: { x: 1 } }, ["/s/x", "/s/y"], { s: { y: null } }],
    ["a list is one value", { l: [1, 2] }, { l: [1] }, ["/l"], { l: [1] }],
    ["was a value, is an object", { a: 1 }, { a: { b: 1 } }, ["/a"], { a: { b: 1 } }],
    ["was empty, is an object", { a: {} }, { a: { b: 1 } }, ["/a"], { a: { b: 1 } }],
    [
      "keys with slashes",
      { l: { "x/y": "1", "p~q": "2" } },
      { l: {} },
      ["/l/x~1y", "/l/p~0q"],
      { l: { "x/y": null, "p~q": null } },
    ],
  ];
  for (const [name, current, wanted, before, patch] of cases)
    test(name, () => assert.deepEqual(applyPatch(current, wanted, before), patch));

  test("once patched there is nothing more to patch, whatever was there", () => {
    const key = fc.constantFrom("a", "b", "c/d", "~");
    const leaf = fc.oneof(fc.integer(), fc.constant("x"), fc.constant([1]));
    const object = fc.letrec<{ node: JsonObject }>((tie) => ({
      node: fc.dictionary(key, fc.oneof({ maxDepth: 3 }, leaf, tie("node")), { maxKeys: 3 }) as fc.Arbitrary<JsonObject>,
    })).node;
    const run = fc.property(object, object, object, (others, first, second) => {
      const now = applyMergePatch(clone(others), applyPatch(others, first, []) ?? {}) as JsonObject;
      const next = applyMergePatch(clone(now), applyPatch(now, second, fieldsOf(first)) ?? {}) as JsonObject;
      assert.equal(applyPatch(next, second, fieldsOf(second)), undefined);
      for (const field of fieldsOf(second)) assert.notEqual(at(next, field), undefined, field);
    });
    fc.assert(run, { numRuns: 500 });
  });

  test("a record that is none remembers nothing", () => {
    for (const text of [undefined, "", "{", "7", '{"a":1}']) assert.deepEqual(fieldsBefore(text), []);
    assert.deepEqual(fieldsBefore('["/a",7]'), ["/a"]);
  });
});

/** RFC 7386. */
function applyMergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyMergePatch(result[key] ?? null, value);
  }
  return result;
}

function at(object: JsonObject, path: string): unknown {
  const steps = path
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return steps.reduce<unknown>((value, step) => (isObject(value) ? value[step] : undefined), object);
}

describe("a part of a variable", () => {
  const values = { a: { list: [{ b: 7 }], text: "x" }, empty: "" };
  for (const [path, value] of [
    ["a.text", "x"],
    ["a.list[0].b", 7],
    ["a.list[1]", undefined],
    ["a.text.more", undefined],
    ["empty", ""],
    ["constructor", undefined],
  ] as const)
    test(path, () => assert.deepEqual(valueAt(values, path), value));
});
