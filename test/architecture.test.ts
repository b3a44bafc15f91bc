import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { importsOf, lineCount, violations } from "../tools/architecture.ts";
import type { Sources } from "../tools/architecture.ts";
import { readLayers } from "../tools/layers.ts";

const root = new URL("../", import.meta.url);
const table = readLayers(new URL("layers.json", root));

function readSources(): Sources {
  const files = globSync("{src,test,tools,bench}/**/*.ts", { cwd: root, exclude: ["**/*_pb.d.ts"] }).sort();
  return new Map(files.map((file) => [file, readFileSync(new URL(file, root), "utf8")]));
}

test("the sources obey the rules of the house", (context) => {
  const sources = readSources();
  assert.ok(sources.size > 20, "the glob found the sources");
  const found = violations(table, sources).map(({ rule, file, message }) => `${rule}: ${file}: ${message}`);
  assert.deepEqual(found, []);
  for (const [file, text] of sources) {
    if (lineCount(text) > table.lines.soft) context.diagnostic(`${file} has ${lineCount(text)} lines (aim: ${table.lines.soft})`);
  }
});

test("imports are found in every form", () => {
  const text = [
    `import { a } from "./a.ts";`,
    `import type { B } from "#std/b.ts";`,
    `import "c";`,
    `export { d } from "./d.ts";`,
    `export type { E } from './e.ts';`,
    `import {`,
    `  f,`,
    `} from "node:f";`,
    `import * as g from "@scope/g/deep";`,
    `const h = await import("./h.ts");`,
    `const text = "no import";`,
  ].join("\n");
  assert.deepEqual(
    importsOf(text).map(({ specifier, typeOnly }) => `${typeOnly ? "type " : ""}${specifier}`),
    ["./a.ts", "type #std/b.ts", "c", "./d.ts", "type ./e.ts", "node:f", "@scope/g/deep", "./h.ts"],
  );
});

/** One offence each: a check that cannot fail proves nothing. `expected` is what is said about `src/…/bad.ts`. */
const OFFENCES: readonly { name: string; sources: Record<string, string>; expected: string }[] = [
  {
    name: "an import upwards",
    sources: { "src/std/bad.ts": `import { x } from "#kube/x.ts";`, "src/kube/x.ts": "" },
    expected: "std may not import kube",
  },
  {
    name: "an import of main",
    sources: { "src/cli/bad.ts": `import { x } from "#main/x.ts";`, "src/main/x.ts": "" },
    expected: "cli may not import main",
  },
  {
    name: "a sibling",
    sources: { "src/controllers/a/bad.ts": `import { x } from "../b/x.ts";`, "src/controllers/b/x.ts": "" },
    expected: "may not import its sibling controllers/b",
  },
  {
    name: "a way round by a relative path",
    sources: { "src/kube/bad.ts": `import { x } from "../std/x.ts";`, "src/std/x.ts": "" },
    expected: "leaves the layer",
  },
  {
    name: "what belongs to the tests, in the product",
    sources: { "src/kube/bad.ts": `import { x } from "../../test/x.ts";`, "test/x.ts": "" },
    expected: "outside src/",
  },
  { name: "a file that is not there", sources: { "src/kube/bad.ts": `import { x } from "./x.ts";` }, expected: "does not exist" },
  {
    name: "Node outside its door",
    sources: { "src/io/bad.ts": `import { x } from "node:fs";` },
    expected: "may not import node:fs",
  },
  { name: "an unknown package", sources: { "src/kube/bad.ts": `import x from "left-pad";` }, expected: "the package left-pad" },
  {
    name: "a test package in the product",
    sources: { "src/kube/bad.ts": `import fc from "fast-check";` },
    expected: "fast-check",
  },
  { name: "a folder that is no layer", sources: { "src/stuff/bad.ts": "" }, expected: "in no layer" },
  {
    name: "a cycle",
    sources: { "src/kube/bad.ts": `import { x } from "./x.ts";`, "src/kube/x.ts": `import { y } from "./bad.ts";` },
    expected: "src/kube/bad.ts → src/kube/x.ts → src/kube/bad.ts",
  },
  { name: "a clock", sources: { "src/decide/bad.ts": "const now = Date.now();" }, expected: "Date.now" },
  { name: "today's date", sources: { "src/decide/bad.ts": "const now = new Date();" }, expected: "new Date()" },
  { name: "chance", sources: { "src/schema/bad.ts": "const x = Math.random();" }, expected: "Math.random" },
  { name: "a timer", sources: { "src/kinds/bad.ts": "setTimeout(run, 1);" }, expected: "setTimeout" },
  { name: "the process", sources: { "src/std/bad.ts": "const x = process.env;" }, expected: "process" },
  { name: "a Buffer as a type", sources: { "src/std/bad.ts": "function f(x: Buffer): void {}" }, expected: "Buffer" },
  { name: "a long file", sources: { "src/kube/bad.ts": "x;\n".repeat(601) }, expected: "601 lines" },
  { name: "a camelCase file", sources: { "src/kube/badName.ts": "" }, expected: "kebab-case" },
  { name: "an empty name", sources: { "src/kube/bad-utils.ts": "" }, expected: `"utils" says nothing` },
];

for (const { name, sources, expected } of OFFENCES) {
  test(`noticed: ${name}`, () => {
    const found = violations(table, new Map(Object.entries(sources)));
    assert.equal(found.length, 1, JSON.stringify(found));
    assert.ok(found[0]!.message.includes(expected), found[0]!.message);
  });
}

test("what is allowed is not noticed", () => {
  const sources = new Map([
    [
      "src/std/good.ts",
      `/** Date.now() in a comment. */\nexport const text = "processed";\nconst at = new Date(0);\nbuffer.crypto.sign();`,
    ],
    [
      "src/std/good.test.ts",
      `import fc from "fast-check";\nimport { test } from "node:test";\nimport { text } from "./good.ts";`,
    ],
    ["src/io/node/disk.ts", `import { open } from "node:fs/promises";\nimport type { A } from "./other.ts";`],
    ["src/io/node/other.ts", `import { B } from "./disk.ts";\nimport { Agent } from "undici";`],
    ["src/main/up.ts", `import { x } from "node:fs";\nimport { text } from "#std/good.ts";`],
  ]);
  assert.deepEqual(violations(table, sources), []);
});
