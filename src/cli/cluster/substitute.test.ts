import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "#std/fault.ts";
import { substitute, variablesOf } from "./substitute.ts";

const VALUES: Record<string, string> = { A: "demo", EMPTY: "", PATH_LIKE: "a/b/c.tar.gz", MIXED: "deMO" };
const run = (text: string): string => substitute(text, (name) => (Object.hasOwn(VALUES, name) ? VALUES[name] : undefined));

for (const [text, expected] of Object.entries({
  "name: ${A}-cp": "name: demo-cp",
  "${ A }": "demo",
  "${A:=x}${A=x}${A:-x}${A-x}": "demodemodemodemo",
  "${NONE:=x}${NONE=x}${NONE:-x}${NONE-x}": "xxxx",
  "${EMPTY:=x} ${EMPTY}": "x ",
  "${NONE:=${A}-${NONE:-y}}": "demo-y",
  "${NONE:=}": "",
  "${#A}": "4",
  "${A:1}${A:1:2}": "emoem",
  "${PATH_LIKE#*/}|${PATH_LIKE##*/}|${PATH_LIKE%.*}|${PATH_LIKE%%.*}": "b/c.tar.gz|c.tar.gz|a/b/c.tar|a/b/c",
  "${A/e/E}${MIXED//d/x}${A/#d/D}${A/%o/O}": "dEmoxeMODemodemO",
  "${MIXED^} ${MIXED^^} ${MIXED,} ${MIXED,,}": "DeMO DEMO deMO demo",
  "$${A} $A $(A) {A}": "${A} $A $(A) {A}",
  "no variables": "no variables",
}))
  test(text, () => assert.equal(run(text), expected));

test("names all that is missing, and what is no variable", () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(
      () => run(text),
      (error: unknown) => Fault.is(error, "cli.usage") && message.test(error.message),
    );
  refused("${B}\n${C^^}${A}", /values for B, C:/);
  refused("${B}", /a value for B:/);
  for (const text of ["x\n${A", "x\n${}", "x\n${A$B}", "x\n${1}", "x\n${A:b}"]) refused(text, /line 2 of the template/);
});

test("lists the variables, and which have defaults", () => {
  const text = "${B}${A:=1}${B:-2}${C^^}${D:=${E}}$${F}";
  assert.deepEqual(variablesOf(text), [
    { name: "A", fallback: "1" },
    { name: "B", fallback: "2" },
    { name: "C", fallback: undefined },
    { name: "D", fallback: "${E}" },
    { name: "E", fallback: undefined },
  ]);
});

test("any text whatever is a text or a fault", () => {
  const parts = fc.constantFrom("$", "{", "}", "${", "A", "NONE", ":", "=", "-", "#", "/", "%", "*", "^", ",", "\n", "1");
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 20 }), (list) => {
      for (const act of [run, variablesOf]) {
        try {
          act(list.join(""));
        } catch (error) {
          assert.ok(Fault.is(error, "cli.usage"), String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
});
