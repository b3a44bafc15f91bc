import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Json, JsonObject } from "#std/json.ts";
import { clone } from "#std/json.ts";
import { applyMergePatch } from "./merge-patch.ts";

describe("merge patch", () => {
  // RFC 7386 appendix A, the cases whose target and patch are objects.
  const cases: [target: JsonObject, patch: JsonObject, result: Json][] = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    // What Kubernetes' library does beyond the RFC.
    [{}, { a: [{ b: null, c: 1 }, null] }, { a: [{ c: 1 }, null] }],
    [{ a: 1 }, JSON.parse('{"__proto__":{"x":1}}') as JsonObject, JSON.parse('{"a":1,"__proto__":{"x":1}}') as Json],
  ];
  for (const [target, patch, result] of cases) {
    it(`${JSON.stringify(target)} + ${JSON.stringify(patch)}`, () =>
      assert.deepEqual(applyMergePatch(clone(target), patch), result));
  }

  const object = fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__"), fc.jsonValue({ maxDepth: 3 }), {
    noNullPrototype: true,
  }) as fc.Arbitrary<JsonObject>;

  it("changes nothing the second time, and shares nothing with the patch", () => {
    fc.assert(
      fc.property(object, object, (target, patch) => {
        const before = clone(patch);
        const once = applyMergePatch(clone(target), patch);
        const twice = applyMergePatch(clone(once), patch);
        assert.deepEqual(twice, once);
        assert.deepEqual(patch, before);
      }),
    );
  });
});
