/** Stories of machines in the simulated hall, one at a time, with nothing left to chance. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { noFaults } from "../../sim/bmc/board.ts";
import type { SimMachine } from "../../sim/machine/machine.ts";
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

/** Until it is so with all machines; fails with the story. */
async function until({ hall, watch }: Trial, minutes: number, isSo: (machine: SimMachine) => boolean): Promise<void> {
  for (let passed = 0; passed < minutes && !hall.machines.every(isSo); passed++) await hall.pass(MINUTE);
  const left = hall.machines.filter((machine) => !isSo(machine)).map(({ identity }) => identity.serial);
  if (left.length + watch.violations.length > 0) assert.fail([hall.story.text(), ...left, ...watch.violations].join("\n"));
}

const statusOf = ({ ledger }: Trial, machine: SimMachine): NonNullable<Server["status"]> =>
  ledger.servers.get(machine.identity.uuid)?.status ?? {};

/** Clean by an order that such a thing has made, and off. */
const isClean =
  (trial: Trial, by: string) =>
  (machine: SimMachine): boolean => {
    const { phase, wipe, isClean: clean } = statusOf(trial, machine);
    const isDone = phase === "Available" && clean === true && wipe?.by === by && wipe.state === "done";
    return (
      isDone && (machine.power === "off" || machine.identity.model.bmc === "none") && machine.dirtyDisks("full").length === 0
    );
  };

test("a machine's whole life: accepted, wiped, off; bound, in its environment; released, wiped again, off", async () => {
  const trial = await registered();
  const { hall, people } = trial;
  await accept(trial);
  await until(trial, 30, isClean(trial, "acceptance"));
  const first = hall.machines.map((machine) => statusOf(trial, machine).wipe?.id);
  for (const machine of hall.machines) await hall.during(people.bind(machine, hall.process!.client));
  await until(trial, 10, ({ screen }) => screen === "environment");
  for (const machine of hall.machines) machine.disks[0]!.fill();
  for (const machine of hall.machines) await hall.during(people.release(machine, hall.process!.client));
  await until(trial, 40, isClean(trial, "release"));
  for (const [i, machine] of hall.machines.entries()) assert.notEqual(statusOf(trial, machine).wipe?.id, first[i]);
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
  const ways = [
    { hangs: true },
    { lies: "on" },
    { forgetsBootOnce: true },
    { isDeaf: true },
    { isFull: true },
    { late: 15_000 },
  ] as const;
  for (const fault of ways) {
    const trial = await registered();
    const { hall, boards, people } = trial;
    await accept(trial);
    await until(trial, 30, isClean(trial, "acceptance"));
    for (const board of boards.values()) Object.assign(board.faults, fault);
    for (const machine of hall.machines) await hall.during(people.ask(machine, hall.process!.client, "wipe 1"));
    await hall.pass(10 * MINUTE);
    for (const { faults } of boards.values()) Object.assign(faults, noFaults());
    await until(trial, 240, isClean(trial, "request"));
    await hall.stop();
  }
});

test("the process may die before any write of a Server on its way from acceptance to clean and off", async (context) => {
  let deaths = 0;
  for (let write = 1; ; write++) {
    const trial = await registered({ machines: 2 });
    const { hall, people } = trial;
    const { client } = hall.process!;
    for (const machine of hall.machines) await hall.during(people.introduce(machine, client));
    trial.trouble.writesLeft = write;
    // It dies while they are at it.
    for (const machine of hall.machines) void people.accept(machine, client).catch(() => undefined);
    await until(trial, 60, isClean(trial, "acceptance"));
    const hasDied = trial.trouble.writesLeft === undefined;
    context.diagnostic(`write ${write}: ${hasDied ? "died" : "none such"}`);
    await hall.stop();
    if (!hasDied) break;
    deaths++;
  }
  assert.ok(deaths > 5, `${deaths} deaths`);
});
