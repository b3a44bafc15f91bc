import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryMachine } from "#io/memory/machine.ts";
import { holderText, holdersOf, partitionExtents, takeApart } from "./holders.ts";

/** An LVM volume on an array on a partition of sda; sdb is mounted. */
function rack() {
  return createMemoryMachine({
    "/sys/class/block/sda/size": "2000\n",
    "/sys/class/block/sda/sda1/partition": "1\n",
    "/sys/class/block/sda/sda1/start": "2048\n",
    "/sys/class/block/sda/sda1/size": "100\n",
    "/sys/class/block/sda/sda1/holders/md127": "",
    "/sys/class/block/sda/sda2/partition": "2\n",
    "/sys/class/block/sda/sda2/start": "4096\n",
    "/sys/class/block/sda/sda2/size": "200\n",
    "/sys/class/block/sda/sdax/size": "1\n",
    "/sys/class/block/md127/md/array_state": "clean\n",
    "/sys/class/block/md127/holders/dm-0": "",
    "/sys/class/block/dm-0/dm/name": "vg-root\n",
    "/sys/class/block/sdb/sdb1/partition": "1\n",
    "/proc/mounts": "proc /proc proc rw 0 0\n/dev/sdb1 /data ext4 rw 0 0\n",
    "/proc/swaps": "Filename Type Size\n/dev/sdb1 partition 10 0 -2\n",
  });
}

test("partitions, wherever their table is", async () => {
  assert.deepEqual(await partitionExtents(rack(), "sda"), [
    { at: 2048 * 512, length: 100 * 512 },
    { at: 4096 * 512, length: 200 * 512 },
  ]);
  assert.deepEqual(await partitionExtents(rack(), "vda"), []);
});

test("what is made of a disk is taken apart from the top", async () => {
  const machine = rack();
  const removed: string[] = [];
  const stopped = await takeApart(machine, "sda", async (name) => {
    assert.equal(machine.files.get("/sys/class/block/md127/md/array_state"), "clean\n", "the array is still there");
    return removed.push(name) > 0;
  });
  assert.deepEqual([stopped, removed], [["vg-root", "md127"], ["vg-root"]]);
  assert.equal(machine.files.get("/sys/class/block/md127/md/array_state"), "clear\n");
  assert.deepEqual(await takeApart(rack(), "sda", async () => false), ["md127"], "what does not go is left to be found out");
});

test("a circle of holders ends", async () => {
  const machine = createMemoryMachine({
    "/sys/class/block/dm-0/holders/dm-1": "",
    "/sys/class/block/dm-1/holders/dm-0": "",
    "/sys/class/block/dm-0/dm/name": "a",
    "/sys/class/block/dm-1/dm/name": "b",
  });
  assert.ok((await takeApart(machine, "dm-0", async () => true)).length < 20);
});

test("who holds a disk, in words", async () => {
  assert.deepEqual(await holdersOf(rack(), "sda"), ["md127"]);
  assert.equal(await holderText(rack(), "sda"), "md127");
  assert.equal(await holderText(rack(), "md127"), "dm-0 (vg-root)");
  assert.equal(await holderText(rack(), "sdb"), "/dev/sdb1, mounted on /data, /dev/sdb1, swapped to");
  assert.equal(await holderText(rack(), "vda"), "something that does not say its name");
});
