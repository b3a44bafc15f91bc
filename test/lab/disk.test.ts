import assert from "node:assert/strict";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createDisk } from "../../lab/disk.ts";

test("old data is found wherever some of it is left", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "sidero-disk-"));
  context.after(() => rm(directory, { recursive: true }));
  const disk = await createDisk(join(directory, "disk"), { model: "nvme", gibibytes: 0.25, serial: "D" });
  assert.equal(disk.bytes, 256 * 1024 ** 2);
  assert.equal(await disk.occupied(), 0);
  assert.deepEqual(await disk.remains(), []);

  await disk.fill();
  const all = await disk.remains();
  assert.equal(all.length, 16 + 512 + 16);
  assert.equal(all[0], 0);
  assert.equal(all.at(-1), disk.bytes - 4096);
  assert.ok(new Set(all).size === all.length && all.every((at) => at % 4096 === 0));

  const handle = await open(disk.path, "r+");
  context.after(() => handle.close());
  for (const at of all.slice(0, -1)) await handle.write(Buffer.alloc(4096), 0, 4096, at);
  assert.deepEqual(await disk.remains(), all.slice(-1));
});
