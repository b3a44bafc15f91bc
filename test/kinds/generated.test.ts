import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { crdFiles } from "../../tools/crds.ts";
import { referencePages } from "../../tools/reference.ts";

const ROOT = new URL("../../", import.meta.url);

test("deploy/crds is what the kinds say (make crds)", () => {
  const directory = new URL("deploy/crds/", ROOT);
  const expected = crdFiles();
  assert.deepEqual(readdirSync(directory).sort(), [...expected.keys()].sort());
  for (const [name, text] of expected) assert.equal(readFileSync(new URL(name, directory), "utf8"), text, name);
});

test("docs/reference is what kinds and settings say (make generate)", () => {
  for (const [name, text] of referencePages()) {
    assert.equal(readFileSync(new URL(`docs/reference/${name}`, ROOT), "utf8"), text, name);
  }
});
