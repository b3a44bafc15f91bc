/**
 * `node bench/sim/main.ts`: a hall of machines is switched on, registers, is accepted, wiped and switched off, and wiped once more from being off;
 * everything in this process: Sidero, its API, and the machines with their firmware, agents, disks and BMCs. One JSON object a line; ../README.md
 * says what they mean.
 */
import { REQUEST_ANNOTATION, Server } from "#kinds/metal/v1alpha2/server.ts";
import type { SimMachine } from "../../sim/machine/machine.ts";
import { startTrial } from "../../sim/trial/trial.ts";
import { alone, print } from "../report.ts";

const MACHINES = process.env["SCALE"] === "small" ? 50 : 1000;
/** Milliseconds of simulated time between two looks, and hours that anything may take. */
const LOOK = 100;
const MOST = 3;

const { hall, ledger, people } = await startTrial({ seed: 1, machines: MACHINES });
const { clock, machines } = hall;
const client = hall.process!.client;
const base = process.memoryUsage().rss;

interface Passed {
  /** Milliseconds on the wall and of CPU time, for one machine. */
  readonly wall: number;
  readonly cpu: number;
  /** Milliseconds of simulated time in which a machine was not busy with itself: what it waited for us. */
  readonly waits: readonly number[];
}

/** Until all of them have come to their end since `begin` was called with each. */
async function measured(
  all: readonly SimMachine[],
  begin: (machine: SimMachine) => Promise<void>,
  hasEnded: (machine: SimMachine) => boolean,
): Promise<Passed> {
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  const begun = new Map<SimMachine, { readonly at: number; readonly work: number }>();
  for (const machine of all) {
    begun.set(machine, { at: clock.monotonic(), work: machine.work.total });
    await begin(machine);
  }
  const waits: number[] = [];
  const limit = clock.monotonic() + MOST * 3_600_000;
  while (begun.size > 0) {
    if (clock.monotonic() > limit) throw new Error(`${begun.size} machines take for ever`);
    await hall.pass(LOOK);
    for (const [machine, { at, work }] of begun) {
      if (!hasEnded(machine)) continue;
      waits.push(clock.monotonic() - at - (machine.work.total - work));
      begun.delete(machine);
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  return { wall: (performance.now() - wall) / all.length, cpu: (user + system) / 1000 / all.length, waits };
}

const nameOf = ({ identity }: SimMachine): string => identity.uuid;
/** Clean by an order other than `earlier`, and off unless only a person could switch it on again. */
function isAtRest(machine: SimMachine, earlier?: string): boolean {
  const { phase, isClean, wipe } = ledger.servers.get(nameOf(machine))?.status ?? {};
  const mayRest = machine.power === "off" || machine.identity.model.bmc === "none";
  return phase === "Available" && isClean === true && wipe?.id !== earlier && mayRest;
}

const perMinute = (milliseconds: number): number => 60_000 / milliseconds;
function waiting(name: string, { waits }: Passed): void {
  const sorted = waits.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]! / 1000;
  print(alone(`${name}, our own waiting, median`, "s", [at(0.5)]));
  print(alone(`${name}, our own waiting, 99 of 100`, "s", [at(0.99)]));
}

const enrolled = await measured(
  machines,
  async (machine) => machine.switchOn(),
  (machine) => ledger.servers.has(nameOf(machine)),
);
const all = `${MACHINES} machines and Sidero in one process`;
print(alone(`enrol, ${all}`, "machines/min", [perMinute(enrolled.wall)]));
print(alone(`enrol, ${all}, of CPU time`, "machines/min", [perMinute(enrolled.cpu)]));
waiting("enrol", enrolled);

const accepted = await measured(
  machines,
  (machine) => hall.during(people.accept(machine, client)),
  (machine) => isAtRest(machine),
);
print(alone(`enrol, accept and wipe, ${all}`, "machines/min", [perMinute(enrolled.wall + accepted.wall)]));
print(alone(`enrol, accept and wipe, ${all}, of CPU time`, "machines/min", [perMinute(enrolled.cpu + accepted.cpu)]));
waiting("accept, wipe and switch off, agent resident", accepted);
print(alone("resident memory, machines included", "MB", [process.memoryUsage().rss / 1e6]));
print(alone("resident memory before the first machine", "MB", [base / 1e6]));

const off = machines.filter(({ power }) => power === "off");
const orders = new Map(off.map((machine) => [machine, ledger.servers.get(nameOf(machine))?.status?.wipe?.id]));
for (const { disks } of off) for (const disk of disks) disk.fill();
const again = await measured(
  off,
  (machine) => {
    const metadata = { annotations: { [REQUEST_ANNOTATION]: "wipe 1" } };
    return hall.during(
      client
        .for(Server)
        .patch(nameOf(machine), { metadata })
        .then(() => undefined),
    );
  },
  (machine) => isAtRest(machine, orders.get(machine)),
);
if (machines.some((machine) => machine.dirtyDisks("fast").length > 0)) throw new Error("a machine is not clean");

waiting("switch on, wipe and switch off by BMC", again);
await hall.stop();
process.exit(0);
