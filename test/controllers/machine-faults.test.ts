/** Whatever write of the core fails, or succeeds without its answer coming through: Machines come up, and go without a trace. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { WorkloadNodes } from "#kube/workload-sight.ts";
import { Fault } from "#std/fault.ts";
import { isWrite } from "../kube/world.ts";
import { ClusterWorld, said } from "./cluster-world.ts";

/** The nth write (from 1) goes wrong; true when there was one. */
async function life(nth: number, when: "before" | "after"): Promise<boolean> {
  let writes = 0;
  const fail = (request: string): void => {
    if (!isWrite(request) || request.includes("/events") || ++writes !== nth) return;
    throw new Fault("io.unreachable", "the connection broke", { fault: "world", retry: "soon" });
  };
  const world = await ClusterWorld.start(() => [], { [when]: fail });
  await world.cluster();
  await world.machine("cp", { metadata: { labels: { "cluster.x-k8s.io/control-plane": "" } } });
  await world.machine("m");
  await world.bringUp();
  await world.provision("cp");
  await world.provision("m");
  await world.pass(10_000);
  const told = `${when} write ${nth}`;
  assert.equal(said(await world.of(Machine).get("m"), "Ready", "Available"), "Ready=True Available=True", told);
  await world.of(Machine).delete("m");
  await world.pass(30_000);
  const left = async (kind: typeof Machine | typeof MetalMachine | typeof TalosConfig): Promise<string[]> =>
    (await world.of(kind as typeof Machine).list()).items.map(({ metadata }) => metadata.name!);
  for (const kind of [Machine, MetalMachine, TalosConfig]) assert.deepEqual(await left(kind), ["cp"], told);
  const nodes = (await world.workload.client.for(WorkloadNodes).list()).items;
  assert.deepEqual(
    nodes.map(({ metadata }) => metadata.name),
    ["cp"],
    told,
  );
  await world.of(Cluster).delete("c");
  await world.pass(30_000);
  for (const kind of [Cluster, MetalCluster]) assert.deepEqual((await world.of(kind as typeof Cluster).list()).items, [], told);
  await world.stop();
  return writes >= nth;
}

for (const when of ["before", "after"] as const) {
  test(`every write fails once, ${when} it is done`, async () => {
    let writes = 0;
    // Some apart: each life is work. SCALE=4 goes through all of them.
    const step = Math.max(1, Math.floor(4 / Number(process.env["SCALE"] ?? 1)));
    for (let nth = when === "before" ? 1 : Math.min(3, step); await life(nth, when); nth += step) writes++;
    assert.ok(writes * step > 20, `${writes * step} writes`);
  });
}

test("its control plane's kind is not known for a while: then it goes on by itself, and nothing is said against anybody meanwhile", async () => {
  let isDown = true;
  const before = (request: string): void => {
    if (isDown && request.includes("taloscontrolplanes"))
      throw new Fault("io.unreachable", "connection refused", { fault: "world", retry: "soon" });
  };
  const world = await ClusterWorld.start(() => [], { before });
  await world.cluster();
  await world.machine("m");
  await world.bringUp();
  await world.provision("m");
  // As it is when Sidero starts anew beside a cluster that runs.
  await world.status(Cluster, "c", { initialization: { infrastructureProvisioned: true, controlPlaneInitialized: true } });
  await world.pass(60_000);
  assert.equal(said(await world.of(Machine).get("m"), "Ready"), "Ready=undefined(undefined)");
  isDown = false;
  await world.pass(60_000);
  assert.equal(said(await world.of(Machine).get("m"), "InfrastructureReady", "Ready"), "InfrastructureReady=True Ready=True");
  await world.stop();
});
