/** Machines from their first look to their last, with providers played by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CLUSTER_NAME, CONTROL_PLANE_NAME, MACHINE_FINALIZER } from "#kinds/cluster/keys.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { isNotFound } from "#kube/status.ts";
import { WorkloadNodes } from "#kube/workload-sight.ts";
import { ClusterWorld, said } from "./cluster-world.ts";

test("a Machine owns its objects, takes its Secret and its name at the provider from them, finds its Node, and then rests", async () => {
  const world = await ClusterWorld.start();
  await world.cluster();
  await world.machine("m");
  await world.pass(1_000);
  const machine = () => world.of(Machine).get("m");
  const { metadata } = await machine();
  assert.deepEqual(metadata.finalizers, [MACHINE_FINALIZER]);
  assert.deepEqual(
    metadata.ownerReferences?.map(({ kind, name, controller }) => [kind, name, controller]),
    [["Cluster", "c", undefined]],
    "nobody's, so the Cluster's",
  );
  for (const kind of [TalosConfig, MetalMachine]) {
    const object = await world.of<never>(kind as never).get("m");
    const { ownerReferences, labels } = (object as { metadata: typeof metadata }).metadata;
    assert.deepEqual(ownerReferences, [
      {
        apiVersion: "cluster.x-k8s.io/v1beta2",
        kind: "Machine",
        name: "m",
        uid: metadata.uid!,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    assert.equal(labels?.[CLUSTER_NAME], "c");
  }
  assert.equal((await machine()).status?.phase, "Pending");

  await world.bringUp();
  await world.status(TalosConfig, "m", { initialization: { dataSecretCreated: true }, dataSecretName: "m-bootstrap-data" });
  await world.pass(500);
  assert.equal((await machine()).spec?.bootstrap.dataSecretName, "m-bootstrap-data");
  assert.equal((await machine()).status?.phase, "Provisioning");
  await world.status(MetalMachine, "m", { ready: true });
  await world.pass(500);
  assert.equal((await machine()).status?.initialization?.infrastructureProvisioned, undefined, "ready, but without providerID");
  await world.of(MetalMachine).patch("m", { spec: { providerID: "sidero://m" } });
  await world.pass(500);
  assert.equal((await machine()).status?.phase, "Provisioned");
  assert.equal(
    said(await machine(), "Ready", "InfrastructureReady", "BootstrapConfigReady", "NodeHealthy"),
    "Ready=Unknown(ReadyUnknown) InfrastructureReady=True BootstrapConfigReady=True NodeHealthy=Unknown(InspectionFailed)",
  );

  await world.provision("m");
  const running = await machine();
  assert.equal(running.status?.phase, "Running");
  assert.deepEqual(running.status?.nodeRef, { name: "m" });
  assert.deepEqual(running.status?.addresses, [{ type: "InternalIP", address: "10.0.0.7" }]);
  assert.equal(
    said(running, "Ready", "Available", "NodeHealthy", "NodeReady"),
    "Ready=True Available=True NodeHealthy=True NodeReady=True",
  );
  const node = await world.workload.client.for(WorkloadNodes).get("m");
  assert.equal(node.metadata.annotations?.["cluster.x-k8s.io/machine"], "m");
  assert.equal(node.spec?.taints, undefined, "it is initialized");

  await world.pass(10_000);
  const [writes, versions] = [
    world.writes(),
    [(await machine()).metadata.resourceVersion, (await world.of(Cluster).get("c")).metadata.resourceVersion],
  ];
  await world.pass(600_000);
  assert.equal(world.writes(), writes, "writes while nothing happens");
  assert.deepEqual(
    [(await machine()).metadata.resourceVersion, (await world.of(Cluster).get("c")).metadata.resourceVersion],
    versions,
  );
  await world.stop();
});

test("owner references, labels and finalizers that somebody takes away come back", async () => {
  const world = await ClusterWorld.start();
  await world.cluster();
  await world.machine("m");
  await world.bringUp();
  await world.provision("m");
  await world.of(MetalMachine).patch("m", { metadata: { ownerReferences: [], labels: { [CLUSTER_NAME]: null } } });
  await world.of(Machine).patch("m", { metadata: { finalizers: [], ownerReferences: [], labels: { [CLUSTER_NAME]: null } } });
  await world.pass(500);
  const { metadata } = await world.of(MetalMachine).get("m");
  assert.equal(metadata.ownerReferences?.[0]?.kind, "Machine");
  assert.equal(metadata.labels?.[CLUSTER_NAME], "c");
  const machine = await world.of(Machine).get("m");
  assert.deepEqual(machine.metadata.finalizers, [MACHINE_FINALIZER]);
  assert.equal(machine.metadata.ownerReferences?.[0]?.kind, "Cluster");
  assert.equal(machine.metadata.labels?.[CLUSTER_NAME], "c");
  await world.stop();
});

test("a Machine of a control plane is not adopted, and takes over what its maker has made for it", async () => {
  const world = await ClusterWorld.start();
  await world.cluster();
  const { uid = "" } = (await world.of(TalosControlPlane).get("c-cp")).metadata;
  const apiVersion = "controlplane.cluster.x-k8s.io/v1alpha3";
  const maker = { apiVersion, kind: "TalosControlPlane", name: "c-cp", uid, controller: true };
  await world.machine("m", { metadata: { ownerReferences: [maker], labels: { [CONTROL_PLANE_NAME]: "c-cp" } } });
  await world.of(MetalMachine).patch("m", { metadata: { ownerReferences: [{ ...maker, controller: null }] } });
  await world.pass(1_000);
  const { ownerReferences } = (await world.of(Machine).get("m")).metadata;
  assert.deepEqual(
    ownerReferences?.map(({ kind }) => kind),
    ["TalosControlPlane"],
  );
  assert.deepEqual(
    (await world.of(MetalMachine).get("m")).metadata.ownerReferences?.map(({ kind }) => kind),
    ["Machine"],
  );
  await world.stop();
});

test("a paused Cluster stops its Machines, which go on where they were", async () => {
  const world = await ClusterWorld.start();
  await world.cluster();
  await world.of(Cluster).patch("c", { spec: { paused: true } });
  await world.machine("m");
  await world.pass(1_000);
  assert.equal(said(await world.of(Machine).get("m"), "Paused"), "Paused=True");
  assert.equal((await world.of(MetalMachine).get("m")).metadata.ownerReferences, undefined);
  await world.of(Cluster).patch("c", { spec: { paused: false } });
  await world.pass(1_000);
  assert.equal(said(await world.of(Machine).get("m"), "Paused"), "Paused=False(NotPaused)");
  assert.equal((await world.of(MetalMachine).get("m")).metadata.ownerReferences?.length, 1);
  await world.stop();
});

test("a Machine goes: infrastructure, then bootstrap object, then Node, then itself; a provider's finalizer is waited for", async () => {
  const world = await ClusterWorld.start();
  await world.cluster();
  // Somebody must be left who runs the cluster.
  await world.machine("cp", { metadata: { labels: { "cluster.x-k8s.io/control-plane": "" } } });
  await world.machine("m");
  await world.bringUp();
  await world.provision("cp");
  await world.provision("m");
  await world.of(MetalMachine).patch("m", { metadata: { finalizers: ["example.dev/wiping"] } });
  await world.of(Machine).delete("m");
  await world.pass(2_000);
  const going = await world.of(Machine).get("m");
  assert.equal(going.status?.phase, "Deleting");
  assert.equal(said(going, "Deleting", "Ready"), "Deleting=True Ready=False(NotReady)");
  const reason = (going.status?.conditions ?? []).find(({ type }) => type === "Deleting")?.reason;
  assert.equal(reason, "WaitingForInfrastructureDeletion");
  const node = await world.workload.client.for(WorkloadNodes).get("m");
  assert.equal(node.spec?.unschedulable, true, "cordoned");
  assert.notEqual((await world.of(MetalMachine).get("m")).metadata.deletionTimestamp, undefined);
  assert.equal((await world.of(TalosConfig).get("m")).metadata.deletionTimestamp, undefined);
  await world.of(MetalMachine).patch("m", { metadata: { finalizers: [] } });
  await world.pass(5_000);
  for (const kind of [Machine, MetalMachine, TalosConfig])
    await assert.rejects(world.of<never>(kind as never).get("m"), isNotFound);
  await assert.rejects(world.workload.client.for(WorkloadNodes).get("m"), isNotFound);
  await world.workload.client.for(WorkloadNodes).get("cp");
  await world.stop();
});
