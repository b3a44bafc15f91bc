import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

test("src/proto is what the .proto files say (tools/proto.sh)", () => {
  const fresh = mkdtempSync(join(tmpdir(), "sidero-proto-"));
  try {
    execFileSync(fileURLToPath(new URL("tools/proto.sh", ROOT)), [fresh], { stdio: ["ignore", "ignore", "inherit"] });
    const names = globSync("**/*_pb.*", { cwd: fresh }).sort();
    assert.ok(names.length >= 4);
    assert.deepEqual(globSync("**/*_pb.*", { cwd: new URL("src/proto/", ROOT) }).sort(), names);
    for (const name of names) {
      const committed = readFileSync(new URL(`src/proto/${name}`, ROOT), "utf8");
      assert.equal(committed, readFileSync(join(fresh, name), "utf8"), name);
    }
  } finally {
    rmSync(fresh, { recursive: true });
  }
});
