import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "#io/memory/clock.ts";
import { Fault } from "#std/fault.ts";
import { Newcomers } from "./newcomers.ts";

test("so many new machines from one address and in all, and more as time goes by", async () => {
  const clock = new VirtualClock();
  const newcomers = new Newcomers(clock, { inAll: { rate: 1, burst: 5 }, perAddress: { rate: 0.5, burst: 3 } });
  const taken = (address: string, wish: number): number => {
    let count = 0;
    for (let i = 0; i < wish; i++) {
      try {
        newcomers.admit(address);
        count++;
      } catch (error) {
        assert.ok(Fault.is(error, "agent.busy"));
      }
    }
    return count;
  };
  assert.equal(taken("192.0.2.1", 10), 3);
  assert.equal(taken("192.0.2.2", 10), 2, "what an address is refused costs nobody else");
  await clock.advance(2000);
  assert.equal(taken("192.0.2.1", 10), 1);
  assert.equal(taken("192.0.2.3", 10), 1);
});
