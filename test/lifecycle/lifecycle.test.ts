/** A machine's life, as the decisions have it: what is done, what is on record, and what it waits for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BINDING, Model, REBOOT_TIMEOUT, WANTED } from "./model.ts";

const waitsFor = (model: Model): string | undefined => model.record.waiting?.reason;
const condition = (model: Model, type: string): string | undefined =>
  model.record.conditions?.find((each) => each.type === type)?.status;

test("registered, accepted, wiped by its resident agent, and switched off: one order, no power cycle", () => {
  const model = new Model();
  model.wanted = { ...WANTED, accepted: false };
  model.connect();
  model.rest();
  assert.deepEqual(
    [model.record.phase, waitsFor(model), model.record.ready, model.record.isClean],
    ["Discovered", "NotAccepted", false, false],
  );
  assert.deepEqual(model.done, []);
  assert.equal(model.record.power, "on", "its agent is there");
  assert.equal(model.record.bmc, undefined, "nobody has spoken to its BMC");

  model.wanted = WANTED;
  model.rest();
  assert.deepEqual(model.done, ["agent:wipe"]);
  const { wipe } = model.record;
  assert.deepEqual([wipe?.by, wipe?.state, wipe?.attempts, wipe?.boot], ["acceptance", "ordered", 1, "boot1"]);
  assert.deepEqual([model.record.phase, waitsFor(model), condition(model, "PowerCycle")], ["Wiping", "AgentToBegin", "False"]);

  model.beginWipe();
  model.rest();
  assert.deepEqual([model.record.phase, waitsFor(model)], ["Wiping", "Wiping"]);
  model.endWipe("done");
  model.rest();
  assert.deepEqual(
    [model.record.phase, model.record.isClean, model.record.ready, condition(model, "PowerCycle")],
    ["Available", true, true, "True"],
  );
  assert.deepEqual(model.done, ["agent:wipe", "agent:powerOff"]);
  model.disconnect();
  model.rest();
  assert.deepEqual(model.done, ["agent:wipe", "agent:powerOff", "off"], "the BMC is asked, and made to");
  assert.deepEqual([model.record.power, model.record.waiting, model.record.action?.state], ["off", undefined, "done"]);
  assert.equal(model.rest(), 1);
});

test("a machine that is off, or on without an agent, is brought into the agent by its BMC", () => {
  for (const power of ["off", "on"] as const) {
    const model = new Model();
    model.power = power;
    model.record = { phase: "Discovered" };
    model.rest();
    assert.deepEqual(model.done, [power === "off" ? "pxe+on" : "pxe+cycle"]);
    assert.deepEqual([model.record.phase, waitsFor(model), model.record.wipe?.attempts], ["Wiping", "AgentBooting", 1]);
    model.pass(45_000);
    model.connect();
    model.rest();
    assert.equal(model.done.at(-1), "agent:wipe");
    assert.deepEqual([model.record.wipe?.attempts, model.record.bootSeconds], [1, 45]);
  }
});

test("an agent that was told when it registered may begin before it is connected", () => {
  const model = new Model();
  model.record = { phase: "Discovered" };
  model.rest();
  model.pass(45_000);
  model.beginWipe();
  model.connect();
  model.rest();
  const { wipe } = model.record;
  assert.deepEqual([wipe?.state, wipe?.boot, wipe?.attempts], ["started", "boot1", 1]);
  model.endWipe("done");
  model.rest();
  assert.equal(model.record.phase, "Available");
});

test("the stream of a machine that has lost its power is not believed against its BMC", () => {
  const model = new Model();
  model.connect();
  model.pass(10_000);
  model.power = "unknown";
  model.record = { phase: "Discovered" };
  model.rest();
  assert.deepEqual(model.done, ["agent:wipe"], "who is to know");
  model.power = "off";
  model.rest();
  assert.deepEqual([waitsFor(model), model.record.wipe?.detail], ["WipeRetry", "it went off"]);
  model.pass(45_000);
  model.rest();
  assert.deepEqual(model.done, ["agent:wipe", "pxe+on"]);
  assert.deepEqual([model.record.phase, waitsFor(model), model.record.wipe?.attempts], ["Wiping", "AgentBooting", 2]);

  model.pass(45_000);
  model.connect();
  model.rest();
  model.beginWipe();
  model.pass(30_000);
  model.power = "off";
  model.rest();
  assert.equal(model.record.wipe?.state, "started", "its agent was heard of a moment ago");
  model.pass(31_000);
  model.rest();
  assert.deepEqual([model.record.wipe?.state, model.record.wipe?.detail], ["failed", "it went off"]);
  model.pass(60_000);
  model.rest();
  assert.equal(model.done.at(-1), "pxe+on");
});

test("allocated, installed, released: booted into its Environment once, kept, and wiped afterwards", () => {
  const model = new Model().clean();
  model.binding = BINDING;
  model.rest();
  assert.deepEqual(model.done, ["pxe+on"]);
  assert.deepEqual(
    [model.record.phase, model.record.inUse, model.record.isClean, model.record.ready],
    ["Allocated", true, false, true],
  );
  assert.deepEqual([waitsFor(model), model.record.allocation?.binding], ["Booting", "b1"]);
  model.pass(60_000);
  model.askedAt = model.now;
  model.rest();
  assert.deepEqual([model.record.phase, waitsFor(model)], ["Installing", "Installing"]);
  model.askedAt = undefined;
  model.pass(3 * REBOOT_TIMEOUT);
  model.rest();
  assert.deepEqual(
    [model.record.phase, model.done.length],
    ["Installing", 1],
    "what it does is not known, so nothing is done to it",
  );
  model.binding = { ...BINDING, isInstalled: true };
  model.rest();
  assert.deepEqual([model.record.phase, model.record.waiting, condition(model, "PXEBooted")], ["Running", undefined, "True"]);

  model.binding = undefined;
  model.rest();
  assert.deepEqual([model.record.phase, model.record.inUse, condition(model, "PXEBooted")], ["Releasing", false, undefined]);
  assert.deepEqual([model.record.wipe?.by, model.record.allocation], ["release", undefined]);
  assert.deepEqual(model.done, ["pxe+on", "pxe+cycle"]);
});

test("a machine that has its configuration and never says that it is installed waits, with a deadline and a remedy", () => {
  const model = new Model().clean();
  model.binding = BINDING;
  model.rest();
  model.pass(60_000);
  model.binding = { ...BINDING, isHeard: true, configuredAt: model.now };
  model.rest();
  const { waiting } = model.record;
  assert.deepEqual([model.record.phase, waiting?.reason], ["Installing", "Installing"]);
  assert.match(waiting?.waitingFor ?? "", /it has its configuration/);
  assert.equal(Date.parse(waiting?.deadline ?? "") - Date.parse(waiting?.since ?? ""), 30 * 60_000);
  assert.match(waiting?.remedy ?? "", /to install it anew: kubectl annotate .*power-cycle/);
  for (let i = 0; i < 10; i++) {
    model.pass(REBOOT_TIMEOUT);
    model.rest();
  }
  assert.deepEqual(model.done, ["pxe+on"], "no reinstall loop");
});

test("somebody else asked as a machine that is to boot: it waits for somebody to look, and boots anew by order", () => {
  const model = new Model().clean();
  model.binding = BINDING;
  model.rest();
  model.pass(60_000);
  model.askedAt = model.now;
  model.binding = { ...BINDING, intruder: { order: model.record.action!.id, who: "10.0.0.66" } };
  model.rest();
  assert.deepEqual([waitsFor(model), model.done.length], ["Intruder", 1]);
  assert.match(model.record.waiting?.waitingFor ?? "", /10\.0\.0\.66 asked for its configuration/);
  model.wanted = { ...WANTED, request: "power-cycle 1" };
  model.rest();
  assert.deepEqual([model.done.length, waitsFor(model) === "Intruder"], [2, false]);
});

test("nothing is seen of an allocated machine: started again, five times, then Failed; retry starts it anew", () => {
  const model = new Model().clean();
  model.binding = BINDING;
  model.rest();
  for (let i = 0; i < 8; i++) {
    model.pass(REBOOT_TIMEOUT + 1000);
    model.rest();
  }
  assert.deepEqual(model.done, ["pxe+on", "pxe+cycle", "pxe+cycle", "pxe+cycle", "pxe+cycle"]);
  assert.deepEqual([model.record.phase, waitsFor(model), model.record.ready], ["Failed", "BootFailed", true]);
  model.wanted = { ...WANTED, request: "retry 1" };
  model.rest();
  assert.deepEqual([model.done.length, model.record.phase, model.record.request?.outcome], [6, "Allocated", "begun anew"]);
  model.pass(60_000);
  model.askedAt = model.now;
  model.rest();
  assert.equal(model.record.phase, "Installing");
});

test("allocated and on in what is not known: left alone, until somebody has it power cycled into its Environment", () => {
  const model = new Model();
  model.power = "on";
  model.binding = BINDING;
  model.rest();
  model.pass(10 * REBOOT_TIMEOUT);
  model.rest();
  assert.deepEqual([model.done, waitsFor(model)], [[], "OnElsewhere"]);
  model.wanted = { ...WANTED, request: "power-cycle 1" };
  model.rest();
  assert.deepEqual(model.done, ["pxe+cycle"]);
  model.pass(60_000);
  model.askedAt = model.now;
  model.rest();
  assert.equal(model.record.phase, "Installing");
});

test("what a person has switched off stays off, whatever the life cycle wants of it", () => {
  const model = new Model();
  model.record = { phase: "Discovered" };
  model.rest();
  model.wanted = { ...WANTED, request: "power-off 1" };
  model.rest();
  model.pass(10 * REBOOT_TIMEOUT);
  model.rest();
  assert.deepEqual(
    [model.done, model.power, waitsFor(model), model.record.phase],
    [["pxe+on", "soft-off"], "off", "KeptOff", "Wiping"],
  );
  model.wanted = WANTED;
  model.rest();
  assert.equal(model.power, "on");
});

test("a request that was refused keeps nobody's power", () => {
  const model = new Model();
  const request = "power-off 1";
  model.record = {
    phase: "Discovered",
    request: { value: request, outcome: "refused: it came with a move", at: "2030-01-01T00:00:00Z" },
  };
  model.wanted = { ...WANTED, request };
  model.rest();
  assert.deepEqual([model.power, waitsFor(model) === "KeptOff"], ["on", false]);
});

test("a BMC that fails is tried ever more seldom, and told of once; when it works again the machine goes on by itself", () => {
  const model = new Model();
  model.record = { phase: "Discovered" };
  model.bmcWorks = false;
  model.rest();
  assert.deepEqual([waitsFor(model), model.record.action?.state], ["PowerRetry", "failed"]);
  const tries: number[] = [];
  for (let second = 0; second < 3600; second++) {
    const { length } = model.done;
    model.pass(1000);
    model.rest();
    if (model.done.length > length) tries.push(second);
  }
  assert.ok(tries.length >= 7 && tries.length <= 12, `${tries.length} tries in an hour`);
  assert.deepEqual([model.record.phase, waitsFor(model), model.record.wipe?.attempts], ["Failed", "PowerFailed", 1]);
  model.bmcWorks = true;
  model.pass(16 * 60_000);
  model.rest();
  assert.deepEqual([model.record.phase, waitsFor(model)], ["Wiping", "AgentBooting"]);
});

test("Wake-on-LAN: woken to be wiped, switched off by its agent", () => {
  const model = new Model();
  model.way = "none";
  model.power = "unknown";
  model.wanted = { ...WANTED, wakeOnLan: true };
  model.record = { phase: "Discovered" };
  model.rest();
  assert.deepEqual([model.done, waitsFor(model)], [["wake"], "AgentBooting"]);
  model.pass(30_000);
  model.connect();
  model.rest();
  model.beginWipe();
  model.endWipe("done");
  model.rest();
  assert.deepEqual(model.done, ["wake", "agent:wipe", "agent:powerOff"]);
  model.disconnect();
  model.rest();
  assert.deepEqual([model.record.phase, model.record.waiting, model.record.power], ["Available", undefined, "unknown"]);
});

test("without any way to its power: somebody is waited for, and a clean one rests in the agent", () => {
  const model = new Model();
  model.way = "none";
  model.power = "unknown";
  model.record = { phase: "Discovered" };
  model.rest();
  assert.deepEqual([waitsFor(model), model.record.waiting?.deadline], ["PersonNeeded", undefined]);
  model.connect();
  model.rest();
  model.beginWipe();
  model.endWipe("done");
  model.rest();
  assert.deepEqual(
    [model.done, model.record.phase, model.record.waiting, model.record.power],
    [["agent:wipe"], "Available", undefined, "on"],
  );
  model.binding = BINDING;
  model.rest();
  assert.deepEqual(model.done, ["agent:wipe", "agent:reboot"]);
});

test("a request that came along with a move or a restore, which left the status behind, is not carried out again", () => {
  for (const paused of [undefined, "Cluster default/c1"]) {
    for (const request of ["wipe 1", "power-cycle 1", "reboot 1", "power-off 1"]) {
      const model = new Model();
      model.power = "on";
      model.wanted = { ...WANTED, request, ...(paused !== undefined && { paused }) };
      model.rest();
      model.wanted = { ...WANTED, request };
      model.rest();
      assert.deepEqual([model.done, model.record.wipe, model.record.phase], [[], undefined, "Held"]);
      assert.match(model.record.request?.outcome ?? "", /^refused: it was there before/);
      model.wanted = { ...WANTED, request: "wipe 2" };
      model.rest();
      assert.equal(model.record.wipe?.by, "request", "asked anew");
    }
  }
});

test("a machine whose cluster was moved elsewhere is not released: it runs on there", () => {
  const allocated = (): Model => {
    const model = new Model().clean();
    model.binding = { ...BINDING, isInstalled: true };
    model.rest();
    model.done.length = 0;
    return model;
  };
  const moved = allocated();
  moved.wanted = { ...WANTED, paused: "Cluster default/c1" };
  moved.rest();
  moved.binding = undefined;
  moved.rest();
  moved.isClusterGone = true;
  moved.wanted = WANTED;
  moved.rest();
  assert.deepEqual([moved.record.phase, moved.done, moved.record.allocation], ["Held", [], undefined]);
  assert.notEqual(moved.record.wipe?.by, "release");

  const ended = allocated();
  ended.binding = undefined;
  ended.isClusterGone = true;
  ended.rest();
  assert.equal(ended.record.wipe?.by, "release", "a cluster that was not paused was ended");

  const unpaused = allocated();
  unpaused.wanted = { ...WANTED, paused: "Cluster default/c1" };
  unpaused.rest();
  unpaused.binding = undefined;
  unpaused.rest();
  unpaused.wanted = WANTED;
  unpaused.rest();
  assert.equal(unpaused.record.wipe?.by, "release", "a cluster that is still there has let go of it");
});

test("what was under way for an order that has ended does not go on: the machine may run something by now", () => {
  const inUse = { ...BINDING, isInstalled: true };
  for (const change of [{ wanted: { ...WANTED, adopt: true } }, { binding: inUse }]) {
    const model = new Model();
    model.power = "on";
    model.record = { phase: "Discovered" };
    model.isSlow = true;
    model.rest();
    assert.deepEqual([model.done, model.operation?.state, model.record.action?.state], [["pxe+cycle"], "running", "running"]);
    Object.assign(model, change);
    model.rest();
    assert.deepEqual([model.operation, model.record.action, model.record.wipe?.state], [undefined, undefined, "withdrawn"]);
    assert.deepEqual(model.done, ["pxe+cycle"]);
  }
});

test("an order of a backup that was restored is not carried out: what became of the machine since is not known", () => {
  for (const state of ["ordered", "failed", "started"] as const) {
    const model = new Model();
    model.record = { phase: "Discovered" };
    model.power = "on";
    model.bmcWorks = false;
    model.rest();
    model.write({ wipe: { ...model.record.wipe!, state } });
    model.done.length = 0;
    model.operation = undefined;
    model.pass(86_400_000);
    model.ordersSince = model.now;
    model.rest();
    model.pass(86_400_000);
    model.rest();
    assert.deepEqual([model.record.phase, model.record.wipe?.state, model.done], ["Held", "withdrawn", []]);
    model.bmcWorks = true;
    model.wanted = { ...WANTED, request: "wipe 1" };
    model.rest();
    assert.deepEqual([model.record.wipe?.by, model.done], ["request", ["pxe+cycle"]]);
  }
});
