import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { Queue, type QueueOptions } from "./queue.ts";

function fixture(options: Partial<QueueOptions> = {}): { queue: Queue; clock: VirtualClock; ready: () => number } {
  const clock = new VirtualClock();
  let ready = 0;
  const queue = new Queue({ clock, entropy: new SeededEntropy(1), onReady: () => ready++, ...options });
  return { queue, clock, ready: () => ready };
}

function drain(queue: Queue): string[] {
  const keys: string[] = [];
  for (let key = queue.take(); key !== undefined; key = queue.take()) {
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

test("a key waits once, in order of arrival, and higher priorities go first", () => {
  const { queue, ready } = fixture();
  for (const key of ["a", "b", "a"]) queue.add(key);
  queue.add("late", { priority: -1 });
  queue.add("urgent", { priority: 5 });
  queue.add("b", { priority: 5 });
  queue.add("b");
  assert.equal(queue.depth, 4);
  assert.ok(ready() >= 4);
  assert.deepEqual(drain(queue), ["urgent", "b", "a", "late"]);
});

test("a key is not given out twice; added meanwhile, it comes again when done", () => {
  const { queue } = fixture();
  queue.add("a");
  assert.equal(queue.take(), "a");
  queue.add("a");
  queue.add("a");
  assert.equal(queue.take(), undefined);
  queue.done("a");
  assert.deepEqual(drain(queue), ["a"]);
});

test("the earliest of several delays counts, and being taken cancels it", async () => {
  const { queue, clock } = fixture();
  queue.add("a", { after: 1000 });
  queue.add("a", { after: 100 });
  queue.add("a", { after: 500 });
  await clock.advance(99);
  assert.equal(queue.take(), undefined);
  await clock.advance(1);
  assert.deepEqual(drain(queue), ["a"]);
  queue.add("a", { after: 1000 });
  queue.add("a");
  assert.deepEqual(drain(queue), ["a"]);
  await clock.advance(2000);
  assert.deepEqual(drain(queue), []);
  assert.equal(clock.pending, 0);
});

test("a delay that ends while its key is worked on brings it again", async () => {
  const { queue, clock } = fixture();
  queue.add("a");
  queue.take();
  queue.add("a", { after: 10 });
  await clock.advance(10);
  assert.equal(queue.take(), undefined);
  queue.done("a");
  assert.deepEqual(drain(queue), ["a"]);
});

test("failures double the wait up to its bound, until forgotten", () => {
  const { queue } = fixture({ backoff: { base: 100, most: 1000 } });
  const waits = Array.from({ length: 8 }, () => queue.retry("a"));
  for (const [i, wait] of waits.entries()) {
    const full = Math.min(1000, 100 * 2 ** i);
    assert.ok(wait >= full / 2 && wait <= full, `attempt ${i}: ${wait}`);
  }
  queue.forget("a");
  assert.ok(queue.retry("a") <= 100);
});

test("the retries of many keys together keep to the bucket", () => {
  const { queue } = fixture({ retries: { rate: 10, burst: 5 }, backoff: { base: 1, most: 1 } });
  const waits = Array.from({ length: 25 }, (_, i) => queue.retry(`k${i}`));
  assert.ok(waits.slice(0, 5).every((wait) => wait <= 1));
  assert.equal(waits[24], 2000);
});

test("nothing is taken, added or waited for after close", async () => {
  const { queue, clock } = fixture();
  queue.add("a");
  queue.add("b", { after: 5 });
  queue.close();
  queue.add("c");
  await clock.advance(10);
  assert.equal(queue.take(), undefined);
  assert.equal(clock.pending, 0);
});

test("property: exclusive, and no added key is lost", () => {
  const command = fc.oneof(
    fc.record({
      do: fc.constant("add" as const),
      key: fc.constantFrom("a", "b", "c"),
      priority: fc.integer({ min: -1, max: 1 }),
    }),
    fc.record({ do: fc.constant("take" as const) }),
    fc.record({ do: fc.constant("done" as const), key: fc.constantFrom("a", "b", "c") }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const { queue } = fixture();
      const owed = new Set<string>();
      const active = new Set<string>();
      for (const step of commands) {
        if (step.do === "add") {
          queue.add(step.key, { priority: step.priority });
          owed.add(step.key);
        } else if (step.do === "take") {
          const key = queue.take();
          if (key === undefined) assert.ok([...owed].every((waiting) => active.has(waiting)));
          else {
            assert.ok(!active.has(key) && owed.has(key));
            active.add(key);
            owed.delete(key);
          }
        } else if (active.delete(step.key)) queue.done(step.key);
      }
      for (const key of active) queue.done(key);
      assert.deepEqual(new Set(drain(queue)), owed);
    }),
  );
});
