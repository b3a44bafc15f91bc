import assert from "node:assert/strict";
import { test } from "node:test";
import { warningHeaders } from "./warning.ts";

test("each text once, quoted", () => {
  assert.deepEqual(warningHeaders(['unknown field "spec.a"', "b\\c", 'unknown field "spec.a"', ""]), [
    '299 - "unknown field \\"spec.a\\""',
    '299 - "b\\\\c"',
  ]);
});

test("what cannot be in a header is left out", () => {
  assert.deepEqual(warningHeaders(["a\nb", "c\u0000", "d"]), ['299 - "d"']);
});

test("many long texts are cut and bounded as a whole", () => {
  const headers = warningHeaders(Array.from({ length: 100 }, (_, i) => `${i}${"x".repeat(1000)}`));
  assert.equal(headers.length, 16);
  for (const header of headers) assert.equal(header.length, '299 - ""'.length + 256);
  assert.equal(warningHeaders(["é".repeat(4096)])[0]!.length, '299 - ""'.length + 4096);
  assert.equal(warningHeaders(["😀".repeat(5000)])[0], `299 - "${"😀".repeat(256)}"`);
});
