import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Fault } from "#std/fault.ts";
import { createMemoryDisk } from "./memory/disk.ts";
import { disk } from "./node/disk.ts";

const root = mkdtempSync(join(tmpdir(), "sidero-disk-"));
after(() => rmSync(root, { recursive: true }));

for (const [name, twin] of [
  ["node", disk],
  ["memory", createMemoryDisk()],
] as const) {
  const at = `${root}/${name}`;

  test(`${name}: what is written is read, and replaced`, async () => {
    await twin.makeDirectory(`${at}/a/b`, 0o700);
    await twin.makeDirectory(`${at}/a/b`, 0o700);
    assert.equal(await twin.read(`${at}/a/b/c`), undefined);
    await twin.writeAtomic(`${at}/a/b/c`, "première", 0o600);
    await twin.writeAtomic(`${at}/a/b/d`, new Uint8Array([0, 255]), 0o644);
    assert.equal(Buffer.from((await twin.read(`${at}/a/b/c`))!).toString(), "première");
    assert.deepEqual([...(await twin.read(`${at}/a/b/d`))!], [0, 255]);
    await twin.writeAtomic(`${at}/a/b/c`, "x", 0o600);
    assert.equal(Buffer.from((await twin.read(`${at}/a/b/c`))!).toString(), "x");
  });

  test(`${name}: a listing is sorted and has nothing else in it`, async () => {
    assert.deepEqual(await twin.list(`${at}/a/b`), ["c", "d"]);
    assert.deepEqual(await twin.list(`${at}/a`), ["b"]);
    assert.deepEqual(await twin.list(`${at}/none`), []);
  });

  test(`${name}: what is too large is not read`, async () => {
    assert.equal((await twin.read(`${at}/a/b/d`, 2))!.length, 2);
    await assert.rejects(
      twin.read(`${at}/a/b/d`, 1),
      (error) => Fault.is(error, "io.too-large") && error.message.includes("/a/b/d"),
    );
    assert.equal(await twin.read(`${at}/none`, 1), undefined);
  });

  test(`${name}: a file has no listing`, async () => {
    assert.deepEqual(await twin.list(`${at}/a/b/d`), []);
  });

  test(`${name}: a file in no directory is a fault that names the path`, async () => {
    await assert.rejects(
      twin.writeAtomic(`${at}/none/c`, "", 0o600),
      (error) => Fault.is(error, "io.failed") && error.message.includes("/none/c"),
    );
  });
}

test("a file has the mode it was given, whatever a crash left behind", async () => {
  const path = `${root}/key`;
  writeFileSync(`${root}/elsewhere`, "untouched", { mode: 0o644 });
  symlinkSync(`${root}/elsewhere`, `${path}.draft`);
  await disk.writeAtomic(path, "secret", 0o600);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(Buffer.from((await disk.read(`${root}/elsewhere`))!).toString(), "untouched");
});
