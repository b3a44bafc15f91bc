import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("work is done in its order, so much in each turn, and what it adds comes after it", async () => {
  const turns = new Turns(3);
  const done: number[] = [];
  for (let i = 0; i < 5; i++) {
    turns.add(() => {
      done.push(i);
      if (i === 1) turns.add(() => done.push(5));
    });
  }
  assert.equal(done.length, 0, "not at once");
  await turn();
  assert.deepEqual(done, [0, 1, 2]);
  await turn();
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5]);
  turns.add(() => done.push(6));
  await turn();
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5, 6], "and again after a rest");
});
