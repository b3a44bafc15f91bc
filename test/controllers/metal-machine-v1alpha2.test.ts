/** A machine in the words of the guides before Sidero: a Server by reference, its BMC in the MetalMachine, its configuration in the Machine. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inlineController } from "#controllers/machine/inline.ts";
import { createMetalClusterController } from "#controllers/metal-cluster/controller.ts";
import { createMetalMachineController } from "#controllers/metal-machine/controller.ts";
import { Cluster } from "#kinds/cluster/v1alpha2/cluster.ts";
import { Machine } from "#kinds/cluster/v1alpha2/machine.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha2/metal-cluster.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha2/metal-machine.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ClusterWorld } from "./cluster-world.ts";
import { Site } from "./infrastructure.ts";

const apiVersion = "infrastructure.cluster.x-k8s.io/v1alpha2";
const bmc = { endpoint: "10.0.0.9", user: "admin", pass: "secret" };

test("it gets that Server, and the Server its BMC, unless that says something of its own", async () => {
  const world = await ClusterWorld.start(({ clock, workloads }) => [
    inlineController,
    createMetalClusterController(),
    createMetalMachineController({ clock, workloads }),
  ]);
  const site = new Site(world.world.client);
  await site.addServer("uuid-1");
  await site.addServer("uuid-2", { spec: { bmc: { endpoint: "own" } } });
  await world.of(MetalCluster).create({ metadata: { name: "c" }, spec: { apiEndpoints: [{ host: "10.0.0.1", port: 6443 }] } });
  await world
    .of(Cluster)
    .create({ metadata: { name: "c" }, spec: { infrastructureRef: { apiVersion, kind: "MetalCluster", name: "c" } } });
  for (const n of [1, 2]) {
    const serverRef = { apiVersion: "metal.arges.dev/v1alpha1", kind: "Server", name: `uuid-${n}` };
    await world.of(MetalMachine).create({ metadata: { name: `m${n}` }, spec: { serverRef, bmc } });
    await world.of(Machine).create({
      metadata: { name: `m${n}`, labels: { "cluster.x-k8s.io/cluster-name": "c" } },
      spec: {
        bootstrap: { data: btoa("machine: {}\n") },
        infrastructureRef: { apiVersion, kind: "MetalMachine", name: `m${n}` },
      },
    });
  }
  await world.pass(5000);
  const servers = world.world.client.for(Server);
  assert.deepEqual((await servers.get("uuid-1")).spec?.bmc, bmc);
  assert.deepEqual((await servers.get("uuid-2")).spec?.bmc, { endpoint: "own" });
  assert.deepEqual(
    (await site.bindings()).map(({ metadata, spec }) => [metadata.name, spec?.metalMachineRef.name]),
    [
      ["uuid-1", "m1"],
      ["uuid-2", "m2"],
    ],
  );
  await site.install("uuid-1");
  await world.pass(2000);
  const { spec, status } = await world.of(MetalMachine).get("m1");
  assert.deepEqual([spec?.providerID, spec?.bmc, status?.ready], ["sidero://uuid-1", bmc, true]);
  assert.equal((await world.of(Machine).get("m1")).status?.infrastructureReady, true);
  const writes = world.writes();
  await world.pass(60_000);
  assert.equal(world.writes(), writes, "writes while nothing happens");
  await world.stop();
});
