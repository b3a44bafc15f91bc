/** One BMC: order, sessions, pace, credentials, and what is left alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { power, PXE, serverOf, startWorld } from "./world.ts";

test("a BMC is read when it is met: its power, what it can and what it is; facts cost nothing", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  assert.equal(world.fleet.facts("m1").power, "unknown");
  await world.seconds(5);
  assert.deepEqual(machine.taken(), ["power", "capabilities", "inventory"]);
  const facts = world.fleet.facts("m1");
  assert.deepEqual(
    [facts.way, facts.power, facts.inventory, facts.breaker.state],
    ["bmc", "off", { manufacturer: "Fake" }, "closed"],
  );
  assert.equal(world.fleet.facts("m1"), facts, "the same object as long as nothing changes");
  assert.deepEqual(world.sightings, [], "what was so before Sidero looked is no news");
  await world.fleet.close();
});

test("there is never more than one call, nor more than one session, which is ended when nothing is due", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  machine.latency = 300;
  for (let i = 0; i < 20; i++) {
    world.begin("m1", `op${i}`, [PXE, power(i % 2 === 0 ? "cycle" : "reset")], i % 3 === 0 ? "user" : "lifecycle");
    await world.seconds(i % 4);
  }
  await world.seconds(60);
  assert.equal(world.fleet.facts("m1").operation?.state, "done");
  assert.equal(machine.inFlight.most, 1);
  assert.equal(machine.sessions.most, 1);
  assert.equal(machine.sessions.opened, 1, "one session for all of that");
  await world.seconds(300);
  assert.equal(machine.sessions.open, 0, "at rest nobody holds one");
  await world.fleet.close();
});

test("closing ends the session and what is under way", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  await world.seconds(5);
  machine.mood = (call) => (call === "command on" ? "silent" : undefined);
  world.begin("m1", "op", [power("on")]);
  await world.seconds(1);
  assert.equal(machine.sessions.open, 1);
  const closing = world.fleet.close();
  await world.seconds(1);
  await closing;
  assert.deepEqual([machine.sessions.open, machine.inFlight.now], [0, 0]);
  machine.taken();
  await world.seconds(1000);
  assert.deepEqual(machine.taken(), [], "and nothing comes after it");
});

test("an operation begun again does nothing; the newest one is the one that counts", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  await world.seconds(5);
  for (let i = 0; i < 3; i++) world.begin("m1", "op1", [PXE, power("on")]);
  await world.seconds(10);
  world.begin("m1", "op1", [PXE, power("on")]);
  await world.seconds(10);
  assert.equal(machine.starts.length, 1);
  world.begin("m1", "op2", [power("off")]);
  await world.seconds(10);
  world.begin("m1", "op1", [PXE, power("on")]);
  assert.deepEqual([world.fleet.facts("m1").operation?.id, world.fleet.facts("m1").operation?.state], ["op1", "done"]);
  await world.seconds(10);
  assert.deepEqual([machine.power, machine.starts.length], ["off", 1], "done is done");
  await world.fleet.close();
});

test("what a person asks for ends what the life cycle does, and the life cycle waits for a person", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  machine.power = "on";
  await world.seconds(5);
  world.begin("m1", "slow", [power("soft-off")]);
  await world.seconds(10);
  world.begin("m1", "mine", [power("reset")], "user");
  world.begin("m1", "later", [power("off")]);
  assert.deepEqual([world.fleet.facts("m1").operation?.id, world.fleet.facts("m1").operation?.state], ["later", "waiting"]);
  machine.taken();
  await world.seconds(30);
  assert.deepEqual(
    machine.taken().filter((call) => call.startsWith("command")),
    ["command reset", "command off"],
  );
  assert.equal(world.fleet.facts("m1").operation?.state, "done");
  await world.seconds(300);
  assert.equal(machine.power, "off");
  await world.fleet.close();
});

test("what is withdrawn goes no further", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  machine.power = "on";
  await world.seconds(5);
  world.begin("m1", "op", [power("soft-off")]);
  await world.seconds(10);
  world.fleet.withdraw("m1", "op");
  assert.equal(world.fleet.facts("m1").operation, undefined);
  await world.seconds(600);
  assert.equal(machine.power, "on", "the hard off never came");
  world.begin("m1", "op", [power("off")]);
  await world.seconds(10);
  assert.equal(machine.power, "off", "it counts as never begun");
  await world.fleet.close();
});

test("calls keep their distance", async () => {
  const world = startWorld({ pace: { least: 200, mean: 1000, burst: 10 } });
  const machine = world.machine("m1", "10.0.0.1");
  machine.latency = 1;
  await world.seconds(60);
  machine.calls.length = 0;
  for (let i = 0; i < 40; i++) {
    world.begin("m1", `op${i}`, [{ do: "identify", on: true }]);
    await world.seconds(0.3);
  }
  await world.seconds(60);
  const times = machine.calls.map(({ at }) => at);
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  assert.ok(Math.min(...gaps) >= 199, String(gaps));
  for (const [i, time] of times.entries()) {
    const within = times.filter((other) => other >= time && other < time + 20_000).length;
    assert.ok(within <= 10 + 20 + 1, `${within} calls in the 20 s from call ${i}`);
  }
  await world.fleet.close();
});

test("credentials come from Secrets, and other ones are tried at once", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  const from = { user: "", pass: "", passFrom: { secretKeyRef: { namespace: "default", name: "m1-bmc", key: "pass" } } };
  const server = serverOf("m1", "10.0.0.1", { ...from, user: "admin" });
  world.fleet.follow(server, "");
  await world.seconds(1);
  const { breaker } = world.fleet.facts("m1");
  assert.deepEqual([breaker.state, breaker.error], ["open", "Secret default/m1-bmc, key pass: does not exist"]);
  world.secrets.set("default/m1-bmc/pass", "wrong");
  world.fleet.follow(server, "4711");
  await world.seconds(1);
  assert.match(world.fleet.facts("m1").breaker.error ?? "", /does not take the password/);
  assert.ok(world.fleet.facts("m1").breaker.retryAt! >= world.clock.now() + 1_790_000, "an account is not to be locked");
  machine.taken();
  await world.seconds(1500);
  assert.deepEqual(machine.taken(), []);
  world.fleet.follow(server, "4711");
  await world.seconds(1);
  assert.deepEqual(machine.taken(), [], "the same ones are not tried again");
  world.secrets.set("default/m1-bmc/pass", "right");
  world.fleet.follow(server, "4712");
  await world.seconds(1);
  assert.deepEqual([world.fleet.facts("m1").breaker.state, world.fleet.facts("m1").power], ["closed", "off"]);
  assert.doesNotMatch(world.lines.join("\n") + JSON.stringify(world.fleet.facts("m1")), /right|wrong/);
  await world.fleet.close();
});

test("credentials that change while an operation runs have it go on with the new ones", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  await world.seconds(5);
  machine.mood = (call) => (call === "command on" ? "silent" : undefined);
  world.begin("m1", "op", [PXE, power("on")]);
  await world.seconds(2);
  machine.password = "rotated";
  machine.mood = () => undefined;
  world.fleet.follow(serverOf("m1", "10.0.0.1", { pass: "rotated" }), "");
  assert.equal(world.fleet.facts("m1").power, "unknown", "another spec is another BMC as far as anybody knows");
  await world.seconds(5);
  assert.equal(world.fleet.facts("m1").power, "off");
  await world.fleet.close();
});

test("a BMC that fails is left alone, longer and longer; a person may knock once", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  await world.seconds(5);
  machine.mood = () => "unreachable";
  machine.taken();
  await world.seconds(3600);
  const first = machine.taken().length;
  assert.ok(first >= 8 && first <= 16, `${first} calls in an hour`);
  const { breaker } = world.fleet.facts("m1");
  assert.deepEqual([breaker.state, breaker.error], ["open", "unreachable"]);
  world.begin("m1", "auto", [power("on")]);
  await world.seconds(1);
  assert.equal(world.fleet.facts("m1").operation?.error?.code, "bmc.left-alone");
  assert.match(world.fleet.facts("m1").operation?.error?.message ?? "", /is left alone until 20.*Z: unreachable/);
  assert.deepEqual(machine.taken(), []);
  world.begin("m1", "mine", [power("on")], "user");
  await world.seconds(2);
  assert.deepEqual([machine.taken().length, world.fleet.facts("m1").operation?.error?.code], [1, "bmc.unreachable"]);
  machine.mood = () => undefined;
  world.begin("m1", "again", [power("on")], "user");
  await world.seconds(10);
  assert.deepEqual([world.fleet.facts("m1").operation?.state, world.fleet.facts("m1").breaker.state], ["done", "closed"]);
  await world.fleet.close();
});

test("a BMC in POST says busy for a while; the operation outlasts it", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  await world.seconds(5);
  const until = world.clock.now() + 45_000;
  machine.mood = () => (world.clock.now() < until ? "busy" : undefined);
  world.begin("m1", "op", [PXE, power("on")]);
  await world.seconds(100);
  assert.equal(world.fleet.facts("m1").operation?.state, "done");
  await world.fleet.close();
});

test("a BMC that never answers costs one time-out, and another session is opened for it then", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  await world.seconds(5);
  machine.mood = () => "silent";
  world.begin("m1", "op", [power("on")]);
  await world.seconds(30.3);
  assert.match(world.fleet.facts("m1").breaker.error ?? "", /has not answered within 30s \(power\)/);
  machine.mood = () => undefined;
  await world.seconds(20);
  assert.deepEqual([world.fleet.facts("m1").operation?.state, machine.inFlight.now, machine.sessions.open], ["done", 0, 1]);
  await world.fleet.close();
});

test("power that changes by itself is seen, and told to the flight recorder", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  await world.seconds(5);
  machine.power = "on";
  await world.seconds(600);
  assert.equal(world.fleet.facts("m1").power, "on");
  assert.deepEqual(
    world.sightings.map(({ what, text }) => [what, text]),
    [["power.on", "the BMC says that the machine is on; nobody has told it to"]],
  );
  await world.fleet.close();
});

test("a timeline begins with the command", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  machine.power = "on";
  await world.seconds(5);
  world.begin("m1", "op", [PXE, power("cycle")]);
  await world.seconds(20);
  assert.deepEqual(
    world.sightings.map(({ what, text, begins, of }) => [what, text, begins, of]),
    [
      [
        "power.command",
        "its BMC (ipmi://10.0.0.1) was told to switch the machine off: to be tested",
        undefined,
        { server: "m1" },
      ],
      ["power.off", "the BMC says that the machine is off", undefined, { server: "m1" }],
      [
        "power.command",
        "its BMC (ipmi://10.0.0.1) was told to switch the machine on and start it from the network (PXE), UEFI: to be tested",
        true,
        { server: "m1" },
      ],
      ["power.on", "the BMC says that the machine is on", undefined, { server: "m1" }],
    ],
  );
  assert.ok((world.sightings[3]!.took ?? 0) >= 500);
  await world.fleet.close();
});

test("after something was done it is looked at soon, then ever more seldom, up to upstream's five minutes; health every ten", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  await world.seconds(5);
  world.begin("m1", "op", [power("on")]);
  await world.seconds(5);
  machine.calls.length = 0;
  const from = world.clock.now();
  await world.seconds(2 * 3600);
  const reads = machine.calls.filter(({ call }) => call === "power").map(({ at }) => Math.round((at - from) / 1000));
  const gaps = reads.slice(1).map((at, i) => at - reads[i]!);
  assert.deepEqual(gaps.slice(0, 4), [10, 20, 40, 80]);
  assert.ok(
    gaps.slice(5).every((gap) => gap === 300),
    String(gaps),
  );
  assert.ok(gaps[4]! >= 150 && gaps[4]! <= 450);
  const healths = machine.calls.filter(({ call }) => call === "health").length;
  assert.ok(healths >= 11 && healths <= 13, `${healths} in two hours`);
  assert.equal(machine.calls.filter(({ call }) => call === "inventory").length, 0, "kept for hours");
  assert.equal(world.fleet.facts("m1").health, "ok");
  await world.fleet.close();
});

test("what is withdrawn does not wait for its call to end", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  await world.seconds(5);
  machine.mood = (call) => (call === "bootOnce pxe" ? "silent" : undefined);
  world.begin("m1", "op", [PXE, power("on")]);
  await world.seconds(1);
  assert.equal(machine.inFlight.now, 1);
  world.fleet.withdraw("m1", "op");
  await world.seconds(1);
  assert.equal(machine.inFlight.now, 0);
  world.begin("m1", "other", [power("on")]);
  await world.seconds(5);
  assert.deepEqual([world.fleet.facts("m1").operation?.state, machine.power], ["done", "on"]);
  assert.equal(world.fleet.facts("m1").breaker.failures, 0, "that was not the BMC's fault");
  await world.fleet.close();
});

test("a console has a session of its own: the machine can be switched while somebody looks", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  await world.seconds(5);
  const { signal } = new AbortController();
  const console = await world.fleet.console("m1", signal);
  await console.write(new Uint8Array(3));
  world.begin("m1", "op", [power("on")], "user");
  await world.seconds(5);
  assert.deepEqual([machine.sessions.open, machine.power], [2, "on"]);
  await console.close();
  await world.seconds(600);
  assert.equal(machine.sessions.open, 0);
  machine.password = "other";
  await assert.rejects(world.fleet.console("m1", signal), { code: "bmc.denied" });
  await assert.rejects(world.fleet.console("m2", signal), { code: "bmc.unsupported" });
  assert.equal(machine.sessions.open, 0);
  await world.fleet.close();
});

test("what somebody waits for does not wait for an inventory that takes minutes", async () => {
  const world = startWorld();
  const machine = world.machine("m1", "10.0.0.1");
  machine.mood = (call) => (call === "inventory" ? "silent" : undefined);
  await world.seconds(1);
  assert.equal(machine.inFlight.now, 1);
  world.begin("m1", "op", [power("on")], "user");
  await world.seconds(3);
  const { operation, breaker, inventory } = world.fleet.facts("m1");
  assert.deepEqual([operation?.state, breaker.failures, inventory], ["done", 0, undefined]);
  machine.mood = () => undefined;
  await world.seconds(30);
  assert.deepEqual(world.fleet.facts("m1").inventory, { manufacturer: "Fake" }, "it is read when there is time");
  assert.deepEqual([machine.inFlight.most, machine.sessions.most], [1, 1]);
  await world.fleet.close();
});
