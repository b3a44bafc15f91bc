/** Stories of machines in the simulated hall, one at a time, with nothing left to chance. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { SimMachine } from "../../sim/machine/machine.ts";
import { restless } from "../../sim/trial/rest.ts";
import { startTrial } from "../../sim/trial/trial.ts";
import type { Trial, TrialOptions } from "../../sim/trial/trial.ts";

const MINUTE = 60_000;

async function registered(options: Partial<TrialOptions> = {}): Promise<Trial> {
  const trial = await startTrial({ seed: 11, machines: 4, ...options });
  for (const machine of trial.hall.machines) machine.switchOn();
  await trial.hall.pass(6 * MINUTE);
  assert.equal(trial.ledger.servers.size, trial.hall.machines.length);
  return trial;
}

async function accept({ hall, people }: Trial, machines: readonly SimMachine[] = hall.machines): Promise<void> {
  for (const machine of machines) await hall.during(people.accept(machine, hall.process!.client));
}

/** Until nobody is restless; fails with the story. */
async function rest({ hall, ledger, watch }: Trial, minutes: number): Promise<void> {
  let left: string[] = [];
  for (let passed = 0; passed < minutes; passed++) {
    await hall.pass(MINUTE);
    left = hall.machines.flatMap((machine) => restless(machine, ledger) ?? []);
    if (left.length === 0) break;
  }
  assert.deepEqual([...left, ...watch.violations], [], hall.story.text());
}

const statusOf = ({ ledger }: Trial, machine: SimMachine): NonNullable<Server["status"]> =>
  ledger.servers.get(machine.identity.uuid)?.status ?? {};

test("a machine's whole life: accepted, wiped, off; bound, in its environment; released, wiped again, off", async () => {
  const trial = await registered();
  const { hall, people } = trial;
  await accept(trial);
  await rest(trial, 30);
  for (const machine of hall.machines) {
    assert.deepEqual([statusOf(trial, machine).phase, machine.power, machine.dirtyDisks("full")], ["Available", "off", []]);
  }
  const first = hall.machines.map((machine) => statusOf(trial, machine).wipe?.id);
  for (const machine of hall.machines) await hall.during(people.bind(machine, hall.process!.client));
  await rest(trial, 10);
  assert.deepEqual(new Set(hall.machines.map(({ screen }) => screen)), new Set(["environment"]));
  for (const machine of hall.machines) machine.disks[0]!.fill();
  for (const machine of hall.machines) await hall.during(people.release(machine, hall.process!.client));
  await rest(trial, 40);
  for (const [i, machine] of hall.machines.entries()) {
    const { wipe } = statusOf(trial, machine);
    assert.deepEqual([wipe?.by, wipe?.state, machine.dirtyDisks("full")], ["release", "done", []]);
    assert.notEqual(wipe?.id, first[i]);
  }
  await hall.stop();
});

test("a Server that is deleted while its agent wipes goes", async () => {
  const trial = await registered({ machines: 1 });
  const { hall, ledger, people, watch } = trial;
  await accept(trial);
  await hall.pass(30_000);
  assert.equal(statusOf(trial, hall.machines[0]!).wipe?.state, "started");
  await hall.during(people.remove(hall.machines[0]!, hall.process!.client));
  await hall.pass(30 * MINUTE);
  assert.deepEqual([ledger.servers.size, watch.violations], [0, []], hall.story.text());
  await hall.stop();
});

test("a BMC that hangs half way, lies or forgets costs time, not the machine", async () => {
  for (const fault of [
    { hangs: true },
    { lies: "on" },
    { forgetsBootOnce: true },
    { isDeaf: true },
    { isFull: true },
    { late: 15_000 },
  ] as const) {
    const trial = await registered();
    const { hall, boards, people } = trial;
    await accept(trial);
    await rest(trial, 30);
    for (const board of boards.values()) Object.assign(board.faults, fault);
    for (const machine of hall.machines) {
      machine.bootOrder = ["disk", "network"];
      await hall.during(people.ask(machine, hall.process!.client, "wipe 1"));
    }
    await hall.pass(10 * MINUTE);
    for (const { faults } of boards.values()) {
      Object.assign(faults, { hangs: false, lies: undefined, forgetsBootOnce: false, isDeaf: false, isFull: false, late: 0 });
    }
    await rest(trial, 180);
    for (const machine of hall.machines) {
      const { phase, wipe } = statusOf(trial, machine);
      assert.deepEqual(
        [phase, wipe?.by, wipe?.state],
        ["Available", "request", "done"],
        JSON.stringify(fault) + hall.story.text(),
      );
    }
    await hall.stop();
  }
});

test("the process may die before any write of a machine's way from acceptance to clean and off", async () => {
  let deaths = 0;
  for (let write = 1; ; write++) {
    const trial = await registered({ machines: 2 });
    await accept(trial);
    trial.trouble.writesLeft = write;
    await rest(trial, 60);
    const hasDied = trial.trouble.writesLeft === undefined;
    for (const machine of trial.hall.machines) assert.deepEqual(machine.dirtyDisks("full"), []);
    await trial.hall.stop();
    if (!hasDied) break;
    deaths++;
  }
  assert.ok(deaths > 10, `${deaths} deaths`);
});
