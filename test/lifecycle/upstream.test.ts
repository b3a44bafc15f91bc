/** Upstream's table (sidero.md §3.1): accepted, held and clean say what is done and what `ready` is. Where ours differs, it says why. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Machine } from "#decide/lifecycle/machine.ts";
import { BINDING, Model, START, WANTED } from "./model.ts";

const order = {
  id: "w1",
  reason: "r",
  by: "acceptance",
  orderedAt: "2030-01-01T00:00:00Z",
  state: "ordered",
  attempts: 0,
} as const;

interface Row {
  readonly accepted: boolean;
  readonly isHeld: boolean;
  readonly record: Machine["record"];
  readonly power: "on" | "off";
  readonly done: readonly string[];
  readonly ready: boolean;
  readonly isClean: boolean;
}

const ROWS: readonly Row[] = [
  // Not accepted: clean no longer, and nothing else.
  { accepted: false, isHeld: false, record: {}, power: "on", done: [], ready: false, isClean: false },
  { accepted: false, isHeld: false, record: { isClean: true, ready: true }, power: "on", done: [], ready: false, isClean: false },
  { accepted: false, isHeld: true, record: { inUse: true }, power: "off", done: [], ready: false, isClean: false },
  // Accepted, free, clean: off.
  { accepted: true, isHeld: false, record: { isClean: true }, power: "on", done: ["off"], ready: true, isClean: true },
  { accepted: true, isHeld: false, record: { isClean: true }, power: "off", done: [], ready: true, isClean: true },
  // Accepted, held: on, by PXE, if it is off; else left alone.
  { accepted: true, isHeld: true, record: { isClean: false }, power: "off", done: ["pxe+on"], ready: true, isClean: false },
  { accepted: true, isHeld: true, record: { isClean: false }, power: "on", done: [], ready: true, isClean: false },
  { accepted: true, isHeld: true, record: { isClean: true }, power: "off", done: ["pxe+on"], ready: true, isClean: false },
  // Accepted, free, not clean: PXE and on or cycle, but only by order. Without one upstream wiped what it knew nothing of (Q39).
  {
    accepted: true,
    isHeld: false,
    record: { wipe: order, phase: "Wiping" },
    power: "on",
    done: ["pxe+cycle"],
    ready: false,
    isClean: false,
  },
  {
    accepted: true,
    isHeld: false,
    record: { wipe: order, phase: "Wiping" },
    power: "off",
    done: ["pxe+on"],
    ready: false,
    isClean: false,
  },
  { accepted: true, isHeld: false, record: { isClean: false }, power: "on", done: [], ready: false, isClean: false },
  { accepted: true, isHeld: false, record: { isClean: false }, power: "off", done: [], ready: false, isClean: false },
];

for (const { accepted, isHeld, record, power, done, ready, isClean } of ROWS) {
  const what = [accepted ? "accepted" : "not accepted", isHeld ? "held" : "free", `record ${JSON.stringify(record)}`, power].join(
    ", ",
  );
  test(what, () => {
    const model = new Model();
    model.wanted = { ...WANTED, accepted };
    model.record = record;
    model.power = power;
    if (isHeld) model.binding = BINDING;
    model.rest();
    assert.deepEqual(model.done, done);
    assert.deepEqual([model.record.ready, model.record.isClean, model.record.inUse], [ready, isClean, isHeld]);
  });
}

test("conditions: PowerCycle False from the order on, anew with each step, True at the end; PXEBooted with Talos' word, gone with the binding", () => {
  const model = new Model();
  const said = (type: string): unknown[] => {
    const { status, reason, severity, message, lastTransitionTime } =
      model.record.conditions?.find((each) => each.type === type) ?? {};
    return [status, reason, severity, message, lastTransitionTime];
  };
  model.record = { phase: "Discovered" };
  model.rest();
  assert.deepEqual(said("PowerCycle"), [
    "False",
    "InProgress",
    "Info",
    "Server power cycled for wiping at 2030-01-01T00:00:00Z",
    "2030-01-01T00:00:00Z",
  ]);
  model.pass(60_000);
  model.connect();
  model.rest();
  model.beginWipe();
  model.rest();
  assert.deepEqual(said("PowerCycle").slice(0, 4), ["False", "InProgress", "Info", "Server wipe in progress."]);
  assert.equal(said("PowerCycle")[4], new Date(START + 60_000).toISOString().replace(".000", ""));
  model.endWipe("done");
  model.rest();
  assert.equal(said("PowerCycle")[0], "True");
  model.binding = { ...BINDING, isInstalled: true };
  model.rest();
  assert.equal(said("PXEBooted")[0], "True");
  model.binding = BINDING;
  model.rest();
  assert.equal(said("PXEBooted")[0], "True", "once installed, as long as it is held");
  model.binding = undefined;
  model.rest();
  assert.equal(said("PXEBooted")[0], undefined);
  assert.equal(said("PowerCycle")[0], "False");
});
