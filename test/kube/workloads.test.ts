/** Workload clusters as they are found by their Secrets, seen by a watch, and noticed to be gone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silent } from "#io/log.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { WorkloadNodes } from "#kube/workload-sight.ts";
import { createWorkloads } from "#kube/workloads.ts";
import { Fault } from "#std/fault.ts";
import { startWorld } from "./world.ts";
import { kubeconfigSecret, SecretKind, WorkloadNetwork } from "./workload-cluster.ts";

const NAME = { namespace: "default", name: "c" };
const SERVER = "https://10.0.0.1:6443";

async function setUp() {
  const world = await startWorld();
  const network = new WorkloadNetwork();
  const { clock, client } = world;
  const { workloads, run } = createWorkloads({ client, open: network.open, clock, entropy: new SeededEntropy(5), log: silent });
  const stop = new AbortController();
  const ended = run(stop.signal);
  const changes: string[] = [];
  workloads.onChange(({ namespace, name }, node) => changes.push(`${namespace}/${name} ${node?.metadata.name ?? "-"}`));
  const names = () => workloads.sight(NAME).nodes?.map(({ metadata }) => metadata.name);
  const end = async (): Promise<void> => {
    stop.abort();
    await ended;
    await world.stop();
  };
  return { world, network, workloads, changes, names, end };
}

test("a cluster is followed from when its Secret is there, anew when it says something else, and no longer when it has gone", async () => {
  const { world, network, workloads, changes, names, end } = await setUp();
  const secrets = world.client.for(SecretKind).in("default");
  await world.pass(100);
  assert.match(workloads.sight(NAME).problem!.message, /no Secret default\/c-kubeconfig/);
  await assert.rejects(workloads.client(NAME), (error) => Fault.is(error, "kube.workload"));
  const cluster = await network.start(world.clock, SERVER);
  await cluster.client.for(WorkloadNodes).create({ metadata: { name: "n1" } });
  await secrets.create(kubeconfigSecret("default", "c", SERVER));
  await world.pass(200);
  assert.equal(changes.includes("default/c -"), true, "that it can be reached now");
  assert.deepEqual(names(), ["n1"]);
  await cluster.client.for(WorkloadNodes).create({ metadata: { name: "n2" } });
  await world.pass(200);
  assert.deepEqual(names(), ["n1", "n2"]);
  assert.equal(changes.at(-1), "default/c n2");
  await (await workloads.client(NAME)).for(WorkloadNodes).delete("n2");

  const other = await network.start(world.clock, "https://10.0.0.2:6443");
  await other.client.for(WorkloadNodes).create({ metadata: { name: "m1" } });
  const { data } = kubeconfigSecret("default", "c", other.server);
  await secrets.patch("c-kubeconfig", { data });
  await world.pass(500);
  assert.deepEqual(names(), ["m1"]);

  await secrets.delete("c-kubeconfig");
  await world.pass(200);
  assert.equal(names(), undefined);
  const { length } = other.requests;
  await world.pass(120_000);
  assert.equal(other.requests.length, length, "nobody asks a cluster whose Secret has gone");
  await end();
});

test("a cluster that falls silent is noticed within a minute and a half, its Nodes stay known, and it is seen again when it comes back", async () => {
  const { world, network, workloads, names, end } = await setUp();
  const cluster = await network.start(world.clock, SERVER);
  await cluster.client.for(WorkloadNodes).create({ metadata: { name: "n1" } });
  await world.client.for(SecretKind).create(kubeconfigSecret("default", "c", SERVER));
  await world.pass(500);
  names();
  await world.pass(60_000);
  assert.equal(workloads.sight(NAME).problem, undefined, "a watch that has nothing to say is no problem");
  const since = world.clock.now();
  cluster.isAlive = false;
  await world.pass(90_000);
  const sight = workloads.sight(NAME);
  assert.match(sight.problem?.message ?? "", /no answer/);
  assert.ok(sight.since! > since);
  assert.deepEqual(names(), ["n1"]);
  cluster.isAlive = true;
  await world.pass(60_000);
  assert.equal(workloads.sight(NAME).problem, undefined);
  await cluster.client.for(WorkloadNodes).create({ metadata: { name: "n2" } });
  await world.pass(200);
  assert.deepEqual(names(), ["n1", "n2"]);
  await end();
});

test("a Secret that cannot be used says why without saying what is in it", async () => {
  const { world, workloads, end } = await setUp();
  await world.client.for(SecretKind).create({ ...kubeconfigSecret("default", "c", SERVER), data: { value: btoa("hunter2: [") } });
  await world.pass(200);
  assert.equal(workloads.sight(NAME).problem?.message, "cluster default/c cannot be reached: the kubeconfig is not YAML");
  await end();
});
