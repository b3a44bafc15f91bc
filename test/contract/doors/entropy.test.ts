/** What every source of randomness does: the operating system's and the seeded one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Entropy } from "#io/entropy.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { systemEntropy } from "#io/node/entropy.ts";

const twins: Record<string, Entropy> = { node: systemEntropy, memory: new SeededEntropy(42) };

for (const [name, entropy] of Object.entries(twins)) {
  describe(`entropy: ${name}`, () => {
    test("bytes come in the length asked for, with every value about equally often", () => {
      assert.equal(entropy.bytes(0).length, 0);
      assert.notDeepEqual(entropy.bytes(16), entropy.bytes(16));
      const counts = new Map<number, number>();
      for (const byte of entropy.bytes(256 * 400)) counts.set(byte, (counts.get(byte) ?? 0) + 1);
      assert.equal(counts.size, 256);
      // Chi squared with 255 degrees of freedom stays below 400 but for once in 10⁸ runs.
      const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 400) ** 2 / 400, 0);
      assert.ok(chiSquared < 400, `${chiSquared}`);
    });

    test("uuids are version 4, variant 10 (RFC 9562 §5.4), and never the same", () => {
      const uuids = Array.from({ length: 2000 }, () => entropy.uuid());
      for (const uuid of uuids) assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      assert.equal(new Set(uuids).size, uuids.length);
    });
  });
}

describe("entropy: memory only", () => {
  test("the seed decides everything", () => {
    const draw = (seed: number): unknown[] => {
      const entropy = new SeededEntropy(seed);
      return [entropy.uuid(), entropy.bytes(5), entropy.fraction(), entropy.below(1000), entropy.chance(0.5)];
    };
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
  });

  test("draws lie where they are said to lie", () => {
    const entropy = new SeededEntropy(1);
    const draws = Array.from({ length: 5000 }, () => entropy.below(6));
    assert.deepEqual(new Set(draws), new Set([0, 1, 2, 3, 4, 5]));
    const hits = draws.filter(() => entropy.chance(0.25)).length;
    assert.ok(hits > 1100 && hits < 1400, `${hits}`);
    assert.equal(draws.filter(() => entropy.chance(0)).length, 0);
  });
});
