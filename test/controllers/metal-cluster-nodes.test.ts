/** Nodes that machines have left behind in their workload cluster, on API servers in this process. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetalClusterNodesController } from "#controllers/metal-cluster/nodes.ts";
import { CLUSTER_NAME } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { WorkloadNodes } from "#kube/workload-sight.ts";
import { ClusterWorld } from "./cluster-world.ts";

test("what a released machine left behind goes once its kubelet is silent, so that its Server's next Node is found", async () => {
  const world = await ClusterWorld.start(({ workloads }) => [createMetalClusterNodesController(workloads)]);
  await world.cluster();
  await world.bringUp();
  const labels = { [CLUSTER_NAME]: "c" };
  await world.machine("m1");
  await world.of(MetalMachine).patch("m1", { metadata: { labels } });
  await world.provision("m1");
  const nodes = world.workload.client.for(WorkloadNodes);
  const names = async (): Promise<string[]> => {
    await world.pass(5_000);
    return (await nodes.list()).items.map(({ metadata }) => metadata.name!).toSorted();
  };
  /** Of the Server of m1, in an earlier life. */
  const left = (name: string) => nodes.create({ metadata: { name }, spec: { providerID: "sidero://m1" } });
  await left("old");
  await world.nodeReady("old");
  assert.deepEqual(await names(), ["m1", "old"], "somebody is heard there");
  await world.of(Cluster).patch("c", { spec: { paused: true } });
  await world.nodeReady("old", "Unknown");
  assert.deepEqual(await names(), ["m1", "old"], "it is paused");
  await world.of(Cluster).patch("c", { spec: { paused: false } });
  assert.deepEqual(await names(), ["m1"]);
  assert.equal((await world.of(Machine).get("m1")).status?.nodeRef?.name, "m1");

  await world.nodeReady("m1", "Unknown");
  assert.deepEqual(await names(), ["m1"], "its machine is there");
  await nodes.create({ metadata: { name: "of-nobody" }, spec: { providerID: "sidero://gone" } });
  await world.nodeReady("of-nobody", "Unknown");
  await nodes.create({ metadata: { name: "of-others" }, spec: { providerID: "aws:///i-1" } });
  await world.nodeReady("of-others", "Unknown");
  assert.deepEqual(await names(), ["m1", "of-others"]);
  await world.stop();
});
