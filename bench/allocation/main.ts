/**
 * `node bench/allocation/main.ts`: MetalMachines that race for Servers of one class, on `sidero up` as it is; ../README.md says what is measured.
 */
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { CLUSTER_NAME } from "#kinds/cluster/keys.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Client } from "#kube/client.ts";
import { connect } from "../../test/kube/connect.ts";
import { startSidero } from "../../test/peers/server.ts";
import { alone, print } from "../report.ts";

const MACHINES = process.env["SCALE"] === "small" ? 100 : 1000;
/** Asked for one after another, when nothing else is going on. */
const SINGLE = MACHINES / 10;
const RACERS = 32;
const NAMESPACE = "default";

const server = await startSidero();
const { client, close } = await connect(server.kubeconfig);
/** When each binding was seen, by the MetalMachine that it is for. */
const seen = new Map<string, number>();
const stop = new AbortController();
const watching = follow(client);
try {
  await prepare(client);
  await quiet(client);
  const singles: number[] = [];
  for (let i = 0; i < SINGLE; i++) {
    await addMachine(client, "calm", `single${i}`);
    const asked = performance.now();
    await until(() => seen.has(`single${i}`));
    singles.push(seen.get(`single${i}`)! - asked);
  }
  singles.sort((a, b) => a - b);
  print(alone("a MetalMachine gets its Server, from its creation: p50", "ms", [quantile(singles, 0.5)]));
  print(alone("a MetalMachine gets its Server, from its creation: p99", "ms", [quantile(singles, 0.99)]));
  const begun = performance.now();
  await client
    .for(Cluster)
    .in(NAMESPACE)
    .patch("race", { spec: { paused: false } });
  await until(() => seen.size === MACHINES + SINGLE);
  const times = [...seen].flatMap(([holder, at]) => (holder.startsWith("machine") ? [at - begun] : [])).toSorted((a, b) => a - b);
  const name = `${MACHINES} MetalMachines at once get as many Servers`;
  print(alone(name, "s", [times.at(-1)! / 1000]));
  print(alone(`${name}: p50`, "ms", [quantile(times, 0.5)]));
  print(alone(`${name}: p99`, "ms", [quantile(times, 0.99)]));

  const servers = (await client.for(ServerBinding).listAll()).items.length;
  if (servers !== MACHINES + SINGLE) throw new Error(`${servers} Servers are bound by ${MACHINES + SINGLE} machines`);
} finally {
  stop.abort();
  await watching.catch(() => {});
  await close();
  await server.stop();
}

async function prepare(api: Client): Promise<void> {
  const servers = api.for(Server);
  await each(MACHINES + SINGLE, async (i) => {
    const made = await servers.create({ metadata: { name: `server${i}` }, spec: { accepted: true } });
    const status = { isClean: true, ready: true, phase: "Available" } as const;
    await servers.update({ ...made, status }, { subresource: "status" });
  });
  for (const [name, paused] of Object.entries({ race: true, calm: false }))
    await api.for(Cluster).create({ metadata: { name, namespace: NAMESPACE }, spec: { paused } });
  await each(MACHINES, (i) => addMachine(api, "race", `machine${i}`));
}

async function addMachine(api: Client, cluster: string, name: string): Promise<void> {
  const metadata = { name, namespace: NAMESPACE, labels: { [CLUSTER_NAME]: cluster } };
  const infrastructureRef = { apiGroup: MetalMachine.group, kind: MetalMachine.kind, name };
  const machine = await api
    .for(Machine)
    .create({ metadata, spec: { clusterName: cluster, bootstrap: { dataSecretName: "given" }, infrastructureRef } });
  const { apiVersion, kind, metadata: made } = machine;
  const owner = { apiVersion, kind, name, uid: made.uid ?? "", controller: true, blockOwnerDeletion: true };
  await api
    .for(MetalMachine)
    .create({ metadata: { ...metadata, ownerReferences: [owner] }, spec: { serverClassRef: { name: "any" } } });
}

async function follow(api: Client): Promise<void> {
  for await (const event of api.for(ServerBinding).watch({ signal: stop.signal })) {
    const holder = event.type === "ADDED" ? event.object.spec?.metalMachineRef.name : undefined;
    if (holder === undefined) continue;
    if (seen.has(holder)) throw new Error(`${holder} has two Servers`);
    seen.set(holder, performance.now());
  }
}

async function each(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const racer = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: RACERS }, racer));
}

/** Nothing has been written for a second. */
async function quiet(api: Client): Promise<void> {
  for (let before = "", now = "?"; before !== now;) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    now = (await api.for(Server).list({ limit: 1 })).metadata.resourceVersion ?? "";
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const limit = performance.now() + 120_000;
  while (!isSo()) {
    if (performance.now() > limit) throw new Error(`${seen.size} of ${MACHINES} machines have a Server after two minutes`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}
