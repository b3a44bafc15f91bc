/**
 * `make bench`: ours and the genuine API server with its etcd, side by side under the same load, one JSON object a line; README.md
 * says what is measured and how.
 */
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { genuine, sidero, type Candidate } from "./candidate.ts";
import type { Figures, Order } from "./order.ts";
import { compare, median, print, rounded } from "./report.ts";
import { readScale } from "./scale.ts";

const CLIENTS = [1, 64];
const MEGABYTE = 1024 * 1024;
/** statfs(2). */
const TMPFS = 0x01021994;

const LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/controller-leader-election-sidero-controller-manager";

const scale = readScale(process.env["SCALE"]);

type Pair<T> = readonly [ours: T, theirs: T];

/** One round on each, in turn; who goes first changes, so that neither always finds the machine as the other left it. */
async function inTurn<T>(pair: Pair<Candidate>, turn: number, work: (candidate: Candidate) => Promise<T>): Promise<Pair<T>> {
  const [ours, theirs] = pair;
  if (turn % 2 === 0) return [await work(ours), await work(theirs)];
  const second = await work(theirs);
  return [await work(ours), second];
}

/** So many rounds on both, from rest. */
async function rounds(pair: Pair<Candidate>, count: number, order: (round: number) => Order): Promise<Pair<Figures[]>> {
  const results: Pair<Figures[]> = [[], []];
  for (const candidate of pair) await candidate.rest();
  for (let round = 0; round < count; round++) {
    const both = await inTurn(pair, round, (candidate) => candidate.load(order(round)));
    for (const side of [0, 1] as const) results[side].push(both[side]);
  }
  return results;
}

/** Rates and CPU time of one kind of operation. */
async function operations(pair: Pair<Candidate>, what: "create" | "get" | "update"): Promise<void> {
  let created = 0;
  for (const clients of CLIENTS) {
    const perRound =
      clients === 1 ? scale.few : what === "create" ? (scale.servers - scale.few * scale.rounds) / scale.rounds : scale.many;
    const results = await rounds(pair, scale.rounds, (round) => {
      const from = what === "create" ? created + round * perRound : 0;
      return { do: what, from, count: perRound, clients };
    });
    created += scale.rounds * perRound;
    const rates = results.map((side) => side.map((figures) => (perRound / figures["total"]![0]!) * 1000));
    const cpu = results.map((side) => side.flatMap((figures) => figures["cpu"]!));
    const name = `${what}, ${clients} ${clients === 1 ? "client" : "clients"}`;
    print(compare(name, "operations/s", rates[0]!, rates[1]!));
    print(compare(`${name}, CPU of the server`, "ms/operation", cpu[0]!, cpu[1]!));
  }
}

async function lists(pair: Pair<Candidate>): Promise<void> {
  const results = await rounds(pair, scale.rounds, () => ({ do: "list", count: scale.lists }));
  const [ours, theirs] = results.map((side) => side.flatMap((figures) => figures["each"]!));
  print(compare(`list ${scale.servers} Servers`, "ms", ours!, theirs!));
  const cpu = results.map((side) => side.flatMap((figures) => figures["cpu"]!));
  print(compare(`list ${scale.servers} Servers, CPU of the server`, "ms/operation", cpu[0]!, cpu[1]!));
}

async function fanOut(pair: Pair<Candidate>): Promise<void> {
  const { watchers, events } = scale;
  const results = await rounds(pair, scale.rounds, () => ({ do: "fan-out", watchers, events }));
  const [each, theirEach] = results.map((side) => side.flatMap((figures) => figures["each"]!));
  print(compare(`fan-out to ${watchers} watchers, until all have an event`, "ms", each!, theirEach!));
  const [rates, theirRates] = results.map((side) => side.map((figures) => ((watchers * events) / figures["burst"]![0]!) * 1000));
  print(compare(`fan-out to ${watchers} watchers, one writer`, "events/s", rates!, theirRates!));
}

async function memory(pair: Pair<Candidate>, when: string): Promise<void> {
  for (const candidate of pair) await candidate.rest();
  const [ours, theirs] = pair.map((candidate) => candidate.usage().resident / MEGABYTE);
  print(compare(`resident memory, ${scale.servers} Servers, ${when}`, "MB", [ours!], [theirs!]));
}

/** From nothing to the first list of everything: for the genuine server that is etcd's start and its own. */
async function coldStart(pair: Pair<Candidate>): Promise<void> {
  const results: Pair<number[]> = [[], []];
  for (let round = 0; round < Math.min(2, scale.rounds); round++) {
    const both = await inTurn(pair, round, async (candidate) => {
      await candidate.stop();
      const begun = Date.now();
      const listed = candidate.load({ do: "await-list", objects: scale.servers });
      await candidate.start();
      return (await listed)["at"]![0]! - begun;
    });
    for (const side of [0, 1] as const) results[side].push(both[side]);
  }
  print(compare(`cold start on ${scale.servers} Servers, until the first list`, "ms", results[0], results[1]));
}

/**
 * How much of our own process's work under updates the controllers are. There is no setting to leave them out; a process waits with
 * them while another one leads, so for half of the rounds the lease says that one does.
 */
async function controllersShare(ours: Candidate): Promise<void> {
  const restart = async (leaderElection: boolean): Promise<void> => {
    await ours.stop();
    await ours.start(`--enable-leader-election=${leaderElection}`);
    await ours.ready();
    await ours.rest();
  };
  await restart(false);
  const renewTime = new Date().toISOString().replace("Z", "000Z");
  const lease = { spec: { holderIdentity: "bench", leaseDurationSeconds: 3600, renewTime } };
  await ours.ask("PATCH", LEASE, JSON.stringify(lease));

  const update: Order = { do: "update", from: 0, count: scale.many, clients: 64 };
  const costs: Pair<number[]> = [[], []];
  for (let round = 0; round < scale.rounds; round++) {
    for (const [costsNow, waits] of [
      [costs[0], false],
      [costs[1], true],
    ] as const) {
      await restart(waits);
      // The first of these compiles the code.
      await ours.load(update);
      await ours.rest();
      const before = ours.usage().cpu;
      await ours.load(update);
      await ours.rest();
      costsNow.push((ours.usage().cpu - before) / scale.many);
    }
  }
  const [whole, alone] = costs.map(median);
  const name = "controllers' share of the CPU of update, 64 clients";
  print({ name, value: rounded((100 * (whole! - alone!)) / whole!), unit: "%", peer: "none", peerValue: null, ratio: null });
}

function workshop(): string {
  const base = process.env["BENCH_DIR"] ?? "/var/tmp";
  mkdirSync(base, { recursive: true });
  if (statfsSync(base).type === TMPFS) throw new Error(`${base} is in memory: set BENCH_DIR to a folder on a disk`);
  return mkdtempSync(join(base, "sidero-bench-"));
}

// Children end and files go with the process, also when it is told to end.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const directory = workshop();
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
const [oursDirectory, theirDirectory] = [join(directory, "ours"), join(directory, "theirs")];
for (const each of [oursDirectory, theirDirectory]) mkdirSync(each);
const pair: Pair<Candidate> = [await sidero(oursDirectory), await genuine(theirDirectory)];
try {
  await operations(pair, "create");
  await operations(pair, "get");
  await operations(pair, "update");
  await lists(pair);
  await fanOut(pair);
  await memory(pair, "after all this");
  await coldStart(pair);
  await memory(pair, "after a start and a list");
  await controllersShare(pair[0]);
} finally {
  for (const candidate of pair) await candidate.close();
}
