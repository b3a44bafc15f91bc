/** A watch that sees nothing proves nothing: each offence is committed once, and has to be seen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { createStore } from "#apiserver/store/mvcc.ts";
import { MemoryJournal } from "#io/memory/journal.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { startTrial } from "../../sim/trial/trial.ts";
import type { Trial } from "../../sim/trial/trial.ts";
import { restless } from "../../sim/trial/rest.ts";

const MINUTE = 60_000;

/** Two machines that have registered, nobody accepted. */
async function registered(): Promise<Trial> {
  const trial = await startTrial({ seed: 3, machines: 2 });
  for (const machine of trial.hall.machines) machine.switchOn();
  await trial.hall.pass(5 * MINUTE);
  assert.deepEqual(trial.watch.violations, []);
  return trial;
}

test("a disk is written to without an order", async () => {
  const { hall, watch } = await registered();
  hall.machines[0]!.disks[0]!.write(4096, new Uint8Array(512));
  assert.match(watch.violations.join(), /sda is written to without an order/);
  await hall.stop();
});

test("power is touched that is not ours, and that of a paused machine when there was time to hear of it", async () => {
  const { hall, watch, boards, people } = await registered();
  const board = boards.get(hall.machines[0]!.identity.uuid)!;
  board.command("cycle");
  assert.match(watch.violations.join(), /told "power cycle" though it is not accepted/);
  const { client } = hall.process!;
  await hall.during(people.accept(hall.machines[0]!, client));
  await hall.during(client.for(Server).patch(board.uuid, { metadata: { annotations: { "cluster.x-k8s.io/paused": "" } } }));
  board.command("off");
  assert.equal(watch.violations.length, 1, "it was under way");
  await hall.pass(2 * MINUTE);
  board.command("off");
  assert.match(watch.violations[1]!, /though it is paused/);
  await hall.stop();
});

test("a machine is called clean that is not", async () => {
  const { hall, watch } = await registered();
  const { uuid } = hall.machines[1]!.identity;
  const servers = hall.process!.client.for(Server);
  await hall.during(servers.patch(uuid, { status: { isClean: true } }, { subresource: "status" }));
  assert.match(watch.violations.join("\n"), /clean, and its wipe order is not there\n.*clean, and nvme0n1 has its old content/);
  await hall.stop();
});

test("a password is said aloud", async () => {
  const { hall, watch, boards } = await registered();
  const { password, uuid } = boards.get(hall.machines[0]!.identity.uuid)!;
  watch.onText(`cannot log in with ${password}`, "the log");
  assert.match(watch.violations[0]!, /a password in the log: cannot log in with \*\*\*/);
  await hall.during(hall.process!.client.for(Server).patch(uuid, { metadata: { annotations: { note: password } } }));
  assert.match(watch.violations[1]!, /a password in metal.sidero.dev\/servers/);
  await hall.stop();
});

test("what was acknowledged is gone after a crash", async () => {
  const { hall, watch, ledger } = await registered();
  hall.crash();
  ledger.follow(await createStore({ journal: new MemoryJournal(), clock: new VirtualClock() }));
  assert.match(watch.violations.join("\n"), /servers {2}[\w-]+ was acknowledged at revision \d+ and is gone after a crash/);
});

test("an agent is allowed to wipe what somebody holds, or nobody ordered", async () => {
  const { hall, watch, people } = await registered();
  const [machine] = hall.machines;
  const { uuid, serial } = machine!.identity;
  const { client } = hall.process!;
  const target = "/sidero.agent.v1.Machine/BeginWipe";
  watch.onCall(machine!, target)!({ "grpc-status": "9" }, 200);
  assert.deepEqual(watch.violations, []);
  watch.onCall(machine!, target)!({ "grpc-status": "0" }, 200);
  assert.match(watch.violations[0]!, /there is no order/);
  await hall.during(people.accept(machine!, client));
  const metalMachineRef = { kind: "MetalMachine", namespace: "default", name: "a" };
  await hall.during(client.for(ServerBinding).create({ metadata: { name: uuid }, spec: { metalMachineRef } }));
  watch.onCall(machine!, target)!({ "grpc-status": "0" }, 200);
  assert.match(watch.violations.slice(1).join(), new RegExp(`${serial}: may begin to wipe while a ServerBinding holds it`));
  await hall.stop();
});

test("a machine that is left lying is not at rest", async () => {
  const { hall, ledger, people } = await registered();
  const [machine] = hall.machines;
  assert.equal(restless(machine!, ledger), undefined, "Discovered is where it belongs");
  await hall.during(people.accept(machine!, hall.process!.client));
  await hall.pass(100);
  assert.match(restless(machine!, ledger) ?? "", /Wiping/);
  await hall.stop();
});
