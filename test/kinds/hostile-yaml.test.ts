import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { checkRules } from "#schema/rules.ts";

const SIZE = 250_000;
const HOSTILE = {
  "open brackets": "[".repeat(SIZE),
  "open braces": "{a: ".repeat(SIZE / 4),
  "nested lists": "- ".repeat(SIZE / 2),
  "empty items": `[${",".repeat(SIZE)}`,
  "many keys": Array.from({ length: SIZE / 10 }, (_, i) => `k${i}: v`).join("\n"),
  "repeated keys": "a: 1\n".repeat(SIZE / 5),
  aliases: "*a ".repeat(SIZE / 3),
  "alias bomb": Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]`).join("\n"),
  "many documents": "---\na: 1\n".repeat(SIZE / 9),
};

// The parser's own search for repeated keys and its pretty errors take minutes on some of these.
for (const [name, text] of Object.entries(HOSTILE)) {
  test(`a strategic patch made to take long is judged in time: ${name}`, () => {
    const start = performance.now();
    const errors = checkRules(ServerClass.root, { spec: { strategicPatches: [text] } }, undefined);
    assert.ok(performance.now() - start < 60_000);
    assert.ok(errors.length <= 1);
  });
}
