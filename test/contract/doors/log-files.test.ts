/** Files of logs on every door. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { MemoryLogFiles } from "#io/memory/log-files.ts";
import { openLogFiles } from "#io/node/log-files.ts";
import { Fault } from "#std/fault.ts";

const directory = mkdtempSync(join(tmpdir(), "sidero-logs-"));
after(() => rmSync(directory, { recursive: true }));
const bytes = (text: string): Uint8Array => Buffer.from(text);

for (const [name, files] of [
  ["node", openLogFiles(join(directory, "logs"))],
  ["memory", new MemoryLogFiles()],
] as const) {
  describe(name, () => {
    test("what is added is read back, in parts, and is gone when it is removed", async () => {
      assert.deepEqual(await files.list(), []);
      await files.append("m1", 1, bytes("hello "));
      await files.append("m1", 1, bytes("world"));
      await files.append("m1", 2, bytes("x"));
      await files.append("m2.rack", 12, bytes("yy"));
      const all = (await files.list()).toSorted((a, b) => a.machine.localeCompare(b.machine) || a.number - b.number);
      assert.deepEqual(all, [
        { machine: "m1", number: 1, bytes: 11 },
        { machine: "m1", number: 2, bytes: 1 },
        { machine: "m2.rack", number: 12, bytes: 2 },
      ]);
      assert.equal(Buffer.from(await files.read("m1", 1, 4, 4)).toString(), "o wo");
      assert.equal(Buffer.from(await files.read("m1", 1, 9, 100)).toString(), "ld");
      await files.remove("m1", 1);
      await files.remove("m1", 1);
      assert.equal((await files.read("m1", 1, 0, 10)).length, 0);
      assert.equal((await files.list()).length, 2);
    });
  });
}

test("on disk they are nobody else's to read, names lead nowhere else, and strangers' files are left alone", async () => {
  const files = openLogFiles(join(directory, "logs"));
  assert.equal(statSync(join(directory, "logs", "m1", "2.jsonl")).mode & 0o777, 0o600);
  assert.equal(statSync(join(directory, "logs", "m1")).mode & 0o777, 0o700);
  for (const machine of ["..", "../x", "a/b", "", "A"])
    await assert.rejects(files.append(machine, 1, bytes("x")), (fault) => Fault.is(fault, "io.failed"), machine);
  writeFileSync(join(directory, "logs", "m1", "notes.txt"), "mine");
  writeFileSync(join(directory, "logs", "README"), "mine");
  assert.deepEqual((await files.list()).map(({ machine, number }) => [machine, number]).toSorted(), [
    ["m1", 2],
    ["m2.rack", 12],
  ]);
});
