import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { quorumOf, whyKept } from "./quorum.ts";

const members = (voters: number, learners = 0) =>
  Array.from({ length: voters + learners }, (_, i) => ({ id: `m${i}`, isLearner: i >= voters }));
const ids = (...numbers: number[]) => new Set(numbers.map((i) => `m${i}`));

const table: [voters: number, healthy: number[], leaving: number, why: RegExp | undefined][] = [
  [1, [0], 0, /the only member/],
  [2, [0, 1], 0, undefined],
  [2, [1], 0, /1 of etcd's 2 members take part, and 2 have to/],
  [3, [0, 1, 2], 2, undefined],
  [3, [0, 1], 2, undefined],
  [3, [0, 1], 0, /without it 1 of etcd's 2 members would take part, and 2 would have to/],
  [3, [0], 2, /1 of etcd's 3 members take part/],
  [4, [0, 1, 2], 3, undefined],
  [4, [0, 1, 2], 0, undefined],
  [4, [0, 1], 3, /2 of etcd's 4 members take part, and 3 have to/],
  [5, [0, 1, 2], 0, /without it 2 of etcd's 4/],
  [5, [0, 1, 2], 4, undefined],
  [7, [0, 1, 2, 3], 6, undefined],
  [7, [0, 1, 2, 3], 0, /without it 3 of etcd's 6/],
];

for (const [voters, healthy, leaving, why] of table) {
  test(`of ${voters} members ${healthy.length} take part, and ${healthy.includes(leaving) ? "one of them" : "another one"} is to go`, () => {
    const said = whyKept(members(voters), ids(...healthy), `m${leaving}`);
    if (why === undefined) assert.equal(said, undefined);
    else assert.match(said ?? "", why);
  });
}

test("one without a vote goes as long as there is a quorum; one that is no member needs nothing", () => {
  assert.equal(whyKept(members(1, 1), ids(0), "m1"), undefined);
  assert.match(whyKept(members(2, 1), ids(0), "m2") ?? "", /take part/);
  assert.equal(whyKept(members(1), ids(), "m9"), undefined);
});

test("what may go leaves a quorum behind, and had one to agree on it", () => {
  const arbitrary = fc.record({
    voters: fc.integer({ min: 1, max: 7 }),
    bits: fc.integer({ min: 0, max: 127 }),
    leaving: fc.nat(6),
  });
  fc.assert(
    fc.property(arbitrary, ({ voters, bits, leaving }) => {
      const all = members(voters);
      const healthy = new Set(all.filter((_, i) => (bits >> i) & 1).map(({ id }) => id));
      const id = `m${leaving % voters}`;
      if (whyKept(all, healthy, id) !== undefined) return;
      assert.ok(healthy.size >= quorumOf(voters));
      assert.ok([...healthy].filter((each) => each !== id).length >= quorumOf(voters - 1));
    }),
  );
});
