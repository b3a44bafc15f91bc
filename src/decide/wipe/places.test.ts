import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isUniform, judge, labelPlaces, samplePlaces } from "./places.ts";
import type { Extent } from "./places.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

const inMib = (places: readonly Extent[]): string => places.map(({ at, length }) => `${at / MIB}+${length / MIB}`).join(" ");

test("both ends of the disk and of each partition, and btrfs' copies", () => {
  assert.equal(inMib(labelPlaces(10 * GIB, [], 512)), "0+16 64+0.0625 10236+4");
  const partitions = [
    { at: MIB, length: 100 * MIB },
    { at: 200 * MIB, length: GIB },
  ];
  assert.equal(inMib(labelPlaces(10 * GIB, partitions, 4096)), "0+17 64+0.0625 65+0.0625 97+4 200+16 264+0.0625 1220+4 10236+4");
  assert.equal(inMib(labelPlaces(8 * MIB, [{ at: MIB, length: MIB }], 512)), "0+8", "a small disk is one place");
});

test("places are apart, in order, on blocks and on the disk, whatever the table says", () => {
  const extent = fc.record({ at: fc.nat(2 ** 35), length: fc.nat(2 ** 35) });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 22 }),
      fc.array(extent, { maxLength: 20 }),
      fc.constantFrom(512, 4096),
      (blocks, partitions, size) => {
        const bytes = blocks * size;
        let end = -1;
        for (const { at, length } of labelPlaces(bytes, partitions, size)) {
          assert.ok(at > end && length > 0 && at + length <= bytes && at % size === 0 && length % size === 0);
          end = at + length;
        }
      },
    ),
  );
});

test("samples are the same for the same seed, one in each part of the disk", () => {
  const bytes = 16 * 1024 * GIB;
  const places = samplePlaces(bytes, 256, "seed");
  assert.deepEqual(places, samplePlaces(bytes, 256, "seed"));
  assert.notDeepEqual(places, samplePlaces(bytes, 256, "another"));
  for (const [i, { at, length }] of places.entries()) {
    assert.ok(at >= (i * bytes) / 256 && at + length <= ((i + 1) * bytes) / 256 && at % 4096 === 0);
  }
  assert.equal(samplePlaces(40_960, 256, "s").length, 10, "a small disk is read whole");
  assert.deepEqual(samplePlaces(100, 256, "s"), []);
});

test("what a sample tells", () => {
  const [zeros, ones] = [new Uint8Array(16), new Uint8Array(16).fill(0xff)];
  const text = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
  const noise = Uint8Array.from({ length: 16 }, (_, i) => (i * 37) ^ 0x5a);
  assert.equal(judge(text, zeros, "zeros"), "gone");
  assert.equal(judge(text, text, "zeros"), "not zero");
  assert.equal(judge(text, ones, "zeros"), "not zero");
  assert.equal(judge(text, text, "other"), "still there");
  assert.equal(judge(text, noise, "other"), "gone");
  assert.equal(judge(ones, ones, "other"), "gone", "an erased flash cell reads so, before and after");
});

test("uniform, at any place in memory", () => {
  for (const offset of [0, 1, 3]) {
    for (const length of [0, 1, 4, 7, 4096]) {
      const bytes = new Uint8Array(new ArrayBuffer(offset + length), offset);
      assert.ok(isUniform(bytes, 0));
      if (length === 0) continue;
      bytes[length - 1] = 1;
      assert.ok(!isUniform(bytes, 0));
      bytes.fill(0xff);
      assert.ok(isUniform(bytes, 0xff) && !isUniform(bytes, 0));
    }
  }
});
