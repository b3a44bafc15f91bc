import assert from "node:assert/strict";
import { test } from "node:test";
import vectors from "../../test/vectors/schema/selectors.json" with { type: "json" };
import { parseFieldSelector } from "./field-selector.ts";
import { FieldPath } from "./field.ts";
import { compileSelector, parseSelector, validateSelector } from "./selector.ts";

test("label selectors are accepted and refused as a genuine server does", () => {
  for (const [text, problem] of vectors.label) {
    const result = parseSelector(text!);
    assert.equal("problem" in result ? result.problem : null, problem, JSON.stringify(text));
  }
});

test("field selectors are accepted and refused as a genuine server does", () => {
  const isSupported = (field: string): boolean => field === "metadata.name" || field === "metadata.namespace";
  for (const [text, problem] of vectors.field) {
    const result = parseFieldSelector(text!, isSupported);
    assert.equal("problem" in result ? result.problem : null, problem, JSON.stringify(text));
  }
});

function matches(text: string, labels: Record<string, string>): boolean {
  const result = parseSelector(text);
  assert.ok("selector" in result, text);
  return result.selector.matches(labels);
}

test("a label selector matches by every requirement", () => {
  const labels = { a: "1", b: "x", "example.com/c": "" };
  for (const text of [
    "",
    "a",
    "a=1",
    "a==1,b!=y",
    "b in (x,y)",
    "b notin (y)",
    "z notin (y)",
    "!z",
    "a>0,a<2",
    "example.com/c=",
  ]) {
    assert.equal(matches(text, labels), true, text);
  }
  for (const text of ["!a", "a=2", "a!=1", "b in (y)", "b notin (x)", "z", "z=", "a>1", "b>0", "z>0", "a,z"]) {
    assert.equal(matches(text, labels), false, text);
  }
  assert.equal(matches("toString", {}), false);
});

test("the object form compiles to the same matcher", () => {
  const selector = compileSelector({
    matchLabels: { a: "1" },
    matchExpressions: [
      { key: "b", operator: "In", values: ["x", "y"] },
      { key: "c", operator: "DoesNotExist" },
    ],
  });
  assert.equal(selector.matches({ a: "1", b: "y" }), true);
  assert.equal(selector.matches({ a: "1", b: "y", c: "" }), false);
  assert.equal(selector.matches({ a: "1" }), false);
  assert.equal(compileSelector({}).isEmpty, true);
  assert.equal(compileSelector({ matchExpressions: [{ key: "a", operator: "Near", values: ["1"] }] }).matches({ a: "1" }), false);
});

test("a selector object's mistakes are named by field", () => {
  const errors = validateSelector(
    {
      matchLabels: { ok: "-" },
      matchExpressions: [
        { key: "a", operator: "In" },
        { key: "b", operator: "Exists", values: ["x"] },
        { key: "-", operator: "Near" },
      ],
    },
    FieldPath.of("spec", "selector"),
  );
  assert.deepEqual(
    errors.map((error) => [error.field, error.body.split(":").slice(0, 2).join(":")]),
    [
      ["spec.selector.matchLabels", 'Invalid value: "-"'],
      ["spec.selector.matchExpressions[0].values", "Required value: must be specified when `operator` is 'In' or 'NotIn'"],
      [
        "spec.selector.matchExpressions[1].values",
        "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      ],
      ["spec.selector.matchExpressions[2].operator", 'Invalid value: "Near"'],
      ["spec.selector.matchExpressions[2].key", 'Invalid value: "-"'],
    ],
  );
});

test("a field selector matches by text and knows exact values", () => {
  const result = parseFieldSelector("metadata.name=a\\,b,spec.x!=1", () => true);
  assert.ok("selector" in result);
  assert.equal(result.selector.exact("metadata.name"), "a,b");
  assert.equal(result.selector.exact("spec.x"), undefined);
  const fields: Record<string, string> = { "metadata.name": "a,b", "spec.x": "2" };
  assert.equal(
    result.selector.matches((field) => fields[field] ?? ""),
    true,
  );
  fields["spec.x"] = "1";
  assert.equal(
    result.selector.matches((field) => fields[field] ?? ""),
    false,
  );
});
