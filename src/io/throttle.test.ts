import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "./memory/clock.ts";
import { type Log, silent } from "./log.ts";
import { throttled } from "./throttle.ts";

test("a burst goes through, then so many lines a second, and it is said how many are missing", async () => {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const say = (message: string, facts?: object): void => void lines.push(message + (facts ? JSON.stringify(facts) : ""));
  const inner: Log = { ...silent, warn: say, info: say, error: say, with: () => inner };
  const log = throttled(inner, clock, { rate: 2, burst: 3 });
  for (let i = 0; i < 10; i++) log.with({ part: "x" }).info(`line ${i}`);
  log.error("ours");
  assert.deepEqual(lines, ["line 0", "line 1", "line 2", "ours"]);
  await clock.advance(500);
  log.warn("after");
  log.warn("too soon");
  assert.deepEqual(lines.slice(4), ['too many lines at once: some were left out{"count":7}', "after"]);
});
