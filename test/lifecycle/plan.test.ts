/** What would be done, in words and data; and that it is what is done. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { planOf } from "#decide/lifecycle/plan.ts";
import type { Planned } from "#decide/lifecycle/plan.ts";
import { machineOnRecord } from "#decide/lifecycle/server.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { BINDING, Model, START, WANTED } from "./model.ts";

const texts = (model: Model, what: Planned): string[] => planOf(model.machine(), what, model.now).steps.map(({ text }) => text);

test("accept: a machine that waits in the agent is told by its stream", () => {
  const model = new Model();
  model.wanted = { ...WANTED, accepted: false };
  model.connect();
  model.rest();
  const before = JSON.stringify(model.machine());
  const plan = planOf(model.machine(), "accept", model.now);
  assert.deepEqual(
    plan.steps.map(({ text }) => text),
    [
      "Server and ServerBinding are looked at once more: it is accepted, and nobody holds it",
      "its agent is told: wipe",
      "its agent asks whether the order holds, and wipes its disks",
      "its agent is told: switch off",
      "its BMC is told: power off",
    ],
  );
  assert.deepEqual([plan.phase, plan.waiting, plan.refused], ["Available", undefined, undefined]);
  assert.equal(JSON.stringify(model.machine()), before, "nothing was done");
});

test("accept: a machine that is off is brought into the agent, one without a BMC by somebody", () => {
  const model = new Model();
  model.wanted = { ...WANTED, accepted: false };
  model.rest();
  const steps = texts(model, "accept");
  assert.ok(steps.includes("its BMC is told: boot once from pxe (uefi), then power on"), steps.join("\n"));
  assert.ok(steps.includes("it boots over the network, and its boot script sends it into the agent"));
  assert.equal(steps.at(-1), "its BMC is told: power off");
  model.way = "none";
  model.power = "unknown";
  const byHand = planOf(model.machine(), "accept", model.now);
  assert.ok(byHand.steps.some(({ text }) => text === "somebody switches it on, or restarts it"));
  assert.equal(byHand.phase, "Available");
});

test("release: wiped and off; wipe of what is held: refused, with the reason", () => {
  const model = new Model().clean();
  model.binding = { ...BINDING, isInstalled: true };
  model.power = "on";
  model.rest();
  const steps = texts(model, "release");
  assert.ok(steps.includes("its BMC is told: boot once from pxe (uefi), then power cycle"), steps.join("\n"));
  assert.equal(steps.at(-1), "its BMC is told: power off");
  assert.match(planOf(model.machine(), "wipe", model.now).refused!, /^the machine is allocated/);
  assert.equal(planOf(model.machine(), "accept", model.now).refused, "it is accepted");
  assert.deepEqual(texts(model, "reboot").slice(0, 2), [
    "its BMC is told: power cycle",
    "it boots over the network, and its boot script sends it on to its disk",
  ]);
  model.binding = undefined;
  assert.equal(planOf(model.machine(), "release", model.now).refused, "it is not allocated");
});

test("from what the API has alone", () => {
  const server: Server = {
    apiVersion: "metal.sidero.dev/v1alpha2",
    kind: "Server",
    metadata: { name: "a", uid: "u" },
    spec: { accepted: false, bmc: { endpoint: "192.0.2.1", user: "u", pass: "p" } },
    status: { phase: "Discovered", power: "unknown" },
  };
  const options = { firmware: "bios", rebootTimeout: 1_200_000, autoBmcSetup: false, now: START } as const;
  const there = planOf(machineOnRecord(server, undefined, { ...options, isInAgent: true }), "accept", START);
  assert.equal(there.steps[1]?.text, "its agent is told: wipe");
  const unknown = planOf(machineOnRecord(server, undefined, { ...options, isInAgent: false }), "accept", START);
  assert.equal(unknown.waiting?.reason, "PowerUnknown", "nobody can say what its BMC will be told");
});
