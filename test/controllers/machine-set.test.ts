/** MachineSet on an API server in this process (facts §2.5). */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createMachineSetController } from "#controllers/machine-set/controller.ts";
import { TalosConfigTemplate } from "#kinds/bootstrap/v1beta1/talos-config-template.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { MACHINE_SET_FINALIZER } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { conflict } from "#kube/status.ts";
import { findCondition } from "#schema/condition.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { isWrite, startWorld, type World } from "../kube/world.ts";
import { addCluster, addTemplates, machinesOf, machineTemplate, NAMESPACE, setPorts, settleMachines, tell } from "./sets.ts";

let world: World;
let cluster: Cluster;
let end: AbortController;

beforeEach(async () => {
  end = new AbortController();
  world = await startWorld();
  cluster = await addCluster(world);
});
afterEach(async () => {
  end.abort();
  await world.stop();
});

function start(): void {
  world.run(createMachineSetController(setPorts(world, end.signal)));
}
const sets = () => world.client.for(MachineSet).in(NAMESPACE);
const addSet = (spec: Partial<NonNullable<MachineSet["spec"]>> = {}, metadata: object = {}): Promise<MachineSet> =>
  sets().create({
    metadata: { name: "s", namespace: NAMESPACE, ...metadata },
    spec: { clusterName: "c", replicas: 3, template: machineTemplate(), ...spec } as MachineSet["spec"] & {},
  });

async function condition(type: string) {
  const { status, message } = findCondition((await sets().get("s")).status?.conditions ?? [], type) ?? {};
  return [status, message];
}

describe("machines are made from templates", () => {
  test("three objects of one name, owned, labelled, and known to come from where they come from", async () => {
    await addTemplates(world);
    const template = { ...machineTemplate(), metadata: { labels: { pool: "a" }, annotations: { note: "x" } } };
    const set = await addSet({ template, replicas: 2, selector: { matchLabels: { pool: "a" } } });
    start();
    await world.pass(3000);
    const machines = await machinesOf(world);
    assert.equal(machines.length, 2);
    for (const { metadata, spec } of machines) {
      const name = metadata.name ?? "";
      assert.match(name, /^s-[a-z0-9]{5}$/);
      const owner = { apiVersion: "cluster.x-k8s.io/v1beta2", kind: "MachineSet", name: "s", uid: set.metadata.uid };
      assert.deepEqual(metadata.ownerReferences, [{ ...owner, controller: true, blockOwnerDeletion: true }]);
      assert.deepEqual(metadata.finalizers, ["machine.cluster.x-k8s.io"]);
      const labels = { pool: "a", "cluster.x-k8s.io/cluster-name": "c", "cluster.x-k8s.io/set-name": "s" };
      assert.deepEqual(metadata.labels, labels);
      assert.equal(metadata.annotations?.["note"], "x");
      assert.deepEqual(spec?.bootstrap, { configRef: { apiGroup: "bootstrap.cluster.x-k8s.io", kind: "TalosConfig", name } });
      assert.deepEqual(spec?.infrastructureRef, { apiGroup: "infrastructure.cluster.x-k8s.io", kind: "MetalMachine", name });
      const config = await world.client.for(TalosConfig).in(NAMESPACE).get(name);
      assert.deepEqual(
        [config.spec, config.metadata.ownerReferences],
        [{ generateType: "worker", talosVersion: "v1.13" }, [owner]],
      );
      const metal = await world.client.for(MetalMachine).in(NAMESPACE).get(name);
      assert.deepEqual(metal.metadata.labels, { rack: "7", ...labels });
      assert.equal(metal.metadata.annotations?.["cluster.x-k8s.io/cloned-from-name"], "w");
    }
    const { metadata } = await world.client.for(TalosConfigTemplate).in(NAMESPACE).get("w");
    const owner = { apiVersion: "cluster.x-k8s.io/v1beta2", kind: "Cluster", name: "c", uid: cluster.metadata.uid };
    assert.deepEqual(metadata.ownerReferences, [owner], "a template goes with its cluster");
    assert.deepEqual((await sets().get("s")).metadata.ownerReferences, [owner], "so does a set that stands alone");
  });

  test("what is missing is told, and no half machine stays behind", async () => {
    await addTemplates(world);
    await world.client.for(TalosConfigTemplate).in(NAMESPACE).delete("w");
    await addSet();
    start();
    await world.pass(3000);
    assert.deepEqual(await condition("ScalingUp"), [
      "True",
      "Scaling up from 0 to 3 replicas\n* TalosConfigTemplate w does not exist",
    ]);
    const older = (await sets().get("s")).status?.deprecated?.v1beta1?.conditions ?? [];
    const { status, severity, reason } = findCondition(older, "MachinesCreated") ?? {};
    assert.deepEqual([status, severity, reason, older[0]?.type], ["False", "Warning", "MachineCreationFailed", "Ready"]);
    assert.deepEqual((await world.client.for(MetalMachine).in(NAMESPACE).list()).items, []);
    const metadata = { name: "w", namespace: NAMESPACE };
    await world.client.for(TalosConfigTemplate).create({ metadata, spec: { template: { spec: { generateType: "worker" } } } });
    await world.pass(3000);
    assert.equal((await machinesOf(world)).length, 3);
  });

  for (const [name, error, kept] of [
    ["refused are taken away again", conflict({ group: "cluster.x-k8s.io", resource: "machines", name: "m" }, "no"), 1],
    ["sent, but not answered, stay: it may be there", new Fault("io.reset", "reset", { fault: "world", retry: "soon" }), 2],
  ] as const)
    test(`objects of a Machine that was ${name}`, async () => {
      await world.stop();
      let refusals = 0;
      world = await startWorld({
        before: (request) => {
          if (/^POST .*\/machines$/.test(request) && refusals++ === 0) throw error;
        },
      });
      await addCluster(world);
      await addTemplates(world);
      await addSet({ replicas: 1 });
      start();
      await world.pass(5000);
      assert.equal((await machinesOf(world)).length, 1);
      for (const kind of [MetalMachine, TalosConfig])
        assert.equal((await world.client.for<KubeObject>(kind).in(NAMESPACE).list()).items.length, kept);
    });
});

describe("a control plane that is not steady", () => {
  const reference = { apiGroup: "controlplane.cluster.x-k8s.io", kind: "TalosControlPlane", name: "cp" };
  const planes = "/apis/controlplane.cluster.x-k8s.io/v1alpha3/namespaces/default/taloscontrolplanes";

  async function addPlane(version: string, running?: string): Promise<void> {
    await world.client
      .for(Cluster)
      .in(NAMESPACE)
      .patch("c", { spec: { controlPlaneRef: reference } });
    const spec = {
      version,
      replicas: 1,
      infrastructureTemplate: { kind: "MetalMachineTemplate", name: "w" },
      controlPlaneConfig: { controlplane: { generateType: "controlplane" } },
    };
    await world.fixture.create(planes, {
      apiVersion: "controlplane.cluster.x-k8s.io/v1alpha3",
      kind: "TalosControlPlane",
      metadata: { name: "cp" },
      spec,
    });
    if (running !== undefined) await run(running);
  }
  const run = (version: string) => world.fixture.patch(`${planes}/cp/status`, { status: { version } });

  for (const [name, version, running, machines, problem] of [
    ["is not there yet", "v1.34.1", undefined, "v1.34.1", /TalosControlPlane cp is provisioning \("ControlPlaneIsStable"/],
    ["is being upgraded", "v1.34.1", "v1.33.0", "v1.33.0", /is upgrading to v1.34.1 \("ControlPlaneIsStable"/],
    ["is older than its machines", "v1.33.0", "v1.33.0", "v1.34.0", /the machines are newer \("KubernetesVersionSkew"/],
    ["is much newer", "v1.34.0", "v1.34.0", "v1.30.9", /more than 3 minor versions apart/],
    ["is a little newer", "v1.34.0", "v1.34.0", "v1.31.0", undefined],
  ] as const)
    test(`that ${name}`, async () => {
      await addTemplates(world);
      await addPlane(version, running);
      await addSet({ template: machineTemplate("w", { version: machines }) });
      start();
      await world.pass(3000);
      assert.equal((await machinesOf(world)).length, problem === undefined ? 3 : 0);
      if (problem !== undefined) assert.match(String((await condition("ScalingUp"))[1]), problem);
    });

  test("is looked at again, or not at all where a set says so", async () => {
    await addTemplates(world);
    await addPlane("v1.34.1");
    await addSet({ replicas: 1 });
    const annotations = { "machineset.cluster.x-k8s.io/skip-preflight-checks": "ControlPlaneIsStable" };
    await addSet({ replicas: 1 }, { name: "hasty", annotations });
    start();
    await world.pass(3000);
    assert.deepEqual(
      (await machinesOf(world)).map(({ metadata }) => metadata.name?.split("-")[0]),
      ["hasty"],
    );
    await run("v1.34.1");
    await world.pass(3000);
    assert.equal((await machinesOf(world)).length, 2);
  });
});

describe("machines that are there", () => {
  async function startWith(spec: Partial<NonNullable<MachineSet["spec"]>> = {}): Promise<string[]> {
    await addTemplates(world);
    await addSet(spec);
    start();
    await world.pass(3000);
    await settleMachines(world);
    await world.pass(1000);
    return (await machinesOf(world)).map(({ metadata }) => metadata.name ?? "");
  }
  const remaining = async () =>
    (await machinesOf(world))
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name);

  test("are counted", async () => {
    await startWith();
    const { status } = await sets().get("s");
    const { replicas, readyReplicas, availableReplicas, selector, versions, observedGeneration } = status ?? {};
    assert.deepEqual([replicas, readyReplicas, availableReplicas, observedGeneration], [3, 3, 3, 1]);
    assert.deepEqual([selector, versions], ["cluster.x-k8s.io/set-name=s", [{ version: "v1.34.1", replicas: 3 }]]);
    assert.deepEqual(await condition("MachinesReady"), ["True", undefined]);
    assert.deepEqual(await condition("ScalingUp"), ["False", undefined]);
  });

  test("are written to, and their set too, only when something has changed", async () => {
    await startWith();
    const before = world.requests.filter(isWrite).length;
    await world.pass(3_600_000 / 10);
    const cluster = world.client.for(Cluster).in(NAMESPACE);
    await cluster.patch("c", { metadata: { annotations: { irrelevant: "x" } } });
    await world.pass(1000);
    assert.deepEqual(world.requests.filter(isWrite).slice(before), []);
  });

  test("go in the order of what is wanted of them: asked for, unhealthy, then the policy", async () => {
    const [a, b, c] = await startWith({ deletion: { order: "Oldest" } });
    const machines = world.client.for(Machine).in(NAMESPACE);
    await machines.patch(c!, { metadata: { annotations: { "cluster.x-k8s.io/delete-machine": "" } } });
    await tell(world, b!, {}, { type: "NodeHealthy", status: "False", reason: "X", message: "no" });
    await sets().patch("s", { spec: { replicas: 2 } });
    await world.pass(1000);
    assert.deepEqual(await remaining(), [a, b], "one that is being deleted counts until it is gone");
    await world.pass(60_000);
    assert.deepEqual(await remaining(), [a, b]);
    assert.deepEqual(await condition("ScalingDown"), ["True", "Scaling down from 3 to 2 replicas"]);
    await settleMachines(world);
    await sets().patch("s", { spec: { replicas: 1 } });
    await world.pass(1000);
    assert.deepEqual(await remaining(), [a]);
  });

  test("get labels, annotations and fields of the template without being replaced, and lose what it drops", async () => {
    const labels = { pool: "a", old: "x" };
    const [name = ""] = await startWith({
      replicas: 1,
      selector: { matchLabels: { pool: "a" } },
      template: { ...machineTemplate(), metadata: { labels } },
    });
    const machines = world.client.for(Machine).in(NAMESPACE);
    await machines.patch(name, { metadata: { labels: { mine: "kept" } } });
    const metadata = { labels: { old: null, fresh: "y" }, annotations: { note: "z" } };
    const spec = {
      minReadySeconds: 5,
      taints: [{ key: "k", effect: "NoSchedule", propagation: "Always" }],
      deletion: { nodeDrainTimeoutSeconds: 60 },
    };
    await sets().patch("s", { spec: { template: { metadata, spec } } });
    await world.pass(2000);
    const machine = await machines.get(name);
    const { fresh, mine, old } = machine.metadata.labels as Record<string, string>;
    assert.deepEqual([fresh, mine, old, machine.metadata.annotations?.["note"]], ["y", "kept", undefined, "z"]);
    assert.deepEqual(machine.spec?.deletion, { nodeDrainTimeoutSeconds: 60, nodeDeletionTimeoutSeconds: 10 });
    assert.deepEqual([machine.spec?.minReadySeconds, machine.spec?.taints], [5, spec.taints]);
    const { metadata: metal } = await world.client.for(MetalMachine).in(NAMESPACE).get(name);
    assert.deepEqual([metal.labels?.["fresh"], metal.labels?.["old"], metal.annotations?.["note"]], ["y", undefined, "z"]);
    await sets().patch("s", { spec: { template: { spec: { minReadySeconds: null, taints: null, deletion: null } } } });
    await world.pass(2000);
    const { spec: after } = await machines.get(name);
    assert.deepEqual(
      [after?.minReadySeconds, after?.taints, after?.deletion],
      [undefined, undefined, { nodeDeletionTimeoutSeconds: 10 }],
    );
  });

  test("that a health check has given up are replaced", async () => {
    const [sick = ""] = await startWith({ replicas: 2 });
    const marks = [
      { type: "HealthCheckSucceeded", status: "False", reason: "UnhealthyNode" },
      { type: "OwnerRemediated", status: "False", reason: "WaitingForRemediation" },
    ] as const;
    await tell(world, sick, {}, ...marks);
    await world.pass(1000);
    const machine = await world.client.for(Machine).in(NAMESPACE).get(sick);
    assert.ok(machine.metadata.deletionTimestamp !== undefined);
    assert.equal(findCondition(machine.status?.conditions ?? [], "OwnerRemediated")?.reason, "MachineDeleting");
    assert.equal((await condition("Remediating"))[0], "True");
    await settleMachines(world);
    await world.pass(1000);
    const names = await remaining();
    assert.deepEqual([names.length, names.includes(sick)], [2, false]);
    assert.equal((await condition("Remediating"))[0], "False");
  });

  test("that nobody controls are adopted", async () => {
    await addTemplates(world);
    const spec = {
      clusterName: "c",
      bootstrap: { dataSecretName: "x" },
      infrastructureRef: { apiGroup: "i.x", kind: "M", name: "m" },
    };
    await world.client.for(Machine).create({ metadata: { name: "m", namespace: NAMESPACE, labels: { pool: "a" } }, spec });
    await addSet({
      replicas: 1,
      selector: { matchLabels: { pool: "a" } },
      template: { ...machineTemplate(), metadata: { labels: { pool: "a" } } },
    });
    start();
    await world.pass(2000);
    const machines = await machinesOf(world);
    assert.deepEqual(
      machines.map(({ metadata }) => [metadata.name, metadata.ownerReferences?.[0]?.name]),
      [["m", "s"]],
    );
  });

  test("go with their set, which stays until they are gone", async () => {
    await startWith({ replicas: 2 });
    await sets().delete("s");
    await world.pass(1000);
    assert.deepEqual(await remaining(), []);
    assert.equal((await condition("Deleting"))[0], "True");
    await settleMachines(world);
    await world.pass(1000);
    await assert.rejects(sets().get("s"), /not found/);
  });

  test("stay when it is deleted without them", async () => {
    await startWith({ replicas: 2 });
    const before = await remaining();
    await sets().delete("s", { propagationPolicy: "Orphan" });
    await world.pass(1000);
    await assert.rejects(sets().get("s"), /not found/);
    assert.deepEqual([before.length, await remaining()], [2, before]);
  });

  test("stay when nobody controls them any more: the garbage collector may be faster", async () => {
    const { bootstrap: _, ...spec } = machineTemplate().spec;
    const machine = {
      ...spec,
      bootstrap: { dataSecretName: "x" },
      infrastructureRef: { ...spec.infrastructureRef, kind: "MetalMachine" },
    };
    await world.client
      .for(Machine)
      .create({ metadata: { name: "m", namespace: NAMESPACE, labels: { pool: "a" } }, spec: machine });
    const template = { ...machineTemplate(), metadata: { labels: { pool: "a" } } };
    await addSet({ replicas: 1, selector: { matchLabels: { pool: "a" } }, template }, { finalizers: [MACHINE_SET_FINALIZER] });
    await sets().delete("s");
    start();
    await world.pass(2000);
    await assert.rejects(sets().get("s"), /not found/);
    assert.deepEqual(
      (await machinesOf(world)).map(({ metadata }) => [metadata.name, metadata.deletionTimestamp]),
      [["m", undefined]],
    );
  });

  test("are left alone under pause", async () => {
    await startWith({ replicas: 2 });
    await world.client
      .for(Cluster)
      .in(NAMESPACE)
      .patch("c", { spec: { paused: true } });
    await world.pass(1000);
    assert.deepEqual(await condition("Paused"), ["True", "Cluster spec.paused is set to true"]);
    await sets().patch("s", { spec: { replicas: 0 } });
    await world.pass(1000);
    assert.equal((await remaining()).length, 2);
    await world.client
      .for(Cluster)
      .in(NAMESPACE)
      .patch("c", { spec: { paused: false } });
    await world.pass(1000);
    assert.deepEqual(await remaining(), []);
  });
});
