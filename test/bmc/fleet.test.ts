/** Many BMCs: what one of them does is nothing to the others. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeMagic } from "#wire/wol/packet.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { FakeMachine } from "./fake-bmc.ts";
import { power, serverOf, startWorld } from "./world.ts";

const address = (i: number): string => `10.1.${Math.floor(i / 250)}.${(i % 250) + 1}`;

/** Seconds until all that answer have been read, and until all that answer have been switched on. */
async function sweep(count: number, dead: number): Promise<{ read: number; switched: number; most: number }> {
  const world = startWorld();
  const living: string[] = [];
  for (let i = 0; i < count; i++) {
    const machine = world.machine(`m${i}`, address(i));
    machine.latency = 200;
    if (dead > 0 && i % Math.round(count / dead) === 0) machine.mood = () => "silent";
    else living.push(`m${i}`);
  }
  const until = async (isDone: (name: string) => boolean): Promise<number> => {
    const from = world.clock.now();
    for (let open = living; (open = open.filter((name) => !isDone(name))).length > 0;) await world.seconds(0.1);
    return (world.clock.now() - from) / 1000;
  };
  const read = await until((name) => world.fleet.facts(name).inventory !== undefined);
  for (let i = 0; i < count; i++) world.begin(`m${i}`, "on", [power("on")]);
  const switched = await until((name) => world.fleet.facts(name).operation?.state === "done");
  const most = [...world.machines.values()].filter(({ inFlight }) => inFlight.now > 0).length;
  await Promise.all([world.fleet.close(), world.seconds(10)]);
  return { read, switched, most };
}

test("one in fifty that never answers costs the others nothing", async () => {
  const [well, ill] = [await sweep(1000, 0), await sweep(1000, 20)];
  assert.ok(ill.read <= well.read * 1.02, `read in ${ill.read} s instead of ${well.read} s`);
  assert.ok(ill.switched <= well.switched * 1.02, `switched on in ${ill.switched} s instead of ${well.switched} s`);
});

test("a whole row that is dead is asked ever more seldom, and never by all at once", async () => {
  const world = startWorld();
  const machines = Array.from({ length: 400 }, (_, i) => world.machine(`m${i}`, address(i)));
  for (const machine of machines) machine.mood = () => "silent";
  let most = 0;
  for (let second = 0; second < 1200; second++) {
    await world.seconds(1);
    most = Math.max(most, machines.filter(({ inFlight }) => inFlight.now > 0).length);
  }
  assert.ok(most <= 400);
  const calls = machines.reduce((sum, machine) => sum + machine.calls.splice(0).length, 0);
  await world.seconds(3600);
  const later = machines.reduce((sum, machine) => sum + machine.calls.length, 0);
  assert.ok(later / 400 <= 12, `${later / 400} calls each in an hour, ${calls / 400} before`);
  const times = machines.flatMap(({ calls: each }) => each.map(({ at }) => Math.floor(at / 60_000)));
  const perMinute = Map.groupBy(times, (minute) => minute);
  const busiest = Math.max(...[...perMinute.values()].map(({ length }) => length));
  assert.ok(busiest <= 4 * (later / 60), `${busiest} in one minute, ${later / 60} on average`);
  const warnings = world.lines.filter((line) => line.startsWith("warn"));
  assert.ok(warnings.length >= 1 && warnings.length <= 12, warnings.join("\n"));
  assert.match(
    warnings.at(-1) ?? "",
    /many BMCs cannot be used.*"bad":400,"of":400.*ipmi:\/\/10\.1\.0\.1: the BMC has not answered/,
  );
  for (const machine of machines) machine.mood = () => undefined;
  await world.seconds(900);
  assert.match(world.lines.at(-1) ?? "", /info most BMCs can be used again/);
  assert.equal(world.counted.get("sidero_bmc_machines answers"), 400);
  await world.fleet.close();
});

test("ten thousand machines at rest: one timer, no session, readings evenly spread", async () => {
  const world = startWorld();
  const count = 10_000;
  for (let i = 0; i < count; i++) world.machine(`4c4c4544-0044-4a10-8056-${i.toString(16).padStart(12, "0")}`, address(i));
  await world.seconds(600);
  const machines = [...world.machines.values()];
  assert.ok(machines.every(({ calls }) => calls.length >= 3));
  for (const machine of machines) machine.calls.length = 0;
  await world.seconds(300);
  const seconds = machines.flatMap(({ calls }) =>
    calls.filter(({ call }) => call === "power").map(({ at }) => Math.floor(at / 1000)),
  );
  assert.equal(seconds.length, count, "each of them once in five minutes");
  const busiest = Math.max(...[...Map.groupBy(seconds, (second) => second).values()].map(({ length }) => length));
  assert.ok(busiest <= 70, `${busiest} in one second; ${count / 300} are due`);
  const open = machines.filter(({ sessions }) => sessions.open > 0).length;
  assert.ok(open <= 5, `${open} sessions are open`);
  assert.ok(world.clock.pending <= 60, `${world.clock.pending} timers`);
  await world.fleet.close();
});

test("what becomes of a Server's BMC: none, unusable, another one, gone", async () => {
  const world = startWorld();
  const [a, b] = [world.machine("m1", "10.0.0.1"), world.machine("m2", "10.0.0.2")];
  await world.seconds(5);
  world.fleet.follow(serverOf("m1", "10.0.0.1", { interface: "open" }), "");
  assert.equal(world.fleet.facts("m1").way, "unusable");
  assert.match(world.fleet.facts("m1").problem ?? "", /lanplus/);
  world.begin("m1", "op", [power("on")]);
  await world.seconds(5);
  assert.deepEqual([world.fleet.facts("m1").operation, a.power], [undefined, "off"]);
  world.fleet.follow({ ...serverOf("m1", ""), spec: { accepted: true } }, "");
  assert.equal(world.fleet.facts("m1").way, "none");
  world.fleet.follow(serverOf("m1", "10.0.0.1"), "");
  await world.seconds(5);
  assert.equal(world.fleet.facts("m1").power, "off");
  world.fleet.forget("m2");
  b.taken();
  await world.seconds(900);
  assert.deepEqual(b.taken(), []);
  assert.deepEqual(world.fleet.facts("m2"), { way: "none", power: "unknown", breaker: { state: "closed", failures: 0 } });
  await world.fleet.close();
});

test("two Servers with one BMC would switch each other's machine: the first one has it, until it goes", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  const second = serverOf("m2", "ipmi://10.0.0.1:623");
  world.fleet.follow(second, "");
  await world.seconds(5);
  assert.match(world.fleet.facts("m2").problem ?? "", /ipmi:\/\/10\.0\.0\.1 is the BMC of Server m1/);
  world.begin("m2", "op", [power("on")]);
  await world.seconds(5);
  assert.equal(machine.power, "off");
  world.told.length = 0;
  world.fleet.forget("m1");
  assert.deepEqual(world.told, ["m2"], "its controller is told to look again");
  world.fleet.follow(second, "");
  await world.seconds(5);
  assert.deepEqual([world.fleet.facts("m2").way, world.fleet.facts("m2").power], ["bmc", "off"]);
  await world.fleet.close();
});

test("listeners hear of changes, and of nothing else", async () => {
  const world = startWorld();
  world.machine("m1", "10.0.0.1");
  world.machine("m2", "10.0.0.2");
  await world.seconds(700);
  world.told.length = 0;
  await world.seconds(3600);
  assert.deepEqual(world.told, [], "readings that show the same are no news");
  world.begin("m1", "op", [power("on")]);
  await world.seconds(10);
  assert.ok(world.told.length >= 3 && world.told.every((name) => name === "m1"), world.told.join());
  await world.fleet.close();
});

test("Wake-on-LAN goes to every card by every network, as a broadcast to port 9", async () => {
  const world = startWorld();
  world.host.connect("rack", "eth0", ["10.9.0.1/24"]);
  world.host.connect("other", "eth1", ["10.8.0.1/24", "fd00::1/64"]);
  world.host.connect("six", "eth2", ["fd01::1/64"]);
  const heard: string[] = [];
  for (const segment of ["rack", "other"]) {
    const machine = world.network.host();
    machine.connect(segment, "nic", [`10.9.0.${segment.length}/24`]);
    const hear = ({ bytes }: { bytes: Uint8Array }): void => void heard.push(`${segment} ${decodeMagic(bytes)}`);
    await machine.openUdp({ family: 4, host: "", port: 9, broadcast: true }, hear);
  }
  const server = serverOf("m1", "");
  const interfaces = ["52:54:00:00:00:01", "52:54:00:00:00:02", "no address"].map((mac) => ({ mac }));
  world.fleet.wake({ ...server, spec: { ...server.spec!, hardware: { network: { interfaces } } } });
  for (let i = 0; i < 20; i++) await world.seconds(0.1);
  const both = ["52:54:00:00:00:01", "52:54:00:00:00:02"];
  assert.deepEqual(heard.sort(), [...both.map((mac) => `other ${mac}`), ...both.map((mac) => `rack ${mac}`)]);
  const [{ what, text, begins } = {}] = world.sightings;
  assert.deepEqual([what, begins], ["power.command", true]);
  assert.match(text ?? "", /Wake-on-LAN was sent to 52:54:00:00:00:01, 52:54:00:00:00:02 by eth0, eth1$/);
  await world.fleet.close();
});

test("a certificate that was pinned is known again, also by the next process; at another address it is another BMC's", async () => {
  const world = startWorld();
  for (const address of ["10.0.0.1", "10.0.0.2"]) world.machines.set(address, new FakeMachine(world.clock));
  const known = (): unknown[] => world.made.splice(0).map((target) => target.known);
  const server = (address: string, pass = "right"): Server => {
    return { ...serverOf("m1", address, { pass }), status: { bmc: { way: "bmc", fingerprint: "of the first" } } };
  };
  world.fleet.follow(server("10.0.0.1"), "");
  await world.seconds(1);
  assert.deepEqual([known(), world.fleet.facts("m1").fingerprint], [["of the first"], "of the first"]);
  world.fleet.follow(server("10.0.0.2"), "");
  await world.seconds(1);
  assert.deepEqual([known(), world.fleet.facts("m1").fingerprint], [[undefined], undefined]);
  world.fleet.follow(server("10.0.0.2", "wrong"), "");
  world.told.length = 0;
  await world.seconds(1);
  const [target] = world.made;
  target!.onPin("of the second");
  assert.deepEqual([world.fleet.facts("m1").fingerprint, world.told.at(-1)], ["of the second", "m1"]);
  world.fleet.follow(server("10.0.0.2", "right"), "");
  world.made.length = 0;
  await world.seconds(1);
  assert.deepEqual(known(), ["of the second"]);
  await world.fleet.close();
});
