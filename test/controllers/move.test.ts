/**
 * `clusterctl move` with a machine that runs: objects are made anew elsewhere with other uids and without their status, then taken away here with their finalizers.
 * At no point is the machine switched, wiped or given to somebody else, on either side.
 */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createMetalMachineController } from "#controllers/metal-machine/controller.ts";
import { DELETE_FOR_MOVE } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { KindRef } from "#kube/kind.ts";
import { isWrite, startWorld, type World } from "../kube/world.ts";
import type { KubeObject } from "#schema/meta.ts";
import { ownerReference, Site } from "./infrastructure.ts";
import { Machines, wipe } from "./machines.ts";

interface Place {
  readonly world: World;
  readonly site: Site;
  readonly machines: Machines;
}

let source: Place;
let target: Place;

async function place(): Promise<Place> {
  const world = await startWorld();
  const machines = new Machines(world);
  return { world, site: new Site(world.client), machines };
}

async function start({ world, machines }: Place): Promise<void> {
  machines.start();
  world.run(createMetalMachineController({ clock: world.clock }));
  await world.pass(2000);
}

/** A machine that runs a worker of cluster c, and another that is free. */
beforeEach(async () => {
  [source, target] = [await place(), await place()];
  const { world, site, machines } = source;
  await site.addClass("any");
  await site.addCluster("c");
  for (const name of ["s1", "s2"]) {
    machines.add(name);
    await world.client.for(Server).create({ metadata: { name }, spec: { accepted: false } });
  }
  await start(source);
  for (const name of ["s1", "s2"]) {
    await world.client.for(Server).patch(name, { spec: { accepted: true } });
    await world.pass(2000);
    machines.connect(name);
    assert.equal(await wipe(world, name), true);
    await world.pass(5000);
  }
  await site.addMachine("m", { spec: { serverClassRef: { name: "any" } } });
  await world.pass(5000);
  await site.install("s1");
  await world.client
    .for(Machine)
    .in("default")
    .patch("m", { spec: { providerID: "sidero://s1" } });
  await world.pass(5000);
  assert.equal((await site.machine("m")).status?.ready, true);
  assert.equal((await world.client.for(Server).get("s1")).status?.phase, "Running");
});
afterEach(async () => {
  await source.world.stop();
  await target.world.stop();
});

/** Minutes, not looked at closely. */
async function long(world: World, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    await world.clock.advance(59_000);
    await world.pass(1000);
  }
}

async function pause({ world, machines }: Place, paused: boolean): Promise<void> {
  if (paused) machines.paused.add("default/c");
  else machines.paused.delete("default/c");
  await world.client.for(Cluster).in("default").patch("c", { spec: { paused } });
  await world.pass(5000);
}

/** As clusterctl makes it there: without status and uid. */
async function copy<T extends KubeObject>(kind: KindRef<T>, name: string, namespace: string, owner?: KubeObject): Promise<T> {
  const original: KubeObject = await source.world.client.for(kind).in(namespace).get(name);
  const { labels, annotations, finalizers, name: same } = original.metadata;
  const owned = owner === undefined ? {} : { ownerReferences: [ownerReference(owner)] };
  const metadata = { name: same, ...(namespace && { namespace }), labels, annotations, finalizers, ...owned };
  const draft = { metadata: JSON.parse(JSON.stringify(metadata)) as T["metadata"], spec: original["spec"] };
  return await target.world.client.for(kind).create(draft as unknown as T);
}

async function takeAway(kind: KindRef, name: string): Promise<void> {
  const objects = source.world.client.for(kind).in("default");
  await objects.patch(name, { metadata: { annotations: { [DELETE_FOR_MOVE]: "" } } });
  await source.world.pass(100);
  await objects.delete(name);
  await source.world.pass(1000);
  await objects.patch(name, { metadata: { finalizers: [] } }).catch(() => {});
  await source.world.pass(1000);
}

async function move({ withBinding, whileRunning }: { withBinding: boolean; whileRunning: boolean }): Promise<void> {
  const { machines } = target;
  await pause(source, true);
  machines.paused.add("default/c");
  machines.add("s1", { power: "on" });
  machines.add("s2");
  if (whileRunning) await start(target);
  const settle = async (): Promise<void> => (whileRunning ? target.world.pass(2000) : undefined);
  await copy(ServerClass, "any", "");
  for (const name of ["s1", "s2"]) await copy(Server, name, "");
  await settle();
  if (withBinding) await copy(ServerBinding, "s1", "");
  await settle();
  const cluster = await copy(Cluster, "c", "default");
  await settle();
  const machine = await copy(Machine, "m", "default", cluster);
  await settle();
  await copy(MetalMachine, "m", "default", machine);
  await settle();
  await takeAway(MetalMachine, "m");
  await takeAway(Machine, "m");
  await takeAway(Cluster, "c");
  source.machines.gone.add("default/c");
  if (!whileRunning) await start(target);
  await pause(target, false);
  const clusters = target.world.client.for(Cluster).in("default");
  const moved = await clusters.get("c");
  await clusters.update({ ...moved, status: { initialization: { infrastructureProvisioned: true } } }, { subresource: "status" });
}

for (const withBinding of [true, false])
  for (const whileRunning of [true, false])
    describe(`its binding ${withBinding ? "moves along" : "is left behind"}, and Sidero ${whileRunning ? "runs there already" : "starts there later"}`, () => {
      test("the machine stays what it is", async () => {
        const before = [...source.machines.all.get("s1")!.done];
        await move({ withBinding, whileRunning });
        // Longer than a machine may take to boot.
        await long(source.world, 25);
        await long(target.world, 25);
        assert.deepEqual(source.machines.all.get("s1")!.done, before);
        assert.deepEqual([source.machines.all.get("s1")!.power, target.machines.all.get("s1")!.power], ["on", "on"]);
        assert.deepEqual(target.machines.all.get("s1")!.done, []);
        assert.deepEqual(
          (await source.site.bindings()).map(({ metadata }) => metadata.name),
          ["s1"],
        );

        const machine = await target.site.machine("m");
        const [binding, ...others] = await target.site.bindings();
        assert.deepEqual([binding?.metadata.name, others], ["s1", []]);
        const { metalMachineRef, serverClassRef } = binding?.spec ?? {};
        assert.deepEqual([metalMachineRef?.uid, serverClassRef?.name], [machine.metadata.uid, "any"]);
        assert.deepEqual([machine.spec?.serverRef?.name, machine.spec?.providerID], ["s1", "sidero://s1"]);
        assert.equal(machine.status?.failureReason, undefined);
        const { wipe: order, inUse } = (await target.world.client.for(Server).get("s1")).status ?? {};
        assert.deepEqual([order, inUse], [undefined, true]);
        const { length } = target.world.requests.filter(isWrite);
        await long(target.world, 25);
        assert.equal(target.world.requests.filter(isWrite).length, length);

        // And when it is deleted there at last, that releases it.
        await target.site.install("s1");
        await target.world.pass(1000);
        assert.equal((await target.site.machine("m")).status?.ready, true);
        await target.world.client.for(MetalMachine).in("default").delete("m");
        await target.world.pass(5000);
        assert.deepEqual(await target.site.bindings(), []);
        assert.equal((await target.world.client.for(Server).get("s1")).status?.wipe?.by, "release");
      });
    });
