/** What is done to a machine's power, until it is seen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PowerAction, PowerState } from "#decide/power.ts";
import type { FakeMachine } from "./fake-bmc.ts";
import { power, PXE, startWorld } from "./world.ts";

interface Case {
  readonly name: string;
  readonly before: PowerState;
  readonly action: PowerAction;
  readonly prepare?: (machine: FakeMachine) => void;
  /** Commands, without readings. */
  readonly commands: readonly string[];
  readonly after: PowerState;
  readonly starts?: number;
}

const CASES: readonly Case[] = [
  { name: "on", before: "off", action: "on", commands: ["on"], after: "on", starts: 1 },
  { name: "on, which it is", before: "on", action: "on", commands: [], after: "on", starts: 0 },
  { name: "off", before: "on", action: "off", commands: ["off"], after: "off" },
  { name: "off, which it is", before: "off", action: "off", commands: [], after: "off" },
  { name: "cycle is off and on", before: "on", action: "cycle", commands: ["off", "on"], after: "on", starts: 1 },
  { name: "cycle of a machine that is off", before: "off", action: "cycle", commands: ["on"], after: "on", starts: 1 },
  {
    name: "cycle where there is nothing else",
    before: "on",
    action: "cycle",
    prepare: (machine) => (machine.actions = ["cycle", "reset"]),
    commands: ["cycle"],
    after: "on",
    starts: 1,
  },
  { name: "reset", before: "on", action: "reset", commands: ["reset"], after: "on", starts: 1 },
  { name: "reset of a machine that is off", before: "off", action: "reset", commands: ["on"], after: "on", starts: 1 },
  {
    name: "reset where there is none",
    before: "on",
    action: "reset",
    prepare: (machine) => (machine.actions = ["on", "off", "soft-off"]),
    commands: ["off", "on"],
    after: "on",
    starts: 1,
  },
  {
    name: "a machine that shuts down",
    before: "on",
    action: "soft-off",
    prepare: (machine) => (machine.shutdown = 60_000),
    commands: ["soft-off"],
    after: "off",
  },
  { name: "a machine that does not shut down", before: "on", action: "soft-off", commands: ["soft-off", "off"], after: "off" },
  {
    name: "a BMC that cannot ask for it",
    before: "on",
    action: "soft-off",
    prepare: (machine) => (machine.actions = ["on", "off"]),
    commands: ["off"],
    after: "off",
  },
  {
    name: "a BMC that refuses to ask",
    before: "on",
    action: "soft-off",
    prepare: (machine) => (machine.mood = (call) => (call === "command soft-off" ? "refused" : undefined)),
    commands: ["soft-off", "off"],
    after: "off",
  },
  {
    name: "a BMC that is busy with what it was told",
    before: "on",
    action: "cycle",
    prepare: (machine) => {
      let busy = 0;
      machine.mood = (call) => {
        if (call === "command off") busy = 3;
        return call === "power" && busy-- > 0 ? "busy" : undefined;
      };
    },
    commands: ["off", "on"],
    after: "on",
    starts: 1,
  },
];

for (const { name, before, action, prepare, commands, after, starts } of CASES) {
  test(name, async () => {
    const world = startWorld();
    const machine = world.machine("m1", "10.0.0.1");
    machine.power = before;
    prepare?.(machine);
    await world.seconds(5);
    machine.taken();
    world.begin("m1", "op", [power(action)]);
    await world.seconds(200);
    const { operation, power: read } = world.fleet.facts("m1");
    assert.equal(operation?.state, "done", String(operation?.error?.message));
    const told = machine.taken().filter((call) => call.startsWith("command"));
    assert.deepEqual(
      told,
      commands.map((command) => `command ${command}`),
    );
    assert.equal(machine.power, after);
    assert.equal(read, after);
    if (starts !== undefined) assert.equal(machine.starts.length, starts);
    await world.fleet.close();
  });
}

test("a soft off that is not followed becomes a hard one after its time, not before", async () => {
  const world = startWorld({ softOff: 30_000 });
  const machine = world.machine("m1", "10.0.0.1");
  machine.power = "on";
  await world.seconds(5);
  world.begin("m1", "op", [power("soft-off")]);
  await world.seconds(25);
  assert.deepEqual([machine.power, world.fleet.facts("m1").operation?.state], ["on", "running"]);
  await world.seconds(20);
  assert.deepEqual([machine.power, world.fleet.facts("m1").operation?.state], ["off", "done"]);
  await world.fleet.close();
});

test("a BMC that lies about power is found out, and what to boot is set again with every try", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  await world.seconds(5);
  machine.taken();
  machine.mood = (call) => (call === "command on" ? "lie" : undefined);
  world.begin("m1", "op", [PXE, power("on")]);
  await world.seconds(400);
  const { operation } = world.fleet.facts("m1");
  assert.deepEqual([operation?.state, operation?.error?.code, operation?.error?.retry], ["failed", "bmc.not-verified", "soon"]);
  assert.match(
    operation?.error?.message ?? "",
    /was told to switch the machine on and agreed; 30s later it says that the machine is off/,
  );
  assert.deepEqual(operation?.step, power("on"));
  const told = machine.taken().filter((call) => call !== "power");
  assert.ok(told.length >= 6, String(told));
  for (const [i, call] of told.entries()) assert.equal(call, i % 2 === 0 ? "bootOnce pxe" : "command on");
  assert.equal(world.fleet.facts("m1").breaker.state, "closed", "it is there, it only lies");
  await world.fleet.close();
});

test("a machine that comes up late is not told twice", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  machine.change = 25_000;
  await world.seconds(5);
  machine.taken();
  world.begin("m1", "op", [PXE, power("on")]);
  await world.seconds(40);
  assert.equal(world.fleet.facts("m1").operation?.state, "done");
  assert.deepEqual(
    machine.taken().filter((call) => call !== "power"),
    ["bootOnce pxe", "command on"],
  );
  assert.deepEqual(machine.starts, [{ device: "pxe", firmware: "uefi" }]);
  await world.fleet.close();
});
