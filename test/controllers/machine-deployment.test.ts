/** MachineDeployment and the sets under it, on an API server in this process (facts §2.6). */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createMachineDeploymentController } from "#controllers/machine-deployment/controller.ts";
import { createMachineSetController } from "#controllers/machine-set/controller.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { findCondition } from "#schema/condition.ts";
import { isWrite, startWorld, type World } from "../kube/world.ts";
import { addCluster, addTemplates, machinesOf, machineTemplate, NAMESPACE, setPorts, settleMachines } from "./sets.ts";

let world: World;
let end: AbortController;

beforeEach(async () => {
  end = new AbortController();
  world = await startWorld();
  await addCluster(world);
  await addTemplates(world);
});
afterEach(async () => {
  end.abort();
  await world.stop();
});

function start(): void {
  const ports = setPorts(world, end.signal);
  world.run(createMachineSetController(ports), createMachineDeploymentController(ports));
}
const deployments = () => world.client.for(MachineDeployment).in(NAMESPACE);
type Spec = NonNullable<MachineDeployment["spec"]>;
const addDeployment = (spec: Partial<Spec> = {}, metadata: object = {}): Promise<MachineDeployment> =>
  deployments().create({
    metadata: { name: "md", namespace: NAMESPACE, ...metadata },
    spec: { clusterName: "c", replicas: 3, template: machineTemplate(), ...spec } as Spec,
  });

async function setsOf(): Promise<MachineSet[]> {
  const { items } = await world.client.for(MachineSet).in(NAMESPACE).list();
  const revision = ({ metadata }: MachineSet): number =>
    Number(metadata.annotations?.["machinedeployment.clusters.x-k8s.io/revision"]);
  return items.toSorted((a, b) => revision(a) - revision(b));
}
async function condition(type: string) {
  const { status, message } = findCondition((await deployments().get("md")).status?.conditions ?? [], type) ?? {};
  return [status, message];
}
/** Time passes, and machines do what they are to do. Returns the sizes of the sets, by revision, each time they have changed. */
async function rollOut(rounds = 30): Promise<string[]> {
  const steps: string[] = [];
  for (let i = 0; i < rounds; i++) {
    await world.pass(1000);
    const sizes = (await setsOf()).map(({ spec }) => spec?.replicas).join("/");
    if (steps.at(-1) !== sizes) steps.push(sizes);
    await settleMachines(world);
  }
  return steps;
}

describe("a deployment", () => {
  test("makes one set, named, labelled and owned, and is done when its machines are", async () => {
    const { metadata } = await addDeployment({}, { annotations: { team: "x" } });
    start();
    assert.deepEqual(await rollOut(5), ["3"]);
    const [set] = await setsOf();
    const hash = set?.metadata.labels?.["machine-template-hash"] ?? "";
    assert.match(hash, /^\d+-[a-z0-9]{5}$/);
    assert.equal(set?.metadata.name, `md-${hash.slice(-5)}`);
    const labels = {
      "cluster.x-k8s.io/cluster-name": "c",
      "cluster.x-k8s.io/deployment-name": "md",
      "machine-template-hash": hash,
    };
    assert.deepEqual([set?.metadata.labels, set?.spec?.selector.matchLabels], [labels, labels]);
    const owner = { apiVersion: "cluster.x-k8s.io/v1beta2", kind: "MachineDeployment", name: "md", uid: metadata.uid };
    assert.deepEqual(set?.metadata.ownerReferences, [{ ...owner, controller: true, blockOwnerDeletion: true }]);
    const kept = { team: "x", "machinedeployment.clusters.x-k8s.io/revision": "1" };
    const sizes = {
      "machinedeployment.clusters.x-k8s.io/desired-replicas": "3",
      "machinedeployment.clusters.x-k8s.io/max-replicas": "4",
    };
    assert.deepEqual(set?.metadata.annotations, { ...kept, ...sizes });
    for (const machine of await machinesOf(world)) {
      assert.deepEqual(machine.metadata.labels, { ...labels, "cluster.x-k8s.io/set-name": set?.metadata.name });
      assert.equal(findCondition(machine.status?.conditions ?? [], "UpToDate")?.status, "True");
    }
    const { status, metadata: after } = await deployments().get("md");
    const { replicas, readyReplicas, availableReplicas, upToDateReplicas, phase } = status ?? {};
    assert.deepEqual([replicas, readyReplicas, availableReplicas, upToDateReplicas, phase], [3, 3, 3, 3, "Running"]);
    assert.deepEqual(
      after.ownerReferences?.map(({ kind, name, controller }) => [kind, name, controller]),
      [["Cluster", "c", undefined]],
    );
    const older = await world.fixture.get<{
      status: { conditions: { type: string; status: string }[]; updatedReplicas: number };
    }>(`/apis/cluster.x-k8s.io/v1beta1/namespaces/${NAMESPACE}/machinedeployments/md`);
    assert.deepEqual(
      older.status.conditions.map(({ type, status: is }) => [type, is]),
      [
        ["Ready", "True"],
        ["Available", "True"],
      ],
    );
    assert.equal(older.status.updatedReplicas, 3);
    for (const type of ["Available", "MachinesReady", "MachinesUpToDate"]) assert.equal((await condition(type))[0], "True", type);
  });

  test("is scaled without a new set", async () => {
    await addDeployment({ replicas: 1 });
    start();
    await rollOut(3);
    await deployments().patch("md", { spec: { replicas: 3 } });
    assert.deepEqual(await rollOut(4), ["3"]);
    await deployments().patch("md", { spec: { replicas: 0 } });
    assert.deepEqual(await rollOut(4), ["0"]);
    assert.deepEqual(await machinesOf(world), []);
  });

  for (const [strategy, expected] of [
    [{ maxSurge: 1, maxUnavailable: 0 }, ["3/1", "2/1", "2/2", "1/2", "1/3", "0/3", "3"]],
    [{ maxSurge: 0, maxUnavailable: 1 }, ["2/0", "2/1", "1/1", "1/2", "0/2", "0/3", "3"]],
    [{ maxSurge: "100%", maxUnavailable: 0 }, ["3/3", "0/3", "3"]],
  ] as const)
    test(`rolls out with ${JSON.stringify(strategy)}: sets old/new are ${expected.join(", ")}`, async () => {
      await addDeployment({ rollout: { strategy: { type: "RollingUpdate", rollingUpdate: strategy } } });
      start();
      await rollOut(4);
      await deployments().patch("md", { spec: { template: { spec: { version: "v1.35.0" } } } });
      assert.deepEqual(await rollOut(), expected);
      const machines = await machinesOf(world);
      assert.deepEqual(
        machines.map(({ spec }) => spec?.version),
        ["v1.35.0", "v1.35.0", "v1.35.0"],
      );
      const { annotations } = (await deployments().get("md")).metadata;
      assert.equal(annotations?.["machinedeployment.clusters.x-k8s.io/revision"], "2");
    });

  test("tells what it replaces, and why", async () => {
    await addDeployment({ replicas: 2 });
    start();
    await rollOut(4);
    await deployments().patch("md", { spec: { template: { spec: { version: "v1.35.0" } } } });
    await world.pass(1000);
    const message = "Rolling out 2 not up-to-date replicas\n* Version v1.34.1, v1.35.0 required";
    assert.deepEqual(await condition("RollingOut"), ["True", message]);
    assert.equal((await condition("MachinesUpToDate"))[0], "False");
    await rollOut(12);
    assert.deepEqual((await condition("RollingOut"))[0], "False");
  });

  test("hands on what machines can get while they run, and replaces none", async () => {
    await addDeployment({ replicas: 1, template: { ...machineTemplate(), metadata: { labels: { gone: "x" } } } });
    start();
    await rollOut(4);
    const before = (await machinesOf(world)).map(({ metadata }) => metadata.uid);
    const metadata = { labels: { gone: null, tier: "a" }, annotations: { note: "b" } };
    await deployments().patch("md", {
      spec: { template: { metadata, spec: { minReadySeconds: 7 } }, deletion: { order: "Oldest" } },
    });
    await rollOut(4);
    const [machine, ...others] = await machinesOf(world);
    assert.deepEqual([machine?.metadata.uid, others], [before[0], []]);
    const { labels, annotations } = machine!.metadata;
    assert.deepEqual(
      [labels?.["gone"], labels?.["tier"], annotations?.["note"], machine?.spec?.minReadySeconds],
      [undefined, "a", "b", 7],
    );
    assert.equal((await setsOf())[0]?.spec?.deletion?.order, "Oldest");
  });

  test("goes back to an older set, which becomes the newest revision", async () => {
    await addDeployment({ replicas: 1 });
    start();
    await rollOut(4);
    const [first] = await setsOf();
    await deployments().patch("md", { spec: { template: { spec: { version: "v1.35.0" } } } });
    await world.pass(1000);
    await deployments().patch("md", { spec: { template: { spec: { version: "v1.34.1" } } } });
    await rollOut(10);
    const [set, ...others] = await setsOf();
    assert.deepEqual([set?.metadata.uid, others], [first?.metadata.uid, []]);
    const { annotations } = set!.metadata;
    assert.equal(annotations?.["machinedeployment.clusters.x-k8s.io/revision"], "3");
    assert.equal(annotations["machinedeployment.clusters.x-k8s.io/revision-history"], "1");
  });

  test("replaces what is older than rollout.after, once that time has come", async () => {
    const { metadata } = await addDeployment({ replicas: 1 });
    start();
    await rollOut(4);
    const after = new Date(Date.parse(metadata.creationTimestamp ?? "") + 60_000).toISOString().replace(".000", "");
    await deployments().patch("md", { spec: { rollout: { after } } });
    await world.pass(2000);
    assert.equal((await setsOf()).length, 1);
    await world.pass(60_000);
    await rollOut(10);
    const [machine] = await machinesOf(world);
    assert.ok(Date.parse(machine?.metadata.creationTimestamp ?? "") >= Date.parse(after));
    assert.equal((await setsOf()).length, 1);
  });

  test("OnDelete: waits for somebody to delete machines, and makes each anew", async () => {
    await addDeployment({ replicas: 2, rollout: { strategy: { type: "OnDelete" } } });
    start();
    await rollOut(4);
    await deployments().patch("md", { spec: { template: { spec: { version: "v1.35.0" } } } });
    assert.deepEqual(await rollOut(6), ["2/0"]);
    const [old] = await setsOf();
    assert.equal(old?.metadata.annotations?.["cluster.x-k8s.io/disable-machine-create"], "true");
    for (const expected of [
      ["1/0", "1/1"],
      ["0/1", "0/2", "2"],
    ]) {
      const machine = (await machinesOf(world)).find(({ spec }) => spec?.version === "v1.34.1");
      await world.client
        .for(Machine)
        .in(NAMESPACE)
        .delete(machine?.metadata.name ?? "");
      assert.deepEqual(await rollOut(8), expected);
    }
  });

  test("paused: replaces nothing, but keeps its number", async () => {
    await addDeployment({ replicas: 4 });
    start();
    await rollOut(4);
    await deployments().patch("md", { spec: { template: { spec: { version: "v1.35.0" } } } });
    await world.pass(1000);
    await deployments().patch("md", { spec: { paused: true } });
    assert.deepEqual((await rollOut(5)).at(-1), "4/1");
    await deployments().patch("md", { spec: { replicas: 9 } });
    assert.deepEqual((await rollOut(5)).at(-1), "8/2", "shared by their sizes");
    await deployments().patch("md", { spec: { paused: false } });
    assert.deepEqual((await rollOut(40)).at(-1), "9");
  });

  test("takes its sets and their machines with it", async () => {
    await addDeployment({ replicas: 2 });
    start();
    await rollOut(4);
    await deployments().delete("md");
    await rollOut(6);
    await assert.rejects(deployments().get("md"), /not found/);
    assert.deepEqual([await setsOf(), await machinesOf(world)], [[], []]);
  });

  test("writes nothing while all is as it should be, whatever its cluster says meanwhile", async () => {
    await addDeployment();
    start();
    await rollOut(6);
    const before = world.requests.filter(isWrite).length;
    const clusters = world.client.for(Cluster).in(NAMESPACE);
    await clusters.patch("c", { metadata: { annotations: { irrelevant: "x" } } });
    await world.pass(600_000);
    assert.deepEqual(world.requests.filter(isWrite).slice(before), []);
  });

  test("deleted without its sets, it leaves them and their machines", async () => {
    await addDeployment({ replicas: 1 });
    start();
    await rollOut(4);
    await deployments().delete("md", { propagationPolicy: "Orphan" });
    await world.pass(2000);
    await assert.rejects(deployments().get("md"), /not found/);
    const left = [...(await setsOf()), ...(await machinesOf(world))];
    assert.deepEqual(
      left.map(({ metadata }) => metadata.deletionTimestamp),
      [undefined, undefined],
    );
  });

  test("adopts sets that nobody has, and machines are not made anew", async () => {
    await addDeployment({ replicas: 1 });
    start();
    await rollOut(4);
    const [set] = await setsOf();
    const machine = (await machinesOf(world))[0]?.metadata.uid;
    await world.client
      .for(MachineSet)
      .in(NAMESPACE)
      .patch(set?.metadata.name ?? "", { metadata: { ownerReferences: null } });
    await rollOut(4);
    const [after, ...others] = await setsOf();
    assert.deepEqual([after?.metadata.ownerReferences?.[0]?.kind, others], ["MachineDeployment", []]);
    assert.deepEqual(
      (await machinesOf(world)).map(({ metadata }) => metadata.uid),
      [machine],
    );
  });
});
