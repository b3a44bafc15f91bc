/** TalosControlPlane on an API server in this process, with machines that run a model of Talos and etcd, under a virtual clock. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { MetalMachineTemplate } from "#kinds/infrastructure/v1alpha3/metal-machine-template.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { entries, entryOf, Secret } from "#kube/secret.ts";
import { printKubeconfig, readKubeconfig } from "#talos/kubeconfig.ts";
import { isWrite } from "../kube/world.ts";
import { NAMESPACE, TestCluster } from "./talos/cluster.ts";

let cluster: TestCluster;
afterEach(() => cluster.world.stop());

const HOOK = "pre-terminate.delete.hook.machine.cluster.x-k8s.io/talos-etcd";
const LARGE = { apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3", kind: "MetalMachineTemplate", name: "large" };

async function isReady(replicas: number): Promise<boolean> {
  const { status } = await cluster.plane();
  const names = (await cluster.machines()).length;
  return status?.readyReplicas === replicas && names === replicas && cluster.talos.etcd.voters.length === replicas;
}

async function isRolled(replicas: number): Promise<boolean> {
  const { items } = await cluster.world.client.for(MetalMachine).in(NAMESPACE).list();
  const from = items.map(({ metadata }) => metadata.annotations?.["cluster.x-k8s.io/cloned-from-name"]);
  const machines = new Set((await cluster.machines()).map(({ metadata }) => metadata.name));
  const used = items.filter(({ metadata }) => machines.has(metadata.name));
  return used.length === replicas && used.every((_, i) => from[items.indexOf(used[i]!)] === "large") && (await isReady(replicas));
}

async function conditionOf(type: string): Promise<string | undefined> {
  return (await cluster.plane()).status?.conditions?.find((each) => each.type === type)?.status;
}

/** Members that were taken out, and machines that were told to bring up etcd. */
const calls = (verb: string): string[] => cluster.talos.calls.filter((call) => call.startsWith(`${verb} `));

test("three machines become a control plane: bootstrapped once, by the first that answers", async () => {
  cluster = await TestCluster.start();
  cluster.servers = 1;
  cluster.world.run(cluster.controller());
  // One server is enough for an API server: the others may take their time.
  await cluster.until(async () => (await cluster.plane()).status?.initialized === true);
  assert.equal((await cluster.machines()).length, 3);
  assert.deepEqual(cluster.talos.calls, ["bootstrap 10.0.0.1"]);
  cluster.servers = 2;
  await cluster.until(() => isReady(3));
  assert.deepEqual(cluster.talos.calls, ["bootstrap 10.0.0.1"]);

  const machines = await cluster.machines();
  assert.deepEqual(machines.map(({ spec }) => spec?.failureDomain).toSorted(), ["a", "b", "c"]);
  for (const { metadata, spec, status } of machines) {
    assert.equal(metadata.labels?.["cluster.x-k8s.io/control-plane"], "");
    assert.equal(metadata.labels?.["cluster.x-k8s.io/control-plane-name"], "prod-cp");
    assert.equal(spec?.bootstrap.configRef?.name, metadata.name);
    assert.equal(spec?.infrastructureRef.name, metadata.name);
    assert.equal(status?.conditions?.find(({ type }) => type === "UpToDate")?.status, "True");
    const config = await cluster.world.client.for(TalosConfig).in(NAMESPACE).get(metadata.name!);
    assert.equal(config.spec?.generateType, "controlplane");
    const metal = await cluster.world.client.for(MetalMachine).in(NAMESPACE).get(metadata.name!);
    assert.equal(metal.spec?.serverClassRef?.name, "small");
    assert.equal(metal.metadata.ownerReferences?.[0]?.kind, "TalosControlPlane");
  }
  const { status, metadata } = await cluster.plane();
  assert.equal(metadata.annotations?.["controlplane.cluster.x-k8s.io/etcd"], "bootstrapped");
  assert.equal(status?.bootstrapped, true);
  assert.deepEqual(status?.versions, [{ version: "v1.34.1", replicas: 3 }]);
  assert.equal(status?.initialization?.controlPlaneInitialized, true);
  assert.equal(status?.waiting, undefined);
  for (const type of [
    "Ready",
    "Available",
    "MachinesReady",
    "Resized",
    "MachinesBootstrapped",
    "EtcdClusterHealthyCondition",
    "MachinesUpToDate",
  ])
    assert.equal(await conditionOf(type), "True", type);
  for (const type of ["RollingOut", "ScalingUp", "ScalingDown", "Deleting", "Paused"])
    assert.equal(await conditionOf(type), "False", type);
  const template = await cluster.world.client.for(MetalMachineTemplate).in(NAMESPACE).get("small");
  assert.deepEqual(
    template.metadata.ownerReferences?.map(({ kind, name }) => [kind, name]),
    [["Cluster", "prod"]],
  );
});

test("nothing is written while nothing changes", async () => {
  cluster = await TestCluster.start();
  cluster.world.run(cluster.controller());
  await cluster.until(() => isReady(3));
  await cluster.world.pass(60_000);
  const { length } = cluster.world.requests.filter(isWrite);
  await cluster.world.pass(600_000);
  assert.deepEqual(cluster.world.requests.filter(isWrite).slice(length), []);
});

test("scaled by its subresource, up and down; the last machine stays", async () => {
  cluster = await TestCluster.start({ replicas: 1 });
  cluster.world.run(cluster.controller());
  await cluster.until(() => isReady(1));
  const planes = cluster.world.client.for(TalosControlPlane).in(NAMESPACE);
  await planes.patch("prod-cp", { spec: { replicas: 3 } }, { subresource: "scale" });
  await cluster.until(() => isReady(3));
  await planes.patch("prod-cp", { spec: { replicas: 1 } }, { subresource: "scale" });
  await cluster.until(() => isReady(1));
  assert.equal(calls("leave").length, 2);
  await cluster.patch({ replicas: 0 });
  for (let i = 0; i < 20; i++) await cluster.step();
  assert.equal((await cluster.machines()).length, 1);
  assert.equal((await cluster.plane()).status?.waiting?.reason, "LastMachine");
});

test("another template rolls the machines with one more, and with none to spare", async () => {
  for (const maxSurge of [1, 0]) {
    cluster = await TestCluster.start({ rolloutStrategy: { rollingUpdate: { maxSurge } } });
    // With a surge of none there is no server beyond the three.
    cluster.servers = 3 + maxSurge;
    cluster.world.run(cluster.controller());
    await cluster.until(() => isReady(3));
    let [most, fewest] = [3, 3];
    await cluster.patch({ infrastructureTemplate: LARGE });
    await cluster.until(async () => {
      most = Math.max(most, (await cluster.machines()).filter(({ metadata }) => metadata.deletionTimestamp === undefined).length);
      fewest = Math.min(fewest, cluster.talos.etcd.voters.length);
      return await isRolled(3);
    });
    assert.equal(most, 3 + maxSurge);
    assert.equal(fewest, 2 + maxSurge);
    assert.equal(calls("leave").length + calls("remove").length, 3);
    assert.equal(calls("bootstrap").length, 1);
    if (maxSurge === 1) await cluster.world.stop();
  }
});

test("OnDelete: machines stay as they are until somebody deletes one", async () => {
  cluster = await TestCluster.start({ rolloutStrategy: { type: "OnDelete" } });
  cluster.world.run(cluster.controller());
  await cluster.until(() => isReady(3));
  const before = (await cluster.machines()).map(({ metadata }) => metadata.name);
  await cluster.patch({ infrastructureTemplate: LARGE });
  for (let i = 0; i < 20; i++) await cluster.step();
  assert.deepEqual(
    (await cluster.machines()).map(({ metadata }) => metadata.name),
    before,
  );
  assert.equal(await conditionOf("MachinesSpecUpToDate"), "False");
  for (const name of before) {
    await cluster.world.client.for(Machine).in(NAMESPACE).delete(name!);
    await cluster.step();
    await cluster.until(() => isReady(3));
  }
  assert.ok(await isRolled(3));
  assert.equal(calls("leave").length, 3);
});

test("a machine that somebody deletes leaves etcd before its server is wiped, and not while etcd needs it", async () => {
  cluster = await TestCluster.start();
  cluster.world.run(cluster.controller());
  await cluster.until(() => isReady(3));
  const [first, second] = await cluster.machines();
  const talos = cluster.talos.machines.get(cluster.addressOf(first!))!;
  cluster.talos.power(talos, false);
  cluster.servers = 0;
  await cluster.world.client.for(Machine).in(NAMESPACE).delete(second!.metadata.name!);
  for (let i = 0; i < 60; i++) await cluster.step();
  const held = (await cluster.machines()).find(({ metadata }) => metadata.name === second!.metadata.name);
  assert.equal(held?.metadata.annotations?.[HOOK], "");
  const { status } = await cluster.plane();
  assert.equal(status?.waiting?.reason, "EtcdNeedsMember");
  assert.match(status?.waiting?.waitingFor ?? "", /1 of etcd's 2 members would take part, and 2 would have to/);
  assert.equal(cluster.talos.etcd.members.size, 3);

  cluster.talos.power(talos, true);
  cluster.servers = 1;
  await cluster.until(() => isReady(3));
  assert.deepEqual(calls("leave"), [`leave ${cluster.addressOf(second!)}`]);
});

test("a member of a Machine that is gone is removed on proof; one that nobody knows stays", async () => {
  cluster = await TestCluster.start();
  cluster.world.run(cluster.controller());
  await cluster.until(() => isReady(3));
  const [first] = await cluster.machines();
  const address = cluster.addressOf(first!);
  const stranger = cluster.talos.etcd.join("stranger", "10.9.9.9");
  // Somebody takes everything off that would hold it.
  const machines = cluster.world.client.for(Machine).in(NAMESPACE);
  await machines.delete(first!.metadata.name!);
  await machines.patch(first!.metadata.name!, { metadata: { finalizers: null } });
  cluster.talos.wipe(address);
  await cluster.until(() => calls("remove").length === 1);
  assert.deepEqual(calls("remove"), [`remove ${address}`]);
  for (let i = 0; i < 20; i++) await cluster.step();
  assert.ok(cluster.talos.etcd.members.has(stranger));
  const { status } = await cluster.plane();
  const etcd = status?.conditions?.find(({ type }) => type === "EtcdClusterHealthy");
  assert.match(etcd?.message ?? "", /member stranger is of no Machine/);
});

test("what a MachineHealthCheck has given up is replaced, one at a time", async () => {
  cluster = await TestCluster.start();
  cluster.world.run(cluster.controller());
  await cluster.until(() => isReady(3));
  const [first, second] = await cluster.machines();
  cluster.talos.power(cluster.talos.machines.get(cluster.addressOf(first!))!, false);
  await cluster.giveUp(first!);
  await cluster.giveUp(second!);
  const said = new Set<string>();
  await cluster.until(async () => {
    for (const { metadata, status } of await cluster.machines()) {
      const condition = status?.conditions?.find(({ type }) => type === "OwnerRemediated");
      if (condition !== undefined) said.add(`${metadata.name} ${condition.reason}`);
    }
    const names = (await cluster.machines()).map(({ metadata }) => metadata.name);
    return !names.includes(first!.metadata.name) && !names.includes(second!.metadata.name) && (await isReady(3));
  });
  assert.ok(said.has(`${first!.metadata.name} MachineDeleting`));
  assert.equal(cluster.talos.etcd.voters.length, 3);
  assert.equal(calls("bootstrap").length, 1);
});

test("the kubeconfig is made once, renewed at half its time, and left alone when it is somebody's own", async () => {
  cluster = await TestCluster.start({ replicas: 1 });
  cluster.world.run(cluster.controller());
  await cluster.until(() => isReady(1));
  const secrets = cluster.world.client.for(Secret).in(NAMESPACE);
  const first = await secrets.get("prod-kubeconfig");
  assert.equal(first.type, "cluster.x-k8s.io/secret");
  assert.equal(first.metadata.labels?.["cluster.x-k8s.io/cluster-name"], "prod");
  assert.deepEqual(
    first.metadata.ownerReferences?.map(({ kind, name, controller }) => [kind, name, controller]),
    [["TalosControlPlane", "prod-cp", true]],
  );
  assert.equal(readKubeconfig(entryOf(first, "value")!)?.server, "https://10.0.0.100:6443");
  /** The same with a certificate that ends then. */
  const ending = async (days: number): Promise<string> => {
    const notAfter = cluster.world.clock.now() + days * 24 * 3_600_000;
    const order = { algorithm: "rsa-2048", subject: [], notBefore: 0, notAfter, isAuthority: false, usages: [] } as const;
    const [{ ca = "", server = "" }, client] = [readKubeconfig(entryOf(first, "value")!)!, await cluster.pki.issue(order)];
    const value = printKubeconfig({ clusterName: "prod", server, ca, client });
    await secrets.patch("prod-kubeconfig", { data: entries({ value }) });
    await cluster.world.pass(1000);
    return value;
  };
  assert.equal(await ending(183), entryOf(await secrets.get("prod-kubeconfig"), "value"));
  assert.notEqual(await ending(182), entryOf(await secrets.get("prod-kubeconfig"), "value"));
  await secrets.patch("prod-kubeconfig", { metadata: { ownerReferences: null }, data: { value: "bWluZQ==" } });
  await cluster.world.pass(2000);
  assert.equal(entryOf(await secrets.get("prod-kubeconfig"), "value"), "mine");
});

test("deleted without its Machines, it leaves them", async () => {
  cluster = await TestCluster.start({ replicas: 1 });
  cluster.world.run(cluster.controller());
  await cluster.until(() => isReady(1));
  await cluster.world.client.for(TalosControlPlane).in(NAMESPACE).delete("prod-cp", { propagationPolicy: "Orphan" });
  await cluster.world.pass(5000);
  await assert.rejects(cluster.plane(), /not found/);
  assert.deepEqual(
    (await cluster.machines()).map(({ metadata }) => metadata.deletionTimestamp),
    [undefined],
  );
});

test("nothing before the Cluster's infrastructure and endpoint, and nothing while it is paused", async () => {
  cluster = await TestCluster.start();
  const clusters = cluster.world.client.for(Cluster).in(NAMESPACE);
  await clusters.patch("prod", { spec: { controlPlaneEndpoint: null } });
  cluster.world.run(cluster.controller());
  await cluster.step();
  assert.equal((await cluster.plane()).status?.waiting?.reason, "WaitingForControlPlaneEndpoint");
  await clusters.patch("prod", { spec: { controlPlaneEndpoint: { host: "10.0.0.100", port: 6443 }, paused: true } });
  await cluster.step();
  assert.equal(await conditionOf("Paused"), "True");
  assert.deepEqual(await cluster.machines(), []);
  await clusters.patch("prod", { spec: { paused: false } });
  await cluster.until(() => isReady(3));
  assert.equal(await conditionOf("Paused"), "False");
});

test("an init machine brings up etcd by itself, and is the only one", async () => {
  const init = { generateType: "init", talosVersion: "v1.13" } as const;
  cluster = await TestCluster.start({ controlPlaneConfig: { init, controlplane: { generateType: "controlplane" } } });
  cluster.world.run(cluster.controller());
  await cluster.until(async () => (await cluster.machines()).length === 3 && cluster.talos.machines.size === 3);
  const configs = await cluster.world.client.for(TalosConfig).in(NAMESPACE).list();
  const inits = configs.items.filter(({ spec }) => spec?.generateType === "init");
  assert.equal(inits.length, 1);
  for (let i = 0; i < 10; i++) await cluster.step();
  assert.deepEqual(cluster.talos.calls, []);
  const machine = (await cluster.machines()).find(({ metadata }) => metadata.name === inits[0]!.metadata.name);
  await cluster.talos.dial({ endpoints: [cluster.addressOf(machine!)], ca: "", crt: "", key: "" }).bootstrap();
  await cluster.until(() => isReady(3));
  assert.equal(calls("bootstrap").length, 1);
  // It is as wanted, though it differs from the others.
  assert.equal(await conditionOf("MachinesUpToDate"), "True");
});

test("labels, annotations and timeouts reach the machines that are there, and replace none", async () => {
  cluster = await TestCluster.start();
  cluster.world.run(cluster.controller());
  await cluster.until(() => isReady(3));
  const before = (await cluster.machines()).map(({ metadata }) => metadata.uid);
  const deletion = { nodeDrainTimeoutSeconds: 300 };
  await cluster.patch({
    machineTemplate: {
      metadata: { labels: { rack: "7" }, annotations: { note: "hot" } },
      nodeDeletionTimeout: "1m30s",
      spec: { deletion },
    },
  });
  for (let i = 0; i < 5; i++) await cluster.step();
  const machines = await cluster.machines();
  assert.deepEqual(
    machines.map(({ metadata }) => metadata.uid),
    before,
  );
  for (const { metadata, spec } of machines) {
    assert.equal(metadata.labels?.["rack"], "7");
    assert.deepEqual(spec?.deletion, { ...deletion, nodeDeletionTimeoutSeconds: 90 });
    const metal = await cluster.world.client.for(MetalMachine).in(NAMESPACE).get(metadata.name!);
    assert.equal(metal.metadata.annotations?.["note"], "hot");
  }
});

test("a version without its v gets one; what is no version, and no template at all, are refused", async () => {
  cluster = await TestCluster.start({ version: "1.34.1" });
  assert.equal((await cluster.plane()).spec?.version, "v1.34.1");
  await assert.rejects(cluster.patch({ version: "latest" }), /spec\.version/);
  await assert.rejects(
    cluster.patch({ infrastructureTemplate: null }),
    /infrastructureTemplate is required, unless machineTemplate names it/,
  );
  const infrastructureRef = { apiGroup: "infrastructure.cluster.x-k8s.io", kind: "MetalMachineTemplate", name: "large" };
  await cluster.patch({ infrastructureTemplate: null, machineTemplate: { spec: { infrastructureRef } } });
  cluster.world.run(cluster.controller());
  await cluster.until(() => isRolled(3));
});

test("deleted, it takes all its machines along, whatever becomes of etcd", async () => {
  cluster = await TestCluster.start();
  cluster.world.run(cluster.controller());
  await cluster.until(() => isReady(3));
  await cluster.world.client.for(TalosControlPlane).in(NAMESPACE).delete("prod-cp");
  const planes = cluster.world.client.for(TalosControlPlane).in(NAMESPACE);
  for (let i = 0; i < 20; i++) await cluster.step();
  assert.deepEqual((await planes.list()).items, []);
  assert.deepEqual(await cluster.machines(), []);
  assert.deepEqual(calls("leave"), []);
});

test("status lost in a move: no second etcd, though only one machine answers and it is new", async () => {
  cluster = await TestCluster.start();
  const process = cluster.world.run(cluster.controller());
  await cluster.until(() => isReady(3));
  await process.kill();
  const planes = cluster.world.client.for(TalosControlPlane).in(NAMESPACE);
  const { status: _, ...bare } = await planes.get("prod-cp");
  await planes.update({ ...bare, status: {} }, { subresource: "status" });
  for (const talos of cluster.talos.machines.values()) cluster.talos.power(talos, false);
  await cluster.patch({ replicas: 4 });
  cluster.world.run(cluster.controller());
  for (let i = 0; i < 60; i++) await cluster.step();
  assert.equal((await cluster.machines()).length, 4);
  assert.equal(calls("bootstrap").length, 1);
});

test("Kubernetes comes to the machines in place: the control plane on all of them, then kubelets, one at a time", async () => {
  cluster = await TestCluster.start({ rolloutStrategy: { type: "InPlace" } });
  cluster.world.run(cluster.controller());
  await cluster.until(() => isReady(3));
  const before = (await cluster.machines()).map(({ metadata }) => metadata.uid);
  const [slow] = await cluster.machines();
  cluster.slowPods.add(slow!.metadata.name!);
  await cluster.patch({ version: "v1.35.0" });
  for (let i = 0; i < 120; i++) await cluster.step();
  // It goes no further than the machine whose API server does not come up.
  const changed = calls("apply").map((call) => call.split(" ")[1]);
  assert.equal(changed.at(-1), cluster.addressOf(slow!));
  assert.ok(changed.length <= 3);
  assert.equal((await cluster.plane()).status?.upgrading?.machine, slow!.metadata.name);
  for (const { config } of cluster.talos.machines.values()) assert.match(config, /kubelet:v1\.34\.1/);

  cluster.slowPods.clear();
  await cluster.until(async () => (await cluster.machines()).every(({ spec }) => spec?.version === "v1.35.0"), { most: 600 });
  await cluster.until(async () => (await cluster.plane()).status?.upgrading === undefined);
  assert.deepEqual(
    (await cluster.machines()).map(({ metadata }) => metadata.uid),
    before,
  );
  const order = calls("apply").map((call) => call.split(" ")[1]!);
  assert.equal(order.length, 6);
  assert.equal(new Set(order.slice(0, 3)).size, 3);
  for (const { config } of cluster.talos.machines.values()) {
    assert.match(config, /kubelet:v1\.35\.0\n {8}extraArgs:[^]*provider-id: "?sidero:\/\/server/);
    assert.match(config, /kube-apiserver:v1\.35\.0/);
  }
  assert.equal(await conditionOf("MachinesUpToDate"), "True");
  assert.deepEqual((await cluster.plane()).status?.versions, [{ version: "v1.35.0", replicas: 3 }]);
});

test("Talos comes to the machines in place, one at a time; another template still replaces them", async () => {
  const inPlace = { installer: "ghcr.io/siderolabs/installer:v1.13.4" };
  cluster = await TestCluster.start({ rolloutStrategy: { type: "InPlace" } });
  cluster.world.run(cluster.controller());
  await cluster.until(() => isReady(3));
  await cluster.patch({ rolloutStrategy: { type: "InPlace", inPlace } });
  let fewest = 3;
  await cluster.until(
    async () => {
      fewest = Math.min(fewest, cluster.talos.etcd.voters.filter(({ isUp }) => isUp).length);
      const { status } = await cluster.plane();
      return (
        calls("upgrade").length > 0 && status?.upToDateReplicas === 3 && status.upgrading === undefined && (await isReady(3))
      );
    },
    { most: 600 },
  );
  assert.equal(fewest, 2);
  assert.equal(calls("upgrade").length, 3);
  for (const { version } of cluster.talos.machines.values()) assert.equal(version, "v1.13.4");
  assert.deepEqual(calls("leave"), []);
  await cluster.patch({ infrastructureTemplate: LARGE });
  await cluster.until(() => isRolled(3), { most: 600 });
});
