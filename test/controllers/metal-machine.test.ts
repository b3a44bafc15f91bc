/** MetalMachines on an API server in this process, under a virtual clock: allocation, what is told, release, and what must never happen. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createMetalMachineController } from "#controllers/metal-machine/controller.ts";
import { PAUSED } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { isWrite, startWorld, type World } from "../kube/world.ts";
import { Site } from "./infrastructure.ts";

let world: World;
let site: Site;
const any = { serverClassRef: { name: "any" } };
const run = () => world.run(createMetalMachineController({ clock: world.clock }));
const isGone = (promise: Promise<unknown>) => assert.rejects(promise, { code: "api.not-found" });
const machines = () => world.client.for(MetalMachine).in("default");

beforeEach(async () => {
  world = await startWorld();
  site = new Site(world.client);
  await site.addClass("any");
  await site.addCluster("c");
});
afterEach(() => world.stop());

describe("allocation", () => {
  test("a Machine gets a Server of its class; ready once it is installed; and then nothing is written", async () => {
    await site.addServer("s1");
    await site.addMachine("m", { spec: any, labels: { mine: "too" } });
    run();
    await world.pass(1000);
    const { metadata, spec } = await site.machine("m");
    assert.deepEqual(metadata.finalizers, ["metalmachine.infrastructure.cluster.x-k8s.io"]);
    assert.deepEqual(spec, { ...any, serverRef: { kind: "Server", name: "s1" }, providerID: "sidero://s1" });
    const [binding] = await site.bindings();
    assert.equal(binding?.metadata.name, "s1");
    assert.deepEqual(binding?.metadata.labels, metadata.labels);
    const { apiVersion, kind } = await site.machine("m");
    const reference = { apiVersion, kind, namespace: "default", name: "m", uid: metadata.uid };
    assert.deepEqual(binding?.spec, { serverClassRef: { name: "any" }, metalMachineRef: reference });
    assert.deepEqual(
      [(await site.machine("m")).status?.ready, (await site.condition("m", "ServerAllocated"))?.status],
      [false, "True"],
    );
    assert.equal((await site.condition("m", "Ready"))?.reason, "WaitingForInstallation");

    await site.install("s1");
    await world.pass(1000);
    const { status } = await site.machine("m");
    assert.deepEqual([status?.ready, status?.initialization], [true, { provisioned: true }]);
    assert.deepEqual(status?.addresses, [
      { type: "InternalIP", address: "10.5.0.7" },
      { type: "Hostname", address: "node" },
    ]);
    assert.equal((await site.condition("m", "Ready"))?.status, "True");
    assert.equal((await site.condition("m", "TalosInstalled"))?.lastTransitionTime, "2026-01-01T00:00:00Z");

    const { length } = world.requests.filter(isWrite);
    await world.client.for(Server).patch("s1", { metadata: { labels: { x: "y" } } });
    await world.client
      .for(Cluster)
      .in("default")
      .patch("c", { metadata: { labels: { x: "y" } } });
    await world.pass(600_000);
    assert.equal(world.requests.filter(isWrite).length, length);
  });

  test("it waits for its Machine's configuration and its Cluster's infrastructure, and says so", async () => {
    await site.addServer("s1");
    await site.addCluster("late", { isProvisioned: false });
    await site.addMachine("m", { spec: any, cluster: "late", data: null });
    run();
    await world.pass(500);
    assert.equal((await site.condition("m", "Ready"))?.reason, "WaitingForClusterInfrastructureReady");
    const clusters = world.client.for(Cluster).in("default");
    const cluster = await clusters.get("late");
    await clusters.update(
      { ...cluster, status: { initialization: { infrastructureProvisioned: true } } },
      { subresource: "status" },
    );
    await world.pass(500);
    assert.equal((await site.condition("m", "Ready"))?.reason, "WaitingForBootstrapData");
    assert.deepEqual(await site.bindings(), []);
    await world.client
      .for(Machine)
      .in("default")
      .patch("m", { spec: { bootstrap: { dataSecretName: "data" } } });
    await world.pass(500);
    assert.equal((await site.bindings()).length, 1);
  });

  test("without a free Server it says how many there are and why each cannot be had, and takes the first that can", async () => {
    await site.addClass("east", { selector: { matchLabels: { zone: "east" } } });
    const zone = { labels: { zone: "east" } };
    await site.addServer("busy", { ...zone, status: { inUse: true, isClean: false } });
    await site.addServer("dirty", { ...zone, status: { isClean: false, phase: "Wiping" } });
    await site.addServer("cordoned", { ...zone, spec: { cordoned: true } });
    await site.addServer("stranger", { ...zone, spec: { accepted: false } });
    await site.addServer("mute", { ...zone, status: { bmc: { way: "bmc", breaker: "open" } } });
    await site.addServer("west");
    await site.addMachine("m", { spec: { serverClassRef: { name: "east" } } });
    run();
    await world.pass(1000);
    const said = await site.condition("m", "ServerAllocated");
    assert.deepEqual([said?.status, said?.reason, said?.severity], ["False", "NoServersAvailable", "Warning"]);
    assert.equal(
      said?.message,
      "5 of 6 Servers match ServerClass east: 1 in use, 1 not accepted, 1 cordoned, 1 not clean (yet), 1 whose BMC does not answer",
    );
    await site.setServer("dirty", { isClean: true, phase: "Available" });
    await world.pass(1000);
    assert.equal((await site.machine("m")).spec?.serverRef?.name, "dirty");
  });

  test("a class that is not there, and a spec that names nothing", async () => {
    await site.addServer("s1");
    await site.addMachine("m", { spec: { serverClassRef: { name: "later" } } });
    await site.addMachine("n");
    run();
    await world.pass(1000);
    assert.equal((await site.condition("m", "Ready"))?.reason, "ServerClassNotFound");
    const { status } = await site.machine("n");
    assert.deepEqual(
      [status?.failureReason, status?.failureMessage],
      ["InvalidConfiguration", "neither spec.serverRef nor spec.serverClassRef is set"],
    );
    await site.addClass("later");
    await machines().patch("n", { spec: { serverRef: { name: "s1" } } });
    await world.pass(1000);
    assert.equal((await site.bindings()).length, 1);
    assert.equal((await site.machine("n")).status?.failureReason, undefined);
  });

  test("machines of a control plane are spread over failure domains; a Machine's own word counts", async () => {
    for (const [name, zone] of Object.entries({ a1: "a", a2: "a", a3: "a", b1: "b", c1: "c", c2: "c" }))
      await site.addServer(name, { labels: { "topology.kubernetes.io/zone": zone } });
    const labels = { "cluster.x-k8s.io/control-plane": "" };
    run();
    for (const name of ["m1", "m2", "m3"]) await site.addMachine(name, { spec: any, labels });
    await site.addMachine("w", { spec: any, failureDomain: "c" });
    await site.addMachine("full", { spec: any, failureDomain: "b" });
    await world.pass(2000);
    const domains = await Promise.all(
      ["m1", "m2", "m3", "w"].map(async (name) => (await site.machine(name)).status?.failureDomain),
    );
    assert.deepEqual([domains.slice(0, 3).toSorted(), domains[3]], [["a", "b", "c"], "c"]);
    assert.equal(
      (await site.condition("full", "Ready"))?.message,
      "6 of 6 Servers match ServerClass any: 4 in use, 2 in other failure domains; one in failure domain b is wanted",
    );
  });
});

describe("a Server that is asked for by name", () => {
  test("is had once it can be, though cordoned, and nothing else is", async () => {
    await site.addServer("other");
    await site.addServer("mine", { spec: { cordoned: true }, status: { isClean: false } });
    await site.addMachine("m", { spec: { ...any, serverRef: { name: "mine" } } });
    await site.addMachine("n", { spec: { serverRef: { name: "nowhere" } } });
    run();
    await world.pass(1000);
    assert.equal((await site.condition("m", "Ready"))?.message, "Server mine, which spec.serverRef names, is not clean (yet)");
    assert.equal((await site.condition("n", "Ready"))?.reason, "ServerNotFound");
    assert.deepEqual(await site.bindings(), []);
    await site.setServer("mine", { isClean: true });
    await world.pass(1000);
    const [binding, ...others] = await site.bindings();
    assert.deepEqual([binding?.metadata.name, binding?.spec?.serverClassRef?.name, others], ["mine", "any", []]);
  });

  test("and held by somebody else is not shared, and deleting the one who asks does not free it", async () => {
    await site.addServer("s1");
    await site.addMachine("first", { spec: { serverRef: { name: "s1" } } });
    run();
    await world.pass(1000);
    await site.addMachine("second", { spec: { serverRef: { name: "s1" } } });
    await world.pass(1000);
    const { status } = await site.machine("second");
    assert.equal(status?.ready, undefined);
    assert.equal((await site.condition("second", "Ready"))?.message, "Server s1, which spec.serverRef names, is in use");
    await machines().delete("second");
    await world.pass(1000);
    await isGone(site.machine("second"));
    assert.equal((await site.bindings())[0]?.spec?.metalMachineRef.name, "first");
  });

  test("is not given to machines that only want one of its class", async () => {
    await site.addServer("s1", { status: { isClean: false } });
    await site.addMachine("named", { spec: { serverRef: { name: "s1" } } });
    await site.addMachine("any", { spec: any });
    run();
    await world.pass(1000);
    await site.setServer("s1", { isClean: true });
    await world.pass(1000);
    assert.deepEqual(
      (await site.bindings()).map(({ spec }) => spec?.metalMachineRef.name),
      ["named"],
    );
  });
});

describe("release", () => {
  test("deleting a MetalMachine releases its Server, whatever else is missing", async () => {
    await site.addServer("s1");
    await site.addMachine("m", { spec: any });
    run();
    await world.pass(1000);
    await world.client.for(Machine).in("default").delete("m");
    await world.client.for(Cluster).in("default").delete("c");
    await machines().delete("m");
    await world.pass(1000);
    assert.deepEqual(await site.bindings(), []);
    await isGone(site.machine("m"));
  });

  test("is gone when what ran on its Server has stopped, or nobody can stop it", async () => {
    for (const [i, stops] of [true, false].entries()) {
      const [name, server] = [`m${i}`, `s${i}`];
      await site.addServer(server);
      await site.addMachine(name, { spec: any });
      if (i === 0) run();
      await world.pass(1000);
      await site.setServer(server, { phase: "Running", power: "on", isClean: false });
      await machines().delete(name);
      await world.pass(60_000);
      assert.deepEqual(await site.bindings(), []);
      assert.match((await site.condition(name, "Ready"))?.message ?? "", /is not known to have stopped yet/);
      if (stops) await site.setServer(server, { phase: "Wiping", power: "on", isClean: false });
      else await world.pass(14 * 60_000);
      await world.pass(1000);
      await isGone(site.machine(name));
    }
  });

  test("nothing is released while the Cluster, or the MetalMachine, is paused", async () => {
    await site.addServer("s1");
    await site.addMachine("m", { spec: any });
    run();
    await world.pass(1000);
    const clusters = world.client.for(Cluster).in("default");
    await clusters.patch("c", { spec: { paused: true } });
    await machines().delete("m");
    await world.pass(60_000);
    assert.equal((await site.bindings()).length, 1);
    assert.equal((await site.condition("m", "Paused"))?.message, "Cluster spec.paused is set to true");
    await machines().patch("m", { metadata: { annotations: { [PAUSED]: "" } } });
    await clusters.patch("c", { spec: { paused: false } });
    await world.pass(60_000);
    assert.equal((await site.bindings()).length, 1);
    await machines().patch("m", { metadata: { annotations: { [PAUSED]: null } } });
    await world.pass(1000);
    assert.deepEqual(await site.bindings(), []);
  });

  test("whose binding was taken away is told at once that its Server is lost, and gets no other", async () => {
    await site.addServer("s1");
    await site.addServer("s2");
    await site.addMachine("m", { spec: any });
    run();
    await world.pass(1000);
    await site.install("s1");
    await world.pass(1000);
    await world.client.for(ServerBinding).delete("s1");
    await world.pass(100);
    const { status } = await site.machine("m");
    assert.equal(status?.failureReason, "ServerReleased");
    assert.match(status?.failureMessage ?? "", /Server s1 was released from it/);
    assert.deepEqual([status?.ready, (await site.condition("m", "Ready"))?.status], [true, "False"]);
    await world.pass(60_000);
    assert.deepEqual(await site.bindings(), []);
    // And what it has lost, others can have.
    await site.addMachine("n", { spec: { serverRef: { name: "s1" } } });
    await machines().delete("m");
    await world.pass(1000);
    await isGone(site.machine("m"));
    assert.equal((await site.bindings())[0]?.spec?.metalMachineRef.name, "n");
  });
});

describe("what is lost comes back", () => {
  test("a serverRef that was taken away is put back from the binding (upstream's scenario 24)", async () => {
    await site.addServer("s1");
    await site.addServer("s2");
    await site.addMachine("m", { spec: any });
    run();
    await world.pass(1000);
    await machines().patch("m", { spec: { serverRef: null } });
    await world.pass(1000);
    assert.equal((await site.machine("m")).spec?.serverRef?.name, "s1");
    assert.equal((await site.bindings()).length, 1);
  });

  test("a binding gets back its class, and the uid that a move has changed", async () => {
    await site.addServer("s1");
    const spec = { ...any, serverRef: { kind: "Server", name: "s1" }, providerID: "sidero://s1" };
    await site.addServer("s0");
    await world.client.for(ServerBinding).create({
      metadata: { name: "s1" },
      spec: { metalMachineRef: { name: "m", namespace: "default", uid: "of-another-cluster" } },
    });
    const { metadata } = await site.addMachine("m", { spec });
    run();
    await world.pass(1000);
    const [binding, ...others] = await site.bindings();
    assert.deepEqual(others, []);
    assert.deepEqual([binding?.spec?.serverClassRef?.name, binding?.spec?.metalMachineRef.uid], ["any", metadata.uid]);
    assert.equal(binding?.metadata.labels?.["cluster.x-k8s.io/cluster-name"], "c");
  });

  test("moved without its binding it takes the same Server again, though that is not known to be clean", async () => {
    await site.addServer("s0");
    await site.addServer("s1", { status: { isClean: false, phase: "Held" } });
    const spec = { ...any, serverRef: { kind: "Server", name: "s1" }, providerID: "sidero://s1" };
    await site.addMachine("m", { spec });
    await world.client
      .for(Machine)
      .in("default")
      .patch("m", { spec: { providerID: "sidero://s1" } });
    run();
    await world.pass(1000);
    const [binding, ...others] = await site.bindings();
    assert.deepEqual([binding?.metadata.name, binding?.spec?.serverClassRef?.name, others], ["s1", "any", []]);
  });

  test("a new machine of an old one's name does not take over what that one has installed", async () => {
    await site.addServer("s0");
    await site.addServer("s1", { status: { inUse: true, isClean: false } });
    await world.client.for(ServerBinding).create({
      metadata: { name: "s1" },
      spec: { metalMachineRef: { name: "m", namespace: "default", uid: "gone" } },
    });
    await site.addMachine("m", { spec: any });
    run();
    await world.pass(1000);
    assert.equal((await site.machine("m")).spec?.serverRef?.name, "s0");
    await machines().delete("m");
    await world.pass(1000);
    assert.deepEqual(
      (await site.bindings()).map(({ metadata }) => metadata.name),
      ["s1"],
    );
  });

  test("what was picked and not taken before a crash is let go when somebody else has it", async () => {
    await site.addServer("s1", { status: { inUse: true, isClean: false } });
    await site.addServer("s2");
    await world.client
      .for(ServerBinding)
      .create({ metadata: { name: "s1" }, spec: { metalMachineRef: { name: "x", namespace: "default", uid: "x" } } });
    const { metadata } = await site.addMachine("m", { spec: { ...any, serverRef: { name: "s1" }, providerID: "sidero://s1" } });
    assert.ok(metadata.uid);
    await machines().patch("m", { metadata: { annotations: { "metal.sidero.dev/picked-server": "s1" } } });
    run();
    await world.pass(2000);
    assert.equal((await site.machine("m")).spec?.providerID, "sidero://s2");
  });
});

test("a machine that upstream had made stays ready, though nothing tells that it is installed", async () => {
  await site.addServer("s1", { status: { inUse: true, isClean: false } });
  const spec = { ...any, serverRef: { kind: "Server", name: "s1" }, providerID: "sidero://s1" };
  const made = await site.addMachine("m", { spec });
  await machines().update({ ...made, status: { ready: true } }, { subresource: "status" });
  const metalMachineRef = { name: "m", namespace: "default", uid: made.metadata.uid ?? "" };
  await world.client.for(ServerBinding).create({ metadata: { name: "s1" }, spec: { metalMachineRef } });
  run();
  await world.pass(1000);
  const { status } = await site.machine("m");
  assert.deepEqual([status?.ready, status?.initialization?.provisioned], [true, true]);
  await world.client.for(ServerBinding).delete("s1");
  await world.pass(1000);
  assert.equal((await site.machine("m")).status?.failureReason, "ServerReleased");
});

test("a Server that is cordoned while it is being picked is not taken", async () => {
  await site.addServer("s1");
  await site.addServer("s2");
  await site.addMachine("m", { spec: any, data: null });
  run();
  await world.pass(1000);
  await world.client
    .for(Machine)
    .in("default")
    .patch("m", { spec: { bootstrap: { dataSecretName: "data" } } });
  await world.client.for(Server).patch("s1", { spec: { cordoned: true } });
  await world.pass(1000);
  assert.deepEqual(
    (await site.bindings()).map(({ metadata }) => metadata.name),
    ["s2"],
  );
});

test("a class whose rules change is read anew", async () => {
  await site.addServer("s1", { labels: { zone: "west" } });
  await site.addClass("east", { selector: { matchLabels: { zone: "east" } } });
  await site.addMachine("m", { spec: { serverClassRef: { name: "east" } } });
  run();
  await world.pass(1000);
  assert.equal((await site.condition("m", "Ready"))?.message, "none of 1 Servers matches ServerClass east");
  await world.client.for(ServerClass).patch("east", { spec: { selector: { matchLabels: { zone: "west" } } } });
  await world.pass(1000);
  assert.equal((await site.bindings()).length, 1);
});
