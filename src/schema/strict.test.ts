import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import vectors from "../../test/vectors/schema/json.json" with { type: "json" };
import { Fault } from "#std/fault.ts";
import { syntaxProblem } from "./json-text.ts";
import { duplicateField, parseJson } from "./strict.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function problem(bytes: Uint8Array, maxDepth = 500): string {
  try {
    parseJson(bytes, { maxDepth });
  } catch (error) {
    assert.ok(Fault.is(error) && error.fault === "caller");
    return error.message;
  }
  return "";
}

test("faulty JSON is refused in a genuine server's words", () => {
  for (const [hex = "", message] of vectors.syntax) {
    const bytes = (hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
    assert.equal(problem(Uint8Array.from(bytes)), message, hex);
  }
});

test("any text is either read as JSON.parse reads it or refused with its first fault", () => {
  const fragment = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    '"',
    '"a"',
    "1",
    "-",
    ".",
    "e",
    "0",
    "true",
    "nul",
    "\\",
    "u00e9",
    " ",
    "é",
    "\n",
  );
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      let expected: unknown;
      try {
        expected = JSON.parse(text);
      } catch {
        assert.match(problem(encode(text)), /^(invalid character|unexpected end)/);
        return;
      }
      assert.deepEqual(parseJson(encode(text)).value, expected);
      assert.equal(syntaxProblem(encode(text)), undefined);
    }),
    { numRuns: 2000 },
  );
});

test("JSON of any value comes back without duplicates", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      const parsed = parseJson(encode(text));
      assert.equal(JSON.stringify(parsed.value), text);
      assert.deepEqual(parsed.duplicates, []);
    }),
  );
});

test("half a surrogate pair becomes U+FFFD, a whole one and what only looks like one stay", () => {
  const text = String.raw`["\ud800","\udc00\ud83d\ude00","\\ud800","\ud83dx",{"\uDFFF":1}]`;
  const expected = ["\ufffd", "\ufffd\u{1f600}", String.raw`\ud800`, "\ufffdx", { "\ufffd": 1 }];
  assert.deepEqual(parseJson(encode(text)).value, expected);
});

test("duplicate fields are named by path, once", () => {
  const duplicates = (text: string): readonly string[] => parseJson(encode(text)).duplicates;
  assert.deepEqual(duplicates('{"a":{"b":1,"b":2},"a":{"b":3}}'), ["a.b", "a"]);
  assert.deepEqual(duplicates('{"l":[{"x":1},{"x":1,"x":2,"x":3}]}'), ["l[1].x"]);
  assert.deepEqual(duplicates('{"\\u0061":1,"a":2}'), ["a"]);
  assert.deepEqual(duplicates('{"__proto__":1,"__proto__":2}'), ["__proto__"]);
  assert.deepEqual(duplicates('{"a":":::","b":[{},{}]}'), []);
  const many = Array.from({ length: 500 }, (_, i) => `"k${i}":1,"k${i}":2`).join();
  assert.equal(duplicates(`{${many}}`).length, 100);
  assert.equal(duplicateField('q"'), 'duplicate field "q\\""');
});

test("depth is bounded before anything recursive sees the value", () => {
  const nested = (depth: number): Uint8Array => encode("[".repeat(depth) + "]".repeat(depth));
  assert.equal(problem(nested(500)), "");
  assert.equal(problem(nested(501)), "invalid character '[' exceeded max depth");
  assert.equal(problem(encode('{"a":'.repeat(1_000_000))), "invalid character '{' exceeded max depth");
});

test("no number is changed silently", () => {
  for (const number of [
    "9007199254740991",
    "-9007199254740991",
    "9007199254740992",
    "100000000000000000000000",
    "1.5",
    "1e3",
    "-0",
  ]) {
    assert.equal(problem(encode(`{"a":${number}}`)), "", number);
  }
  for (const number of ["9007199254740993", "-9223372036854775807"]) {
    assert.match(problem(encode(`[${number}]`)), /^number .* cannot be kept exactly/, number);
  }
  assert.equal(problem(encode("[1e400]")), "json: cannot unmarshal number 1e400 into Go value of type float64");
});
