import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compilePattern, patternProblem } from "./matcher.ts";

function matches(pattern: string, text: string): boolean {
  assert.equal(patternProblem(pattern), undefined, pattern);
  return compilePattern(pattern)(text);
}

test("what RE2 and JavaScript have in common matches alike", () => {
  const atom = fc.constantFrom(
    "a",
    "b",
    "-",
    ".",
    "[ab]",
    "[^a]",
    "[a-c]",
    "\\d",
    "\\w",
    "\\s",
    "\\b",
    "^",
    "$",
    "\\.",
    "é",
    "[\\d-]",
  );
  const pattern = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { depthSize: "small" },
      atom,
      fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => a + b),
      fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `(${a}|${b})`),
      fc.tuple(tie("expression"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}", "{2,}", "*?")).map(([a, r]) => `(?:${a})${r}`),
    ),
  })).expression;
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "-", ".", "1", " ", "é", "_", "\n"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 5 }), (source, texts) => {
      const reference = new RegExp(source, "u");
      const matcher = compilePattern(source);
      for (const subject of texts)
        assert.equal(matcher(subject), reference.test(subject), `${source} on ${JSON.stringify(subject)}`);
    }),
    { numRuns: 500 },
  );
});

test("what only RE2 has", () => {
  assert.ok(matches("(?i)^straße$", "STRAßE"));
  assert.ok(matches("(?i:a)b", "Ab"));
  assert.ok(!matches("(?i:a)b", "AB"));
  assert.ok(matches("(?m)^b$", "a\nb\nc"));
  assert.ok(!matches("^b$", "a\nb\nc"));
  assert.ok(!matches("a$", "a\n"));
  assert.ok(matches("(?s)a.b", "a\nb"));
  assert.ok(!matches("a.b", "a\nb"));
  assert.ok(matches("\\Aab\\z", "ab"));
  assert.ok(matches("^[[:alpha:]_]+$", "ab_"));
  assert.ok(matches("^[^[:space:]]+$", "ab"));
  assert.ok(matches("^\\Qa.b*\\E+$", "a.b**"));
  assert.ok(matches("^\\x41\\x{1F600}\\101$", "A😀A"));
  assert.ok(matches("^\\pL\\p{Greek}\\P{L}$", "aω1"));
  assert.ok(matches("^(?P<year>\\d{4})(?<rest>-)?$", "2026-"));
  assert.ok(matches("^a{,2}$", "a{,2}"));
  assert.ok(matches("^[]a]+$", "]a"));
  assert.ok(matches("^[a\\-z]$", "-"));
  assert.ok(matches("^😀{2}$", "😀😀"));
  assert.ok(matches("", "anything"));
});

test("what RE2 does not have is refused with Go's message", () => {
  assert.equal(patternProblem("(?=a)"), "error parsing regexp: invalid or unsupported Perl syntax: `(?=`");
  assert.equal(patternProblem("(a)\\1"), "error parsing regexp: invalid escape sequence: `\\1`");
  assert.equal(patternProblem("a{1001}"), "error parsing regexp: invalid repeat count: `{1001}`");
  assert.match(patternProblem("((a{1000}){1000}){1000}")!, /expression too large/);
  assert.match(patternProblem("(".repeat(5000))!, /expression nests too deeply/);
  assert.equal(compilePattern("(")("("), false);
});

test("no pattern backtracks", () => {
  const long = "a".repeat(50_000);
  const started = performance.now();
  for (const pattern of [
    "(a*)*b",
    "(a|a)*b",
    "(a+)+$b",
    "a*a*a*a*a*b",
    "(.*)(.*)(.*)(.*)b",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(a?){500}a{500}b",
  ]) {
    assert.equal(matches(pattern, long), false, pattern);
  }
  assert.ok(performance.now() - started < 30_000);
});
