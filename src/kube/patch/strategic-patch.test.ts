import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Schema } from "#schema/structural.ts";
import type { JsonObject } from "#std/json.ts";
import { clone } from "#std/json.ts";
import { statusOf } from "../status.ts";
import { applyStrategicPatch } from "./strategic-patch.ts";

const named: Schema = { type: "object", properties: { name: { type: "string" }, value: { type: "string" } } };
const schema: Schema = {
  type: "object",
  properties: {
    list: { type: "array", items: named, "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name" },
    nested: {
      type: "array",
      "x-kubernetes-patch-strategy": "merge",
      "x-kubernetes-patch-merge-key": "name",
      items: {
        type: "object",
        properties: {
          inner: { type: "array", items: named, "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name" },
        },
      },
    },
    set: { type: "array", items: { type: "string" }, "x-kubernetes-patch-strategy": "merge" },
    atomic: { type: "array", items: { type: "string" } },
    strategy: { type: "object", "x-kubernetes-patch-strategy": "retainKeys" },
    whole: { type: "object", "x-kubernetes-patch-strategy": "replace" },
    keyless: { type: "array", items: named, "x-kubernetes-patch-strategy": "merge" },
    map: { type: "object", additionalProperties: { type: "string" } },
  },
};

const list = (...names: string[]): JsonObject[] => names.map((name) => ({ name }));
const names = (value: unknown): string[] => (value as { name: string }[]).map((item) => item.name);

describe("strategic merge patch", () => {
  const cases: [name: string, object: JsonObject, patch: JsonObject, result: JsonObject][] = [
    [
      "merges maps and drops nulls",
      { map: { a: "1", b: "2" } },
      { map: { b: null, c: "3", d: null } },
      { map: { a: "1", c: "3" } },
    ],
    [
      "merges elements by their key",
      { list: [{ name: "a", value: "1" }, { name: "b" }] },
      { list: [{ name: "a", value: "2" }] },
      { list: [{ name: "a", value: "2" }, { name: "b" }] },
    ],
    ["puts new elements first", { list: list("a") }, { list: list("b") }, { list: list("b", "a") }],
    [
      "merges within elements",
      { nested: [{ name: "x", inner: list("a") }] },
      { nested: [{ name: "x", inner: list("b") }] },
      { nested: [{ name: "x", inner: list("b", "a") }] },
    ],
    ["deletes an element", { list: list("a", "b") }, { list: [{ $patch: "delete", name: "a" }] }, { list: list("b") }],
    ["replaces a list", { list: list("a", "b") }, { list: [{ $patch: "replace" }, { name: "c" }] }, { list: list("c") }],
    ["replaces a map", { map: { a: "1" } }, { map: { $patch: "replace", b: "2" } }, { map: { b: "2" } }],
    ["deletes a map", { map: { a: "1" } }, { map: { $patch: "delete" } }, { map: {} }],
    ["deletes a map that is not there", {}, { map: { $patch: "delete" } }, {}],
    ["replaces where the schema says so", { whole: { a: 1 } }, { whole: { b: 2 } }, { whole: { b: 2 } }],
    ["unites sets", { set: ["a", "b"] }, { set: ["b", "c"] }, { set: ["a", "b", "c"] }],
    ["replaces atomic lists", { atomic: ["a"] }, { atomic: ["b"] }, { atomic: ["b"] }],
    ["deletes from a set", { set: ["a", "b", "c"] }, { "$deleteFromPrimitiveList/set": ["b"] }, { set: ["a", "c"] }],
    ["ignores deletions from a set that is not there", {}, { "$deleteFromPrimitiveList/set": ["b"] }, {}],
    [
      "clears what is not retained",
      { strategy: { type: "Rolling", rolling: { x: 1 } } },
      { strategy: { $retainKeys: ["type"], type: "Recreate" } },
      { strategy: { type: "Recreate" } },
    ],
    [
      "orders a list",
      { list: list("a", "b", "c") },
      { "$setElementOrder/list": list("c", "a", "b") },
      { list: list("c", "a", "b") },
    ],
    [
      "orders a list it adds to",
      { list: list("a", "b") },
      { "$setElementOrder/list": list("d", "a", "b"), list: list("d") },
      { list: list("d", "a", "b") },
    ],
    ["orders a new list", {}, { "$setElementOrder/list": list("b", "a"), list: list("b", "a") }, { list: list("b", "a") }],
    ["orders a set", { set: ["a", "b"] }, { "$setElementOrder/set": ["b", "c", "a"], set: ["c"] }, { set: ["b", "c", "a"] }],
    [
      "merges finalizers",
      { metadata: { finalizers: ["a"] } },
      { metadata: { finalizers: ["b"] } },
      { metadata: { finalizers: ["b", "a"] } },
    ],
    [
      "merges owners by uid",
      { metadata: { ownerReferences: [{ uid: "1", name: "a" }] } },
      { metadata: { ownerReferences: [{ uid: "1", name: "b" }] } },
      { metadata: { ownerReferences: [{ uid: "1", name: "b" }] } },
    ],
    [
      "takes another type as it is, without directives",
      { map: "x" },
      { map: { a: "1", b: null, c: { $patch: "delete" } } },
      { map: { a: "1" } },
    ],
    ["starts over with $patch at the root", { map: { a: "1" } }, { $patch: "replace", set: ["a"] }, { set: ["a"] }],
  ];
  for (const [name, object, patch, result] of cases) {
    it(name, () => {
      const before = clone(patch);
      assert.deepEqual(applyStrategicPatch(clone(object), patch, schema), result);
      assert.deepEqual(patch, before, "the patch is left alone");
    });
  }

  it("keeps elements the patch does not know near where they were", () => {
    const patch: JsonObject = { "$setElementOrder/list": list("a", "c", "e") };
    const result = applyStrategicPatch({ list: list("e", "d", "c", "b", "a") }, patch, schema);
    assert.deepEqual(names(result["list"]), ["d", "b", "a", "c", "e"]);
  });

  const refused: [patch: JsonObject, code: number, message: string][] = [
    [{ map: { $patch: "foo" } }, 500, "unknown patch type: foo in map: map[$patch:foo]"],
    [{ strategy: { $retainKeys: "x" } }, 400, "invalid patch format of retainKeys"],
    [{ strategy: { $retainKeys: ["a"], b: 1 } }, 400, "invalid patch format of retainKeys"],
    [{ $deleteFromPrimitiveListset: ["a"] }, 400, "invalid patch format of primitive list"],
    [{ $setElementOrderlist: [] }, 400, "invalid patch format of setElementOrder list"],
    [{ "$setElementOrder/list": "x" }, 500, "expected a []interface {}, but received a string"],
    [{ list: [{ value: "x" }] }, 500, "map: map[value:x] does not contain declared merge key: name"],
    [{ list: [{ $patch: "merge", name: "a" }] }, 500, "merging lists cannot yet be specified in the patch"],
    [{ list: [[]] }, 422, "the server rejected our request due to an error in our request"],
    [{ list: ["a"] }, 500, "list element types are not identical"],
    [{ keyless: [{ name: "a" }] }, 500, "cannot merge lists without merge key for list"],
  ];
  for (const [patch, code, message] of refused) {
    it(`refuses ${JSON.stringify(patch)}`, () => {
      const object = { map: {}, strategy: {}, list: list("a"), set: ["a"], keyless: [{ name: "b" }] };
      assert.throws(
        () => applyStrategicPatch(clone(object), patch, schema),
        (error) => {
          assert.deepEqual({ code: statusOf(error).code, message: statusOf(error).message }, { code, message });
          return true;
        },
      );
    });
  }

  it("merges long lists in linear time", () => {
    const many = list(...Array.from({ length: 50_000 }, (_, i) => `n${i}`));
    const start = performance.now();
    applyStrategicPatch({ list: clone(many) }, { list: many.toReversed() }, schema);
    assert.ok(performance.now() - start < 15_000);
  });
});
