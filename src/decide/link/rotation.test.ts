import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { LogFile } from "./rotation.ts";
import { decideRotation } from "./rotation.ts";

const budget = { file: 100, machine: 300, total: 500 };
const file = (machine: string, number: number, bytes: number): LogFile => ({ machine, number, bytes });

test("a log begins, goes on, and goes on in a new file when the old one is full", () => {
  assert.deepEqual(decideRotation([], "a", 10, budget), { into: 1, remove: [] });
  assert.deepEqual(decideRotation([file("a", 1, 90)], "a", 10, budget), { into: 1, remove: [] });
  assert.deepEqual(decideRotation([file("a", 1, 91)], "a", 10, budget), { into: 2, remove: [] });
  assert.deepEqual(decideRotation([file("a", 7, 0)], "a", 1000, budget), { into: 7, remove: [] });
});

test("a machine's oldest file goes when it has more than its share", () => {
  const files = [file("a", 3, 100), file("a", 1, 100), file("a", 2, 100)];
  assert.deepEqual(decideRotation(files, "a", 10, budget), { into: 4, remove: [file("a", 1, 100)] });
});

test("when all is too much the noisiest pays, whoever writes", () => {
  const files = [file("a", 1, 20), file("a", 2, 80), file("b", 1, 100), file("b", 2, 100), file("c", 1, 100), file("c", 2, 90)];
  assert.deepEqual(decideRotation(files, "a", 20, budget).remove, [file("b", 1, 100)]);
});

test("whatever is written, the budget is kept but for the files that are being written", () => {
  const writes = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.integer({ min: 1, max: 150 })), { maxLength: 200 });
  fc.assert(
    fc.property(writes, (all) => {
      let files: LogFile[] = [];
      for (const [machine, bytes] of all) {
        const { into, remove } = decideRotation(files, machine, bytes, budget);
        const old = files.find((each) => each.machine === machine && each.number === into);
        assert.ok(
          remove.every((gone) => files.includes(gone) && gone !== old),
          "only what is there and is not written",
        );
        const kept = files.filter((each) => each !== old && !remove.includes(each));
        files = [...kept, file(machine, into, (old?.bytes ?? 0) + bytes)];
        for (const name of ["a", "b", "c"]) {
          const own = files.filter((each) => each.machine === name);
          assert.ok(own.length <= 1 || sum(own) <= budget.machine);
          assert.ok(own.every((each) => each.bytes <= Math.max(budget.file, 150)));
        }
        assert.ok(sum(files) <= budget.total || files.length <= 3);
      }
    }),
  );
});

function sum(files: readonly LogFile[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}
