import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "#std/fault.ts";
import {
  defaultArguments,
  formatArgument,
  formatArguments,
  overrideArguments,
  parseArguments,
  sortArguments,
} from "./argument.ts";
import type { Argument } from "./argument.ts";

/** `key` or `key→value`. */
function shown(text: string): string[] {
  return parseArguments(text).map(({ key, value }) => (value === undefined ? key : `${key}→${value}`));
}

test("arguments are read as Linux reads them", () => {
  assert.deepEqual(shown("  quiet console=ttyS0\tslab_nomerge= panic=30\n"), [
    "quiet",
    "console→ttyS0",
    "slab_nomerge→",
    "panic→30",
  ]);
  assert.deepEqual(shown('dyndbg="file a.c +p" "x=a b" "two words" y'), ["dyndbg→file a.c +p", "x→a b", "two words", "y"]);
  assert.deepEqual(shown("=a=b ==c a=b=c"), ["=a→b", "=→c", "a→b=c"], "the first place is never a separator");
  assert.deepEqual(shown('a="b"c d=e"f g"'), ['a→b"c', 'd→e"f g"'], "quotes inside stay");
  assert.deepEqual(shown('a="never closed b=c'), ["a→never closed b=c"]);
  assert.deepEqual(shown('a=" b'), ["a→ b"]);
  assert.deepEqual(shown('"" "'), ["", ""]);
  assert.deepEqual(shown(""), []);
});

test("arguments are written bare where they can be, quoted where they must", () => {
  assert.equal(formatArgument({ key: "quiet" }), "quiet");
  assert.equal(formatArgument({ key: "slab_nomerge", value: "" }), "slab_nomerge=");
  assert.equal(formatArgument({ key: "a", value: "b c" }), 'a="b c"');
  assert.equal(formatArgument({ key: "a b", value: "c" }), '"a b=c"');
  assert.equal(formatArgument({ key: "a", value: 'x"y z"' }), 'a=x"y z"');
  assert.equal(formatArgument({ key: "a", value: '"q"' }), 'a=""q""');
});

test("what no command line can have is refused, with the argument in the facts", () => {
  const bad: Argument[] = [
    { key: "a", value: 'x y"' },
    { key: "a", value: 'one"' },
    { key: "a=b" },
    { key: "a=b", value: "c" },
    { key: "a", value: "line\nbreak" },
    { key: "a", value: "nul\0" },
    { key: "ä" },
  ];
  for (const argument of bad) {
    assert.throws(
      () => formatArgument(argument),
      (error) => Fault.is(error, "ipxe.argument") && error.fault === "caller" && error.facts["argument"] === argument,
      JSON.stringify(argument),
    );
  }
});

test("extra arguments replace all of their key, at its place; new ones come last", () => {
  const base = parseArguments("console=tty0 console=ttyS0 init_on_alloc=1 panic=30 quiet");
  const result = overrideArguments(base, parseArguments("console=ttyS1 new=1 console=ttyS2 init-on-alloc=0"));
  assert.equal(formatArguments(result), "console=ttyS1 console=ttyS2 init-on-alloc=0 panic=30 quiet new=1");
});

test("defaults are added where the key is missing, before the arguments of init", () => {
  const result = defaultArguments(parseArguments("talos.config=none -- single a=b"), parseArguments("talos.config=x a=c"));
  assert.equal(formatArguments(result), "talos.config=none a=c -- single a=b");
  assert.equal(formatArguments(overrideArguments(parseArguments("x=1 -- x=2"), parseArguments("x=3"))), "x=3 -- x=2");
});

test("sorted by text", () => {
  assert.equal(formatArguments(sortArguments(parseArguments("b a=2 a=10 B"))), "B a=10 a=2 b");
});

const text = fc.string({ unit: fc.constantFrom("a", "b", " ", '"', "=", "-", "\t", "é", "$"), maxLength: 8 });
const argument = fc.record({ key: text, value: text }, { requiredKeys: ["key"], noNullPrototype: true });

test("what is written is read back, or refused", () => {
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 5 }), (all) => {
      const writable = all.filter((one) => {
        try {
          formatArgument(one);
          return true;
        } catch (error) {
          assert.ok(Fault.is(error, "ipxe.argument"));
          return false;
        }
      });
      assert.deepEqual(parseArguments(formatArguments(writable)), writable);
    }),
    { numRuns: 2000 },
  );
});

test("anything can be read, in time that grows with its length", () => {
  fc.assert(fc.property(fc.string(), (any) => void parseArguments(any)));
  const started = performance.now();
  for (const unit of ['"', "= ", '" ', "a="]) parseArguments(unit.repeat(100_000));
  assert.ok(performance.now() - started < 10_000);
});
