/** TalosControlPlane on an API server in this process, with machines that run a model of Talos and etcd, under a virtual clock. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { TestCluster } from "./talos/cluster.ts";

let cluster: TestCluster;
afterEach(() => cluster.world.stop());

async function isReady(replicas: number): Promise<boolean> {
  const { status } = await cluster.plane();
  const names = (await cluster.machines()).length;
  return status?.readyReplicas === replicas && names === replicas && cluster.talos.etcd.voters.length === replicas;
}

const conditionOf = async (type: string): Promise<string | undefined> =>
  (await cluster.plane()).status?.conditions?.find((each) => each.type === type)?.status;

test("three machines become a control plane: bootstrapped once, by the first that answers", async () => {
  cluster = await TestCluster.start();
  cluster.world.run(cluster.controller());
  await cluster.until(() => isReady(3));
  assert.deepEqual(cluster.talos.calls.filter((call) => call.startsWith("bootstrap")).length, 1);
  const machines = await cluster.machines();
  assert.deepEqual(machines.map(({ spec }) => spec?.failureDomain).toSorted(), ["a", "b", "c"]);
  const { status, metadata } = await cluster.plane();
  assert.equal(metadata.annotations?.["controlplane.cluster.x-k8s.io/etcd"], "bootstrapped");
  assert.equal(status?.initialized, true);
  assert.equal(status?.bootstrapped, true);
  assert.equal(await conditionOf("Available"), "True");
});
