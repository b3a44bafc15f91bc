/** Clusters from their first look to their last, with providers played by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CLUSTER_NAME } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Cluster as OldCluster } from "#kinds/cluster/v1beta1/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import { isNotFound } from "#kube/status.ts";
import { WorkloadNodes } from "#kube/workload-sight.ts";
import { createMemoryPki } from "#io/memory/pki.ts";
import { parseKubeconfig } from "#kube/kubeconfig.ts";
import { SecretKind } from "../kube/workload-cluster.ts";
import { ClusterWorld, said, SERVER } from "./cluster-world.ts";

test("a Cluster owns its objects, takes its endpoint from them, and comes up with them, in both contracts' words", async () => {
  const world = await ClusterWorld.start();
  await world.cluster();
  await world.pass(1_000);
  const cluster = () => world.of(Cluster).get("c");
  assert.equal((await cluster()).status?.phase, "Provisioning");
  assert.equal((await cluster()).spec?.controlPlaneEndpoint, undefined, "the infrastructure is not there yet");
  for (const [kind, name] of [
    [MetalCluster, "c"],
    [TalosControlPlane, "c-cp"],
  ] as const) {
    const { metadata } = await world.of(kind as typeof MetalCluster).get(name);
    assert.deepEqual(
      metadata.ownerReferences?.map(({ kind: owner, controller }) => [owner, controller]),
      [["Cluster", false]],
    );
    assert.equal(metadata.labels?.[CLUSTER_NAME], "c");
  }
  await world.status(MetalCluster, "c", { ready: true, failureDomains: [{ name: "b" }, { name: "a", controlPlane: true }] });
  await world.pass(500);
  const provisioned = await cluster();
  assert.deepEqual(provisioned.spec?.controlPlaneEndpoint, { host: "10.0.0.1", port: 6443 });
  assert.deepEqual(provisioned.status?.failureDomains, [{ name: "a", controlPlane: true }, { name: "b" }]);
  assert.equal(provisioned.status?.phase, "Provisioned");
  assert.equal(
    said(provisioned, "InfrastructureReady", "ControlPlaneInitialized", "Available"),
    "InfrastructureReady=True ControlPlaneInitialized=False(NotInitialized) Available=False(NotAvailable)",
  );

  await world.status(TalosControlPlane, "c-cp", {
    replicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
    upToDateReplicas: 1,
    version: "v1.34.1",
  });
  await world.bringUp();
  await world.pass(2_000);
  const up = await cluster();
  assert.deepEqual(up.status?.initialization, { infrastructureProvisioned: true, controlPlaneInitialized: true });
  assert.equal(
    said(up, "ControlPlaneInitialized", "RemoteConnectionProbe", "ControlPlaneAvailable", "WorkersAvailable", "Available"),
    "ControlPlaneInitialized=True RemoteConnectionProbe=True ControlPlaneAvailable=True WorkersAvailable=True Available=True",
  );
  assert.deepEqual(up.status?.controlPlane, {
    desiredReplicas: 1,
    replicas: 1,
    upToDateReplicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
    versions: [{ version: "v1.34.1", replicas: 1 }],
  });
  const old = await world.of(OldCluster).get("c");
  assert.equal(old.status?.infrastructureReady, true);
  assert.equal(old.status?.controlPlaneReady, true);
  assert.equal(
    said(old, "Ready", "ControlPlaneReady", "InfrastructureReady"),
    "Ready=True ControlPlaneReady=True InfrastructureReady=True",
  );

  await world.status(MetalCluster, "c", { ready: false });
  await world.of(MetalCluster).patch("c", { spec: { controlPlaneEndpoint: { host: "10.9.9.9" } } });
  await world.pass(500);
  const later = await cluster();
  assert.equal(later.status?.initialization?.infrastructureProvisioned, true, "never taken back");
  assert.equal(later.spec?.controlPlaneEndpoint?.host, "10.0.0.1", "nor overwritten");
  await world.stop();
});

test("that a cluster cannot be reached is said after its grace, once", async () => {
  const world = await ClusterWorld.start();
  await world.cluster();
  await world.status(MetalCluster, "c", { ready: true });
  await world.bringUp();
  await world.machine("m");
  await world.provision("m");
  world.workload.isAlive = false;
  await world.pass(60_000);
  const cluster = () => world.of(Cluster).get("c");
  assert.equal(said(await cluster(), "RemoteConnectionProbe"), "RemoteConnectionProbe=True");
  await world.pass(120_000);
  assert.equal(
    said(await cluster(), "RemoteConnectionProbe", "Available"),
    "RemoteConnectionProbe=False(ProbeFailed) Available=False(NotAvailable)",
  );
  assert.equal(said(await world.of(Machine).get("m"), "NodeHealthy"), "NodeHealthy=Unknown(ConnectionDown)");
  world.workload.isAlive = true;
  await world.pass(60_000);
  assert.equal(said(await cluster(), "RemoteConnectionProbe"), "RemoteConnectionProbe=True");
  assert.equal(said(await world.of(Machine).get("m"), "NodeHealthy"), "NodeHealthy=True");
  await world.stop();
});

test("a Cluster goes: workers, control plane, infrastructure; Nodes are left alone", async () => {
  const world = await ClusterWorld.start();
  await world.cluster();
  await world.bringUp();
  await world.machine("m");
  await world.provision("m");
  await world.of(TalosControlPlane).patch("c-cp", { metadata: { finalizers: ["example.dev/machines"] } });
  await world.of(MetalCluster).patch("c", { metadata: { finalizers: ["example.dev/network"] } });
  await world.of(Cluster).delete("c");
  await world.pass(5_000);
  await assert.rejects(world.of(Machine).get("m"), isNotFound);
  const node = await world.workload.client.for(WorkloadNodes).get("m");
  assert.equal(node.spec?.unschedulable, undefined, "not drained");
  const reason = async () =>
    (await world.of(Cluster).get("c")).status?.conditions?.find(({ type }) => type === "Deleting")?.reason;
  assert.equal(await reason(), "WaitingForControlPlaneDeletion");
  assert.equal((await world.of(Cluster).get("c")).status?.phase, "Deleting");
  assert.equal((await world.of(MetalCluster).get("c")).metadata.deletionTimestamp, undefined);
  await world.of(TalosControlPlane).patch("c-cp", { metadata: { finalizers: [] } });
  await world.pass(1_000);
  assert.equal(await reason(), "WaitingForInfrastructureDeletion");
  await world.of(MetalCluster).patch("c", { metadata: { finalizers: [] } });
  await world.pass(1_000);
  await assert.rejects(world.of(Cluster).get("c"), isNotFound);
  await world.stop();
});

test("a Cluster without a control plane object gets its kubeconfig from its authority, and is initialized with its first Node", async () => {
  const world = await ClusterWorld.start();
  await world.cluster({ controlPlane: false });
  await world.status(MetalCluster, "c", { ready: true });
  world.workload = await world.network.start(world.world.clock, SERVER);
  const authority = await createMemoryPki().issue({
    algorithm: "ecdsa-p256",
    subject: [{ type: "CN", value: "kubernetes" }],
    notBefore: 0,
    notAfter: Date.parse("2040-01-01T00:00:00Z"),
    isAuthority: true,
    usages: [],
  });
  const stringData = { "tls.crt": authority.certificate, "tls.key": authority.key };
  await world.of(SecretKind).create({ metadata: { name: "c-ca" }, stringData });
  await world.pass(1_000);
  const secret = () => world.of(SecretKind).get("c-kubeconfig");
  const { metadata, type, data } = await secret();
  assert.equal(type, "cluster.x-k8s.io/secret");
  assert.equal(metadata.labels?.[CLUSTER_NAME], "c");
  assert.deepEqual(
    metadata.ownerReferences?.map(({ kind }) => kind),
    ["Cluster"],
  );
  assert.equal(parseKubeconfig(atob(data!["value"]!)).server, SERVER);

  await world.machine("m", { metadata: { labels: { "cluster.x-k8s.io/control-plane": "" } } });
  await world.provision("m");
  await world.pass(1_000);
  assert.equal((await world.of(Cluster).get("c")).status?.initialization?.controlPlaneInitialized, true);
  const { resourceVersion } = (await secret()).metadata;
  await world.pass(600_000);
  assert.equal((await secret()).metadata.resourceVersion, resourceVersion);
  await world.of(SecretKind).delete("c-kubeconfig");
  await world.pass(1_000);
  assert.notEqual((await secret()).data?.["value"], data?.["value"]);
  await world.stop();
});
