/** ProviderSet: the Node of a MetalMachine in its workload cluster, seen through a port that the test moves. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createMetalMachineController } from "#controllers/metal-machine/controller.ts";
import type { Client } from "#kube/client.ts";
import type { ClusterName, Sight, WorkloadNode, Workloads } from "#kube/workload.ts";
import { Fault } from "#std/fault.ts";
import { isWrite, startWorld, type World } from "../kube/world.ts";
import { Site } from "./infrastructure.ts";

/** One workload cluster. Its Nodes are what the test says, and what is patched. */
class Workload implements Workloads {
  nodes: WorkloadNode[] | undefined;
  problem: Fault | undefined;
  sights = 0;
  readonly patched: unknown[] = [];
  readonly #listeners = new Set<(cluster: ClusterName, node?: WorkloadNode) => void>();

  sight(): Sight {
    this.sights++;
    return { nodes: this.nodes && [...this.nodes], problem: this.problem, since: undefined };
  }
  async client(): Promise<Client> {
    const patch = async (name: string, body: { spec: { providerID: string } }) => {
      this.patched.push([name, body]);
      this.put(name, { providerID: body.spec.providerID });
    };
    return { for: () => ({ patch }) } as unknown as Client;
  }
  onChange(listener: (cluster: ClusterName, node?: WorkloadNode) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  put(name: string, { uuid, providerID }: { uuid?: string; providerID?: string }): void {
    const before = this.nodes?.find(({ metadata }) => metadata.name === name);
    const labels = uuid === undefined ? before?.metadata.labels : { "metal.sidero.dev/uuid": uuid };
    const metadata = { name, ...(labels && { labels }) };
    const node = { apiVersion: "v1", kind: "Node", metadata, spec: { ...(providerID !== undefined && { providerID }) } };
    this.nodes = [...(this.nodes ?? []).filter((each) => each !== before), node];
    this.tell(node);
  }
  remove(name: string): void {
    const node = this.nodes?.find(({ metadata }) => metadata.name === name);
    this.nodes = this.nodes?.filter((each) => each !== node);
    this.tell(node);
  }
  tell(node?: WorkloadNode): void {
    for (const listener of this.#listeners) listener({ namespace: "default", name: "c" }, node);
  }
}

let world: World;
let site: Site;
let workload: Workload;

beforeEach(async () => {
  world = await startWorld();
  site = new Site(world.client);
  workload = new Workload();
  await site.addClass("any");
  await site.addCluster("c");
  await site.addServer("s1");
  await site.addMachine("m", { spec: { serverClassRef: { name: "any" } } });
  world.run(createMetalMachineController({ clock: world.clock, workloads: workload }));
  await world.pass(1000);
});
afterEach(() => world.stop());

const said = async () => {
  await world.pass(1000);
  const condition = await site.condition("m", "ProviderSet");
  return [condition?.status, condition?.severity, condition?.message];
};

test("nothing is said of a Node before the machine is installed", async () => {
  workload.put("n", { uuid: "s1" });
  assert.deepEqual(await said(), [undefined, undefined, undefined]);
  assert.deepEqual(workload.patched, []);
});

test("a Node that the kubelet gave its providerID needs nothing done, and its heartbeats are not followed", async () => {
  await site.install("s1");
  assert.deepEqual(await said(), ["False", "Warning", "cluster c cannot be reached yet"]);
  workload.nodes = [];
  workload.tell();
  assert.deepEqual(await said(), [
    "False",
    "Warning",
    "no Node has the providerID sidero://s1 or the label metal.sidero.dev/uuid=s1",
  ]);
  workload.put("other", { uuid: "s2", providerID: "sidero://s2" });
  workload.put("n", { providerID: "sidero://s1" });
  assert.deepEqual(await said(), ["True", undefined, ""]);
  assert.deepEqual(workload.patched, []);
  const { sights } = workload;
  const { length } = world.requests.filter(isWrite);
  for (let i = 0; i < 100; i++) workload.put("n", { providerID: "sidero://s1" });
  await world.pass(1000);
  assert.deepEqual([workload.sights, world.requests.filter(isWrite).length], [sights, length]);
});

test("a Node that has none is given it by its label, once more when it comes back without", async () => {
  await site.install("s1");
  workload.put("n", { uuid: "s1" });
  assert.deepEqual(await said(), ["True", undefined, ""]);
  const patch = ["n", { spec: { providerID: "sidero://s1" } }];
  assert.deepEqual(workload.patched, [patch]);
  workload.problem = new Fault("kube.workload", "down", { fault: "world", retry: "soon" });
  workload.tell();
  assert.deepEqual(await said(), ["True", undefined, ""]);
  workload.problem = undefined;
  workload.remove("n");
  assert.deepEqual(await said(), ["True", undefined, ""]);
  workload.put("n", { uuid: "s1" });
  await world.pass(1000);
  assert.deepEqual(workload.patched, [patch, patch]);
});

test("two Nodes of one Server, and a Node of somebody else's name for it, are told", async () => {
  await site.install("s1");
  workload.put("a", { uuid: "s1" });
  workload.remove("a");
  workload.put("b", { uuid: "s1", providerID: "aws:///i-1" });
  assert.deepEqual(await said(), ["False", "Warning", "Node b has the providerID aws:///i-1 instead of sidero://s1"]);
  workload.put("a", { uuid: "s1" });
  assert.deepEqual(await said(), ["False", "Warning", "several Nodes are of Server s1: a, b"]);
  assert.deepEqual(workload.patched, []);
});
