/**
 * `node bench/sim/cluster.ts`: a hall of machines, clean and off, becomes one cluster of three control plane machines and workers; then nothing happens
 * any more. Everything is in this process. One JSON object a line; ../README.md says what they mean.
 */
import type { WorkloadNode } from "#kube/workload.ts";
import type { SimMachine } from "../../sim/machine/machine.ts";
import { MODELS } from "../../sim/machine/model.ts";
import { Nodes } from "../../sim/talos/kubernetes.ts";
import { Tenant } from "../../sim/trial/tenant.ts";
import { startTrial } from "../../sim/trial/trial.ts";
import { alone, print } from "../report.ts";

const MACHINES = process.env["SCALE"] === "small" ? 10 : 100;
/** Milliseconds of simulated time: two looks apart, the longest that anything may take, and a rest that is watched. */
const LOOK = 500;
const MOST = 3_600_000;
const REST = 1_800_000;

/** The quickest of the hall, all alike: what is measured is what is not theirs. */
const { hall, ledger, people } = await startTrial({
  seed: 1,
  machines: MACHINES,
  models: MODELS.filter(({ bmc }) => bmc === "http"),
});
const { clock, machines } = hall;
const { client, store } = hall.process!;
const tenant = new Tenant(
  () => client,
  () => clock.now(),
);

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  const limit = clock.monotonic() + MOST;
  while (!(await hall.during(Promise.resolve(isSo())))) {
    if (clock.monotonic() > limit) throw new Error(`it takes for ever\n${hall.story.text()}`);
    await hall.pass(LOOK);
  }
}

function isFree({ identity, power }: SimMachine): boolean {
  return power === "off" && ledger.servers.get(identity.uuid)?.status?.isClean === true;
}

function isReady({ status }: WorkloadNode): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;
}

async function isWhole(): Promise<boolean> {
  const [cluster] = hall.talos.clusters.values();
  if (cluster?.isServing !== true) return false;
  const nodes = (await cluster.client!.for(Nodes).list()).items;
  if (nodes.length < MACHINES || !nodes.every(isReady)) return false;
  return (await tenant.of("machine").list()).items.every(({ status }) => status?.["phase"] === "Running");
}

for (const machine of machines) machine.switchOn();
await until(() => ledger.servers.size === MACHINES);
for (const machine of machines) {
  await hall.during(people.introduce(machine, client));
  await hall.during(people.nameDisk(machine, client));
  await hall.during(people.agree(machine, client));
}
await until(() => machines.every(isFree));

const [began, cpu] = [clock.monotonic(), process.cpuUsage()];
/** What one machine needs for itself, from its power button to a Node that is ready: the slowest is a control plane machine. */
const { post, kernel } = machines[0]!.identity.model;
const OWN = 2 * (post * 1.1 + kernel) + 60_000 + 8_000 + 12_000 + 10_000;
await hall.during(tenant.apply({ name: "one", host: "10.77.0.100", controlPlanes: 3, workers: MACHINES - 3 }));
await until(isWhole);
const { user, system } = process.cpuUsage(cpu);
const took = clock.monotonic() - began;
print(alone(`${MACHINES} machines, from apply to ready`, "s", [took / 1000]));
print(alone(`${MACHINES} machines, from apply to ready, less what a machine takes for itself`, "s", [(took - OWN) / 1000]));
print(alone(`${MACHINES} machines, from apply to ready, CPU time`, "s", [(user + system) / 1e6]));

// Until every BMC has once been asked how it is.
await hall.pass(REST);
let writes = 0;
store.subscribe(undefined, ({ type, entry }) => {
  // Leadership beats, and Events are forgotten after their hour.
  if (entry.resource !== "coordination.k8s.io/leases" && !(entry.resource === "/events" && type === "DELETED")) writes++;
});
await hall.pass(REST);
print(alone(`a running cluster of ${MACHINES}, writes`, "1/s", [writes / (REST / 1000)]));
process.exit(0);
