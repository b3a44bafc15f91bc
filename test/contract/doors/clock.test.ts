/** What every clock does: the machine's and the virtual one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Clock } from "#io/clock.ts";
import { microTimestamp, sleep, timestamp } from "#io/clock.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { systemClock } from "#io/node/clock.ts";

interface Twin {
  readonly clock: Clock;
  /** Lets at least so many milliseconds pass. */
  readonly pass: (milliseconds: number) => Promise<void>;
}

const twins: Record<string, () => Twin> = {
  node: () => ({ clock: systemClock, pass: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)) }),
  memory: () => {
    const clock = new VirtualClock();
    return { clock, pass: (milliseconds) => clock.advance(milliseconds) };
  },
};

for (const [name, make] of Object.entries(twins)) {
  describe(`clock: ${name}`, () => {
    test("both times go on, and agree on durations", async () => {
      const { clock, pass } = make();
      const now = clock.now();
      const monotonic = clock.monotonic();
      await pass(30);
      const elapsed = clock.monotonic() - monotonic;
      assert.ok(elapsed >= 29, `${elapsed}`);
      assert.ok(Math.abs(clock.now() - now - elapsed) < 20);
      assert.ok(now > Date.UTC(2020));
    });

    test("timers fire once, in order of time, then of their making, never inside the call that sets them", async () => {
      const { clock, pass } = make();
      const fired: string[] = [];
      clock.after(40, () => fired.push("late"));
      clock.after(5, () => fired.push("early"));
      clock.after(5, () => fired.push("early too"));
      clock.after(0, () => fired.push("now"));
      clock.after(-1, () => fired.push("past"));
      assert.deepEqual(fired, []);
      await pass(100);
      assert.deepEqual(new Set(fired.slice(0, 2)), new Set(["now", "past"]));
      assert.deepEqual(fired.slice(2), ["early", "early too", "late"]);
    });

    test("a cancelled timer does not fire, and may be cancelled at any time again", async () => {
      const { clock, pass } = make();
      const cancelled = clock.after(5, () => assert.fail("cancelled"));
      cancelled.cancel();
      let fired = 0;
      const timer = clock.after(5, () => fired++);
      await pass(30);
      timer.cancel();
      cancelled.cancel();
      assert.equal(fired, 1);
    });

    test("a timer may set another and cancel one that is due", async () => {
      const { clock, pass } = make();
      const fired: string[] = [];
      clock.after(5, () => {
        fired.push("first");
        second.cancel();
        clock.after(5, () => fired.push("third"));
      });
      const second = clock.after(6, () => fired.push("second"));
      await pass(50);
      assert.deepEqual(fired, ["first", "third"]);
    });

    test("waits longer than 2³¹ ms do not end at once", async () => {
      const { clock, pass } = make();
      const timer = clock.after(2 ** 32, () => assert.fail("too early"));
      await pass(20);
      timer.cancel();
    });

    test("sleep ends with time, or with its signal's reason", async () => {
      const { clock, pass } = make();
      let slept = false;
      const long = sleep(clock, 10).then(() => (slept = true));
      const controller = new AbortController();
      const aborted = assert.rejects(sleep(clock, 60_000, controller.signal), /enough/);
      controller.abort(new Error("enough"));
      await aborted;
      await assert.rejects(sleep(clock, 1, controller.signal), /enough/);
      await pass(50);
      await long;
      assert.ok(slept);
    });
  });
}

describe("clock: memory only", () => {
  test("everything made ready by a timer has run before time goes on", async () => {
    const clock = new VirtualClock(0);
    const seen: number[] = [];
    void (async () => {
      for (let i = 0; i < 5; i++) {
        await sleep(clock, 10);
        seen.push(clock.now());
      }
    })();
    await clock.advance(35);
    assert.deepEqual([seen, clock.now(), clock.monotonic(), clock.pending], [[10, 20, 30], 35, 35, 1]);
    await clock.advance(100);
    assert.deepEqual([seen, clock.now(), clock.pending], [[10, 20, 30, 40, 50], 135, 0]);
  });

  test("Kubernetes' times", () => {
    const clock = new VirtualClock(Date.UTC(2031, 1, 3, 4, 5, 6, 789));
    assert.equal(timestamp(clock), "2031-02-03T04:05:06Z");
    assert.equal(microTimestamp(clock), "2031-02-03T04:05:06.789000Z");
  });
});
