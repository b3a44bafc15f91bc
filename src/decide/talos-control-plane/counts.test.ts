import assert from "node:assert/strict";
import { test } from "node:test";
import { compareSemver } from "./counts.ts";

test("versions in order: semver 2.0 §11", () => {
  const ordered = [
    "v1.9.0",
    "v1.34.0-alpha.1",
    "v1.34.0-alpha.beta",
    "v1.34.0-beta",
    "v1.34.0-beta.2",
    "v1.34.0-beta.11",
    "v1.34.0-rc.1",
    "v1.34.0",
    "v1.34.1",
    "v2.0.0",
  ];
  for (const [i, a] of ordered.entries())
    for (const [j, b] of ordered.entries()) assert.equal(Math.sign(compareSemver(a, b)), Math.sign(i - j), `${a} ${b}`);
  assert.equal(compareSemver("v1.34.0+build.1", "1.34.0"), 0);
});
