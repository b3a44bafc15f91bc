import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "#io/memory/clock.ts";
import { Admission } from "./admission.ts";

const never = new AbortController().signal;
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(limit = 100, share?: number) {
  const clock = new VirtualClock();
  const admission = new Admission({ limit, patience: 5_000, clock, ...(share === undefined ? {} : { share }) });
  const log: string[] = [];
  const releases = new Map<string, () => void>();
  const ask = (name: string, bytes: number, signal = never, address = ""): void => {
    void admission.admit(bytes, signal, address).then(
      (release) => {
        log.push(name);
        releases.set(name, release);
      },
      () => log.push(`not ${name}`),
    );
  };
  return { clock, admission, log, ask, release: (name: string) => releases.get(name)!() };
}

test("so many bytes at once, the others in their order", async () => {
  const { admission, log, ask, release } = setUp();
  for (const name of ["a", "b", "c", "d"]) ask(name, 40);
  // Would fit, but is behind others.
  ask("e", 10);
  await soon();
  assert.deepEqual(log, ["a", "b"]);
  release("b");
  release("b");
  await soon();
  assert.deepEqual(log, ["a", "b", "c"], "releasing twice counts once");
  release("a");
  await soon();
  assert.deepEqual(log, ["a", "b", "c", "d", "e"]);
  assert.deepEqual([admission.inFlight, admission.peak], [90, 90]);
});

test("one that is larger than the limit goes alone", async () => {
  const { log, ask, release } = setUp();
  ask("small", 1);
  ask("large", 1000);
  ask("after", 1);
  await soon();
  assert.deepEqual(log, ["small"]);
  release("small");
  await soon();
  assert.deepEqual(log, ["small", "large"]);
  release("large");
  await soon();
  assert.deepEqual(log, ["small", "large", "after"]);
});

test("whoever goes away while waiting makes room in the queue", async () => {
  const { log, ask } = setUp();
  const gone = new AbortController();
  ask("a", 60);
  ask("b", 60, gone.signal);
  ask("c", 40);
  await soon();
  assert.deepEqual(log, ["a"]);
  gone.abort(new Error("gone"));
  await soon();
  assert.deepEqual(log.toSorted(), ["a", "c", "not b"]);
});

test("peers that do not read hold others up for a while only, and may not take more than as much again", async () => {
  const { clock, admission, log, ask, release } = setUp();
  ask("dead 1", 50);
  ask("dead 2", 50);
  ask("alive 1", 50);
  ask("alive 2", 50);
  ask("alive 3", 50);
  await soon();
  assert.deepEqual(log, ["dead 1", "dead 2"]);
  await clock.advance(4_999);
  await soon();
  assert.equal(log.length, 2);
  await clock.advance(1);
  await soon();
  assert.deepEqual(log.slice(2), ["alive 1", "alive 2"]);
  await clock.advance(60_000);
  await soon();
  assert.equal(log.length, 4, "twice the limit, and no more");
  assert.equal(admission.peak, 200);
  release("dead 1");
  await soon();
  assert.deepEqual(log.slice(4), ["alive 3"], "the room of one that is slow lets another count as slow");
  for (const name of ["dead 2", "alive 1", "alive 2", "alive 3"]) release(name);
  assert.equal(admission.inFlight, 0);
});

test("an address gets no more than its share, and others do not wait for it", async () => {
  const { admission, log, ask, release } = setUp(100, 40);
  for (let i = 0; i < 1000; i++) ask(`greedy ${i}`, 20, never, "192.0.2.1");
  ask("large", 60, never, "192.0.2.2");
  await soon();
  assert.deepEqual(log, ["greedy 0", "greedy 1", "large"], "one chunk goes also beyond the share");
  release("greedy 0");
  await soon();
  assert.deepEqual(log.slice(3), ["greedy 2"], "and its own others go on as they leave");
  assert.equal(admission.inFlight, 100);
});

test("addresses take turns, however many downloads each has", async () => {
  const { log, ask, release } = setUp(20);
  for (const name of ["a 1", "a 2", "a 3"]) ask(name, 20, never, "192.0.2.1");
  for (const name of ["b 1", "b 2"]) ask(name, 20, never, "192.0.2.2");
  for (let i = 0; i < 4; i++) {
    await soon();
    release(log.at(-1)!);
  }
  await soon();
  assert.deepEqual(log, ["a 1", "a 2", "b 1", "a 3", "b 2"]);
});
