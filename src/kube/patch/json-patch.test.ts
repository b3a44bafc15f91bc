import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Json } from "#std/json.ts";
import { clone } from "#std/json.ts";
import { statusOf } from "../status.ts";
import { applyJsonPatch, decodeJsonPatch, unknownPatchFields } from "./json-patch.ts";

function apply(document: Json, patch: Json): Json {
  return applyJsonPatch(clone(document), decodeJsonPatch(patch));
}

function refusal(act: () => unknown): { code: number; message: string } {
  try {
    act();
  } catch (error) {
    const { code, message = "" } = statusOf(error);
    return { code, message };
  }
  return assert.fail("was not refused");
}

const MISSES = { code: 422, message: "the server rejected our request due to an error in our request" };

describe("JSON patch", () => {
  const cases: [name: string, document: Json, patch: Json, result: Json][] = [
    ["A.1 adds an object member", { foo: "bar" }, [{ op: "add", path: "/baz", value: "qux" }], { foo: "bar", baz: "qux" }],
    ["A.2 adds an array element", { foo: ["a", "c"] }, [{ op: "add", path: "/foo/1", value: "b" }], { foo: ["a", "b", "c"] }],
    ["A.3 removes a member", { a: 1, b: 2 }, [{ op: "remove", path: "/a" }], { b: 2 }],
    ["A.4 removes an element", { foo: ["a", "b", "c"] }, [{ op: "remove", path: "/foo/1" }], { foo: ["a", "c"] }],
    ["A.5 replaces a value", { a: 1, b: 2 }, [{ op: "replace", path: "/a", value: [] }], { a: [], b: 2 }],
    [
      "A.6 moves a value",
      { foo: { a: 1, w: 2 }, q: {} },
      [{ op: "move", from: "/foo/w", path: "/q/t" }],
      { foo: { a: 1 }, q: { t: 2 } },
    ],
    [
      "A.7 moves an element",
      { foo: ["a", "b", "c", "d"] },
      [{ op: "move", from: "/foo/1", path: "/foo/3" }],
      { foo: ["a", "c", "d", "b"] },
    ],
    [
      "A.8 tests",
      { a: "x", l: ["a", 2] },
      [
        { op: "test", path: "/a", value: "x" },
        { op: "test", path: "/l/1", value: 2 },
      ],
      { a: "x", l: ["a", 2] },
    ],
    ["A.10 adds a nested object", { a: 1 }, [{ op: "add", path: "/c", value: { d: {} } }], { a: 1, c: { d: {} } }],
    [
      "A.14 escapes",
      { "/": 9, "~1": 10 },
      [
        { op: "test", path: "/~01", value: 10 },
        { op: "replace", path: "/~1", value: 1 },
      ],
      { "/": 1, "~1": 10 },
    ],
    ["A.16 appends an array to an array", { f: ["b"] }, [{ op: "add", path: "/f/-", value: ["a"] }], { f: ["b", ["a"]] }],
    [
      "copies",
      { a: { x: 1 } },
      [
        { op: "copy", from: "/a", path: "/b" },
        { op: "replace", path: "/b/x", value: 2 },
      ],
      { a: { x: 1 }, b: { x: 2 } },
    ],
    [
      "counts negative indexes from the end",
      { l: [1, 2, 3] },
      [
        { op: "remove", path: "/l/-1" },
        { op: "add", path: "/l/-1", value: 9 },
      ],
      { l: [1, 2, 9] },
    ],
    [
      "takes an absent member for null in a test",
      {},
      [
        { op: "test", path: "/a", value: null },
        { op: "test", path: "/a" },
      ],
      {},
    ],
    ["replaces the document", { a: 1 }, [{ op: "replace", path: "", value: { b: 2 } }], { b: 2 }],
    [
      "keeps __proto__ as data",
      {},
      [{ op: "add", path: "/__proto__", value: { x: 1 } }],
      JSON.parse('{"__proto__":{"x":1}}') as Json,
    ],
    ["does nothing for null", { a: 1 }, null, { a: 1 }],
  ];
  for (const [name, document, patch, result] of cases) it(name, () => assert.deepEqual(apply(document, patch), result));

  const misses: [name: string, document: Json, operation: Json][] = [
    ["A.9 a failed test", { a: "qux" }, { op: "test", path: "/a", value: "bar" }],
    ["A.12 a missing parent", { a: 1 }, { op: "add", path: "/b/c", value: 1 }],
    ["A.15 a number is not its text", { a: 10 }, { op: "test", path: "/a", value: "10" }],
    ["an absent member to remove", {}, { op: "remove", path: "/a" }],
    ["an absent member to replace", {}, { op: "replace", path: "/a", value: 1 }],
    ["an index beyond the end", { l: [1] }, { op: "add", path: "/l/2", value: 1 }],
    ["an index before the beginning", { l: [1] }, { op: "remove", path: "/l/-2" }],
    ["an index that is no number", { l: [1] }, { op: "add", path: "/l/x", value: 1 }],
    ["a path that does not start with a slash", { a: 1 }, { op: "replace", path: "a", value: 1 }],
    ["a scalar in the path", { a: 1 }, { op: "add", path: "/a/b", value: 1 }],
    ["a move into itself", { a: {} }, { op: "move", from: "/a", path: "/a/b" }],
    ["a member of the prototype", {}, { op: "remove", path: "/constructor" }],
  ];
  for (const [name, document, operation] of misses)
    it(`refuses ${name}`, () =>
      assert.deepEqual(
        refusal(() => apply(document, [operation])),
        MISSES,
      ));

  const malformed: [patch: Json, message: string][] = [
    [{}, "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"],
    [[5], "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp"],
    [
      [{ op: 5, path: "/a" }],
      "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string",
    ],
    [[{ path: "/a", op: "foo" }], 'invalid operation {"op":"foo","path":"/a"}: unsupported operation'],
    [
      [{ op: "add", path: "/a" }],
      `invalid operation {"op":"add","path":"/a"}: failed to decode 'value': operation, missing value field: missing value`,
    ],
    [
      [{ op: "copy", path: "/a" }],
      `invalid operation {"op":"copy","path":"/a"}: failed to decode 'from': operation, missing from field: missing value`,
    ],
    [
      [{ op: "remove" }],
      `invalid operation {"op":"remove"}: failed to decode 'path': operation missing path field: missing value`,
    ],
  ];
  for (const [patch, message] of malformed)
    it(`names what is malformed: ${JSON.stringify(patch)}`, () =>
      assert.deepEqual(
        refusal(() => decodeJsonPatch(patch)),
        { code: 400, message },
      ));

  it("tells members that no operation has", () => {
    assert.deepEqual(
      unknownPatchFields([
        { op: "test", path: "/a" },
        { op: "test", path: "/a", x: 1, "y z": 2 },
      ]),
      ["[1].x", "[1].y z"],
    );
  });

  it("leaves the patch alone, so that it can be applied again", () => {
    const patch: Json = [
      { op: "add", path: "/a", value: { n: 1 } },
      { op: "replace", path: "/a/n", value: 2 },
    ];
    const operations = decodeJsonPatch(patch);
    assert.deepEqual(applyJsonPatch({}, operations), { a: { n: 2 } });
    assert.deepEqual(applyJsonPatch({}, operations), { a: { n: 2 } });
  });

  it("bounds what a patch can cost", () => {
    const many = Array.from({ length: 10_001 }, () => ({ op: "test", path: "/a" }));
    assert.equal(refusal(() => decodeJsonPatch(many)).code, 413);
    const doubling = Array.from({ length: 40 }, (_, i) => ({ op: "copy", from: i === 0 ? "/a" : `/a${i - 1}`, path: `/a${i}` }));
    const nested = doubling.map((operation, i) => ({ ...operation, path: i === 0 ? "/a0" : `/a${i - 1}/x`, from: "/a" }));
    assert.equal(refusal(() => apply({ a: "x".repeat(200_000) }, doubling)).code, 422);
    assert.doesNotThrow(() => apply({ a: { b: 1 } }, nested.slice(0, 1)));
    const deep: Json[] = [{ op: "add", path: "/a", value: {} }];
    for (let i = 1; i < 600; i++) deep.push({ op: "add", path: "/a".repeat(i + 1), value: {} });
    assert.equal(refusal(() => apply({}, deep)).code, 422);
    const shifting = Array.from({ length: 1_000 }, () => ({ op: "add", path: "/l/0", value: 1 }));
    assert.equal(refusal(() => apply({ l: Array.from({ length: 100_000 }, () => 0) }, shifting)).code, 422);
  });

  it("gives a document or a fault with a Status for any patch", () => {
    const path = fc.oneof(fc.constantFrom("", "/", "/a", "/a/0", "/a/-", "/b/c", "/~0", "x"), fc.string());
    const operation = fc.record(
      { op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test", "x"), path, from: path, value: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const document = fc.dictionary(fc.constantFrom("a", "b", "~", "__proto__"), fc.jsonValue());
    fc.assert(
      fc.property(document, fc.array(operation), (object, patch) => {
        try {
          apply(object as Json, patch as Json);
        } catch (error) {
          assert.ok([400, 413, 422].includes(statusOf(error).code), String(error));
        }
      }),
    );
  });
});
