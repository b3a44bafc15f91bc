/** What every seal does: node's with a key in a file, and the memory twin. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createMemoryDisk } from "#io/memory/disk.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import { createSeal, openSeal } from "#io/node/seal.ts";
import type { Seal } from "#io/seal.ts";
import { fromHex, toHex } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";

const twins: Record<string, (key: number) => Seal> = {
  node: (key) => createSeal(new Uint8Array(32).fill(key)),
  memory: createMemorySeal,
};

for (const [name, seal] of Object.entries(twins)) {
  describe(`seal: ${name}`, () => {
    const message = new TextEncoder().encode("what was issued");

    test("a mark is 32 bytes, the same for the same message, and recognized", () => {
      for (const length of [0, 1, 63, 64, 65, 1000]) {
        const text = new Uint8Array(length).fill(7);
        const mark = seal(1).mark(text);
        assert.equal(mark.length, 32);
        assert.deepEqual([...seal(1).mark(text)], [...mark]);
        assert.ok(seal(1).isMark(text, mark));
      }
    });

    test("no other message, mark or key will do", () => {
      const mark = seal(1).mark(message);
      assert.ok(!seal(2).isMark(message, mark));
      for (let bit = 0; bit < 8 * message.length; bit++) assert.ok(!seal(1).isMark(flipped(message, bit), mark), `bit ${bit}`);
      for (let bit = 0; bit < 8 * mark.length; bit++) assert.ok(!seal(1).isMark(message, flipped(mark, bit)), `bit ${bit}`);
      for (const length of [0, 16, 31]) assert.ok(!seal(1).isMark(message, mark.subarray(0, length)));
      assert.ok(!seal(1).isMark(message, new Uint8Array([...mark, 0])));
      assert.ok(!seal(1).isMark(message.subarray(1), mark));
    });
  });
}

describe("seal: node only", () => {
  test("RFC 4231 §4.3 has the same mark, but for its shorter key being padded with zeros", () => {
    const key = new Uint8Array(32);
    key.set(new TextEncoder().encode("Jefe"));
    const mark = createSeal(key).mark(new TextEncoder().encode("what do ya want for nothing?"));
    assert.equal(toHex(mark), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  });

  test("the key survives in its file, which nobody else may read", async () => {
    const disk = createMemoryDisk();
    const options = { disk, path: "seal.key" };
    const first = await openSeal({ ...options, entropy: new SeededEntropy(1) });
    const second = await openSeal({ ...options, entropy: new SeededEntropy(2) });
    const message = fromHex("00ff")!;
    assert.ok(second.isMark(message, first.mark(message)));
    assert.equal(disk.files.get("seal.key")?.mode, 0o600);
  });

  test("a file that holds no key is not taken for one", async () => {
    const disk = createMemoryDisk();
    await disk.writeAtomic("seal.key", "short", 0o600);
    const opened = openSeal({ disk, path: "seal.key", entropy: new SeededEntropy(1) });
    await assert.rejects(opened, (fault) => Fault.is(fault, "io.format"));
  });
});

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}
