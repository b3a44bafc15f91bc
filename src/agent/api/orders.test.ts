import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { StepSchema, StepState } from "#proto/sidero/agent/v1/machine_pb.js";
import type { Order } from "#proto/sidero/agent/v1/machine_pb.js";
import { Fault } from "#std/fault.ts";
import { createOrders } from "./orders.ts";
import type { Orders } from "./orders.ts";

interface Listener {
  readonly got: Order[];
  leave(): void;
}

function start(): { orders: Orders; told: string[]; listen: (boot: string) => Listener } {
  const orders = createOrders({ clock: new VirtualClock(), entropy: new SeededEntropy(1) });
  const told: string[] = [];
  orders.onChange((machine) => void told.push(machine));
  const listen = (boot: string): Listener => {
    const stop = new AbortController();
    const got: Order[] = [];
    void (async () => {
      for await (const order of orders.stream("m", boot, stop.signal, () => "")) if (order.id !== "") got.push(order);
    })();
    return { got, leave: () => stop.abort() };
  };
  return { orders, told, listen };
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};
const step = (order: string, state: StepState, text = "") => create(StepSchema, { name: "x", order, state, text });

test("an order goes once to each boot by its id, and its end is told", async () => {
  const { orders, told, listen } = start();
  assert.throws(
    () => orders.send("m", "wipe", "w1"),
    (error) => Fault.is(error, "agent.not-connected"),
  );
  assert.equal(orders.connection("m"), undefined);
  const first = listen("b1");
  await turns();
  assert.equal(orders.connection("m")?.boot, "b1");
  orders.send("m", "wipe", "w1");
  orders.send("m", "wipe", "w1");
  await turns();
  assert.deepEqual(
    first.got.map(({ id, kind }) => [id, kind.case]),
    [["w1", "wipe"]],
  );
  orders.answered("m", step("w1", StepState.STARTED, "sda"));
  assert.equal(orders.status("w1")?.state, "started");
  orders.answered("other", step("w1", StepState.DONE));
  assert.equal(orders.status("w1")?.state, "started", "another machine's word");
  const { length } = told;
  first.leave();
  await turns();
  assert.deepEqual([orders.connection("m"), told.slice(length)], [undefined, ["m"]]);

  const second = listen("b2");
  await turns();
  assert.deepEqual([orders.status("w1")?.state, second.got], ["failed", []], "its boot did not live to do it");
  orders.send("m", "wipe", "w1");
  await turns();
  assert.deepEqual([second.got.length, orders.status("w1")?.state], [1, "sent"]);
  orders.answered("m", step("w1", StepState.DONE));
  orders.send("m", "wipe", "w1");
  await turns();
  assert.deepEqual([second.got.length, orders.status("w1")?.state], [1, "done"]);
  second.leave();
});

test("what ends a boot is done when the next one comes; what it was not told goes to the same boot again", async () => {
  const { orders, listen } = start();
  const first = listen("b1");
  await turns();
  orders.send("m", "reboot", "r1");
  orders.send("m", "setupBmc", "s1");
  orders.send("m", "rotateBmc", "p1");
  first.leave();
  await turns();
  const again = listen("b1");
  await turns();
  assert.deepEqual(
    again.got.map(({ id, kind }) => [id, kind.case, kind.case === "setupBmc" && kind.value.rotate]),
    [
      ["r1", "reboot", false],
      ["s1", "setupBmc", false],
      ["p1", "setupBmc", true],
    ],
  );
  again.leave();
  await turns();
  const next = listen("b2");
  await turns();
  assert.deepEqual(
    ["r1", "s1", "p1"].map((id) => orders.status(id)?.state),
    ["done", "failed", "failed"],
  );
  assert.deepEqual(next.got, []);
  next.leave();
});
