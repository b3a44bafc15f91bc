import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "#io/memory/clock.ts";
import type { Incoming } from "#io/serve.ts";
import { Fault } from "#std/fault.ts";
import { Intake } from "./intake.ts";

/** A request whose body comes when the test says so. */
function request(address: string): { incoming: Incoming; arrive: (text: string) => void; break: () => void } {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const incoming = { peer: { address }, body: () => promise } as unknown as Incoming;
  return { incoming, arrive: (text) => resolve(Buffer.from(text)), break: () => reject(new Error("gone")) };
}

const isBusy = (error: unknown): boolean => Fault.is(error, "agent.busy");

test("so many bodies from one address and from all", async () => {
  const intake = new Intake(new VirtualClock(), { bodies: 3, perAddress: 2, time: 1000 });
  const greedy = [request("192.0.2.1"), request("192.0.2.1")];
  const bodies = greedy.map(({ incoming }) => intake.body(incoming, 10));
  await assert.rejects(intake.body(request("192.0.2.1").incoming, 10), isBusy);
  const other = request("192.0.2.2");
  const body = intake.body(other.incoming, 10);
  await assert.rejects(intake.body(request("192.0.2.3").incoming, 10), isBusy, "no more in all");
  other.arrive("here");
  assert.equal(String(await body), "here");
  greedy[0]!.break();
  await assert.rejects(bodies[0]!, /gone/);
  const next = request("192.0.2.1");
  next.arrive("too");
  assert.equal(String(await intake.body(next.incoming, 10)), "too", "what has come or broken makes room");
});

test("a body that trickles is refused in time, and has its place until it is gone", async () => {
  const clock = new VirtualClock();
  const intake = new Intake(clock, { bodies: 1, perAddress: 1, time: 1000 });
  const slow = request("192.0.2.1");
  const refused = assert.rejects(intake.body(slow.incoming, 10), isBusy);
  await clock.advance(1000);
  await refused;
  await assert.rejects(intake.body(request("192.0.2.2").incoming, 10), isBusy);
  slow.break();
  await new Promise(setImmediate);
  const next = request("192.0.2.2");
  next.arrive("now");
  assert.equal(String(await intake.body(next.incoming, 10)), "now");
});
