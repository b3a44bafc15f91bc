/** What every disk door does: Linux's on a loop device, where this machine has them, and the memory twin. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, describe, test } from "node:test";
import { createMemoryBlock } from "#io/memory/block.ts";
import { openBlock } from "#io/node/block.ts";
import { removalBytes } from "#io/node/block/mapper.ts";
import { nvmeBytes, rangeBytes, sgBytes, sgResult } from "#io/node/block/requests.ts";
import type { Block } from "#io/block.ts";
import { Fault } from "#std/fault.ts";

const SIZE = 8 * 1024 * 1024;
let directory = "";
let device = "";

/** Undefined: none can be had here. */
function attach(file: string): string | undefined {
  try {
    return execFileSync("losetup", ["--find", "--show", file], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

before(() => {
  directory = mkdtempSync(`${tmpdir()}/sidero-block-`);
  writeFileSync(`${directory}/disk`, "");
  truncateSync(`${directory}/disk`, SIZE);
  device = attach(`${directory}/disk`) ?? "";
});
after(() => {
  if (device !== "") execFileSync("losetup", ["--detach", device]);
  rmSync(directory, { recursive: true });
});

const twins: Record<string, () => Block> = {
  node: () => openBlock(device),
  memory: () => createMemoryBlock({ bytes: SIZE, clears: ["discard", "zero"], discarded: 0 }),
};

for (const [name, open] of Object.entries(twins)) {
  describe(`block: ${name}`, () => {
    const using = (work: (block: Block) => void) => (context: { skip(reason: string): void }) => {
      if (name === "node" && device === "") return context.skip("no loop devices here");
      const block = open();
      try {
        work(block);
      } finally {
        block.close();
      }
    };

    test(
      "its size, and what was written is read",
      using((block) => {
        assert.deepEqual([block.bytes, block.blockSize], [SIZE, 512]);
        const bytes = Uint8Array.from({ length: 1024 }, (_, i) => i & 0xff);
        block.write(SIZE - 1024, bytes);
        block.flush();
        assert.deepEqual([...block.read(SIZE - 1024, 1024)], [...bytes]);
        assert.deepEqual([...block.read(SIZE - 2048, 512)], Array(512).fill(0));
      }),
    );

    test(
      "what was cleared reads as zeros",
      using((block) => {
        for (const how of ["zero", "discard"] as const) {
          block.write(0, new Uint8Array(16_384).fill(7));
          block.flush();
          block.clear(how, 4096, 8192);
          block.flush();
          assert.equal(block.read(0, 512)[0], 7);
          assert.ok(
            block.read(4096, 8192).every((byte) => byte === 0),
            how,
          );
          assert.equal(block.read(12_288, 512)[0], 7);
        }
      }),
    );

    test(
      "what it cannot do it says, by the same codes",
      using((block) => {
        const unsupported = (error: unknown): boolean => Fault.is(error, "io.unsupported");
        assert.throws(() => block.clear("secure", 0, 4096), unsupported);
        assert.throws(() => block.clear("zero", 100, 512), unsupported, "off the blocks");
        assert.throws(() => block.nvme({ opcode: 6, namespace: 0, dwords: [1], length: 4096 }), unsupported);
        assert.throws(() => block.scsi({ cdb: Uint8Array.of(0, 0, 0, 0, 0, 0) }), unsupported);
      }),
    );
  });
}

test("node: a disk that somebody else holds is busy, one that is not there is a fault", (context) => {
  assert.throws(
    () => openBlock("/dev/there-is-none"),
    (error) => Fault.is(error, "io.failed") && /no such device/.test(error.message),
  );
  if (device === "") return context.skip("no loop devices here");
  const first = openBlock(device);
  try {
    assert.throws(
      () => openBlock(device),
      (error) => Fault.is(error, "io.busy"),
    );
  } finally {
    first.close();
  }
  openBlock(device).close();
});

// Offsets as a C compiler lays the structures out: linux/fs.h, linux/nvme_ioctl.h, scsi/sg.h, linux/dm-ioctl.h.
test("node: structures of ioctls", () => {
  assert.equal(rangeBytes(0x1122334455, 0x200).toString("hex"), "55443322110000000002000000000000");
  const nvme = nvmeBytes(
    { opcode: 0x80, namespace: 3, dwords: [0x201, 1, 2, 3, 4, 5], length: 4096, timeout: 9 },
    0x7f0011223344n,
  );
  assert.equal(nvme.length, 72);
  assert.deepEqual(
    [nvme[0], nvme.readUInt32LE(4), nvme.readBigUInt64LE(24), nvme.readUInt32LE(36)],
    [0x80, 3, 0x7f0011223344n, 4096],
  );
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((i) => nvme.readUInt32LE(40 + 4 * i)),
    [0x201, 1, 2, 3, 4, 5],
  );
  assert.equal(nvme.readUInt32LE(64), 9);
  const cdb = new Uint8Array(16);
  const addresses = { cdb: 1n, data: 2n, sense: 3n };
  const read = sgBytes({ cdb, length: 512 }, addresses);
  assert.equal(read.length, 88);
  assert.deepEqual([read.readInt32LE(0), read.readInt32LE(4), read[8], read[9]], [0x53, -3, 16, 64]);
  assert.deepEqual(
    [read.readUInt32LE(12), read.readBigUInt64LE(16), read.readBigUInt64LE(24), read.readBigUInt64LE(32)],
    [512, 2n, 1n, 3n],
  );
  assert.equal(sgBytes({ cdb, out: cdb }, addresses).readInt32LE(4), -2);
  assert.equal(sgBytes({ cdb }, addresses).readInt32LE(4), -1);
  read.set([2], 64);
  read.set([18, 7, 0, 8, 0], 67);
  assert.deepEqual(sgResult(read), { status: 2, senseLength: 18, hostStatus: 7, driverStatus: 8 });
  const removal = removalBytes("vg-root");
  assert.deepEqual(
    [removal.length, removal.readUInt32LE(0), removal.readUInt32LE(12), removal.toString("latin1", 48, 56)],
    [312, 4, 312, "vg-root\0"],
  );
});
