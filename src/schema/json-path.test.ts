import assert from "node:assert/strict";
import { test } from "node:test";
import paths from "../../test/vectors/schema/paths.json" with { type: "json" };
import { Fault } from "#std/fault.ts";
import { compileJsonPath, fieldNames, jsonPathProblem } from "./json-path.ts";

const machine = {
  metadata: { name: "m", labels: { "a.b/c": "x" } },
  spec: { ready: true, count: 3, none: null },
  status: {
    conditions: [
      { type: "Ready", status: "True", age: 5 },
      { type: "Clean", status: "False", age: 9 },
    ],
    addresses: ["a", "b", "c", "d"],
  },
};

test("a path finds what client-go finds", () => {
  const found: [string, unknown[]][] = [
    [".metadata.name", ["m"]],
    [".spec.count", [3]],
    [".spec.none", [null]],
    [".spec.none.x", []],
    [".spec.absent.deeper", []],
    [".metadata.labels.a\\.b/c", ["x"]],
    [".metadata.labels['a\\.b/c']", ["x"]],
    ['.status.conditions[?(@.type=="Ready")].status', ["True"]],
    [".status.conditions[?(@.type == 'Clean')].status", ["False"]],
    [".status.conditions[?(@.age>5)].type", ["Clean"]],
    [".status.conditions[?(@.age<=5)].type", ["Ready"]],
    [".status.conditions[?(@.missing)].type", []],
    [".status.conditions[?(@.type!='Ready')].age", [9]],
    [".status.conditions[?(@.age=='x')].type", []],
    [".status.conditions[*].type", ["Ready", "Clean"]],
    [".status.addresses[0]", ["a"]],
    [".status.addresses[-1]", ["d"]],
    [".status.addresses[1:3]", ["b", "c"]],
    [".status.addresses[::2]", ["a", "c"]],
    [".status.addresses[-2:]", ["c", "d"]],
    [".status.addresses[0,2]", ["a", "c"]],
    [".status.addresses[9]", []],
    [".spec[0]", []],
    [".status.conditions.type", []],
    ["..age", [5, 9]],
    [".spec.*", [true, 3, null]],
    ["$.metadata.name", ["m"]],
    ["", [machine]],
  ];
  for (const [path, expected] of found) {
    assert.deepEqual(compileJsonPath(path)(machine), expected, path);
  }
});

test("the first value a path finds is the one a genuine server prints", () => {
  for (const [path, cell] of paths.cells) {
    const [value] = compileJsonPath(path!)(paths.object);
    const text = value === undefined || typeof value === "string" ? value : JSON.stringify(value);
    // Go prints a null that was found as a value of its own.
    const expected = cell === "<no value>" ? "null" : (cell ?? undefined);
    assert.deepEqual(typeof value === "object" && value !== null ? value : text, parse(expected, value), path!);
  }
});

/** Compound cells are JSON with sorted keys: compared as values. */
function parse(cell: string | undefined, value: unknown): unknown {
  return typeof value === "object" && value !== null && cell !== undefined ? JSON.parse(cell) : cell;
}

test("inherited properties are not found", () => {
  assert.deepEqual(compileJsonPath(".spec.constructor")(machine), []);
});

test("a path that does not parse is refused", () => {
  const problems: [string, string][] = [
    [".a[", "unterminated array"],
    [".a[x]", "invalid array index x"],
    [".a[?(@.b==1]", "unterminated filter"],
    [".a[?(@.b==1)", "unclosed array expect ]"],
    ["....a", "invalid multiple recursive descent"],
    ["&", "unrecognized character in action: U+0026 '&'"],
    ["'a", "unterminated quoted string"],
    ["metadata", "unrecognized identifier metadata"],
  ];
  for (const [path, problem] of problems) assert.equal(jsonPathProblem(path), problem, path);
  assert.throws(
    () => compileJsonPath(".a["),
    (error) => Fault.is(error, "schema.json-path"),
  );
  assert.equal(jsonPathProblem(".a.b"), undefined);
});

test("chained descents stay bounded", () => {
  let deep: unknown = 1;
  for (let i = 0; i < 300; i++) deep = { a: deep, b: 1 };
  const started = performance.now();
  assert.ok(compileJsonPath("..a..a..a")(deep).length > 0);
  assert.ok(performance.now() - started < 10_000);
});

test("a simple path is its names", () => {
  assert.deepEqual(fieldNames(".spec.replicas"), ["spec", "replicas"]);
});
