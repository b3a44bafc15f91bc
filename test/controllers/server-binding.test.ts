/** ServerBinding ready, on an API server in this process. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createServerBindingController } from "#controllers/server-binding/controller.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { KubeEvent } from "#kube/events.ts";
import { isWrite, startWorld } from "../kube/world.ts";

test("a binding is ready exactly while its Server exists, and told of other changes it writes nothing", async () => {
  const world = await startWorld();
  world.run(createServerBindingController());
  const [servers, bindings] = [world.client.for(Server), world.client.for(ServerBinding)];
  const ready = async (): Promise<boolean | undefined> => {
    await world.pass(200);
    return (await bindings.get("s1")).status?.ready;
  };
  await bindings.create({ metadata: { name: "s1" }, spec: { metalMachineRef: { name: "m", namespace: "default" } } });
  assert.equal(await ready(), false);
  await servers.create({ metadata: { name: "s1" }, spec: { accepted: true } });
  assert.equal(await ready(), true);
  const { length } = world.requests.filter(isWrite);
  await servers.patch("s1", { spec: { cordoned: true } });
  await servers.create({ metadata: { name: "other" }, spec: { accepted: true } });
  assert.equal(await ready(), true);
  assert.equal(world.requests.filter(isWrite).length, length);
  await servers.delete("s1");
  assert.equal(await ready(), false);
  await world.stop();
});

test("a binding whose MetalMachine is gone is told of, never taken away, and not while its cluster is paused", async () => {
  const world = await startWorld();
  const paused = new Set(["moving"]);
  world.run(createServerBindingController({ isPaused: (_namespace, name) => paused.has(name) }));
  const bindings = world.client.for(ServerBinding);
  const machine = await world.client.for(MetalMachine).create({ metadata: { name: "m", namespace: "default" }, spec: {} });
  for (const [name, cluster, holder] of [
    ["held", "c", "m"],
    ["orphan", "c", "gone"],
    ["moved", "moving", "gone"],
  ] as const)
    await bindings.create({
      metadata: { name, labels: { "cluster.x-k8s.io/cluster-name": cluster } },
      spec: { metalMachineRef: { name: holder, namespace: "default" } },
    });
  const told = async () => {
    await world.pass(1000);
    const { items } = await world.client.for(KubeEvent).in("default").list();
    return items.filter(({ reason }) => reason === "Orphaned").map(({ involvedObject }) => involvedObject.name);
  };
  assert.deepEqual(await told(), ["orphan"]);
  await world.client
    .for(MetalMachine)
    .in("default")
    .delete(machine.metadata.name ?? "");
  assert.deepEqual((await told()).toSorted(), ["held", "orphan"]);
  assert.equal((await bindings.listAll()).items.length, 3);
  await world.stop();
});
