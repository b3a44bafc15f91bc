/** MetalMachines and the life cycle of their Servers together: what is released is wiped before anybody else has it, whenever that happens. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createMetalMachineController } from "#controllers/metal-machine/controller.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server, type ServerPhase } from "#kinds/metal/v1alpha2/server.ts";
import { startWorld, type World } from "../kube/world.ts";
import { Site } from "./infrastructure.ts";
import { Machines, wipe } from "./machines.ts";

let world: World;
let site: Site;
let machines: Machines;
const spec = { serverClassRef: { name: "any" } };
const server = async () => (await world.client.for(Server).get("s1")).status;
const holders = async () => (await site.bindings()).map((binding) => binding.spec?.metalMachineRef.name);

/** One machine, clean and off, and two that want it: the first has it. */
beforeEach(async () => {
  world = await startWorld();
  site = new Site(world.client);
  machines = new Machines(world);
  machines.add("s1");
  machines.start();
  world.run(createMetalMachineController({ clock: world.clock }));
  await site.addClass("any");
  await site.addCluster("c");
  await world.client.for(Server).create({ metadata: { name: "s1" }, spec: { accepted: false } });
  await world.pass(1000);
  await world.client.for(Server).patch("s1", { spec: { accepted: true } });
  await world.pass(1000);
  await clean();
  await site.addMachine("first", { spec });
  await world.pass(1000);
  await site.addMachine("second", { spec });
  await world.pass(1000);
  assert.deepEqual([await holders(), (await server())?.phase], [["first"], "Allocated"]);
});
afterEach(() => world.stop());

async function clean(): Promise<void> {
  machines.connect("s1");
  await world.pass(1000);
  assert.equal(await wipe(world, "s1"), true);
  await world.pass(3000);
}

/** That the machine is that far. */
const stages: Record<string, [phase: ServerPhase, reach: () => Promise<unknown>]> = {
  "before it has booted": ["Allocated", async () => {}],
  "while it installs": ["Installing", () => world.client.for(ServerBinding).patch("s1", { spec: { addresses: ["10.5.0.7"] } })],
  "when it runs": ["Running", () => site.install("s1")],
};

for (const [when, [phase, reach]] of Object.entries(stages))
  for (const [how, release] of Object.entries({
    "its MetalMachine is deleted": () => world.client.for(MetalMachine).in("default").delete("first"),
    "its binding is taken away": () => world.client.for(ServerBinding).delete("s1"),
  }))
    describe(`${how} ${when}`, () => {
      test("it is wiped, and then the other's", async () => {
        await reach();
        await world.pass(2000);
        assert.equal((await server())?.phase, phase);
        await release();
        await world.pass(2000);
        assert.deepEqual([await holders(), (await server())?.isClean, (await server())?.wipe?.by], [[], false, "release"]);
        // However long that takes: a machine that may still be on its way up is left alone at first.
        await world.pass(240_000);
        assert.deepEqual(await holders(), []);
        assert.match((await site.condition("second", "Ready"))?.message ?? "", /1 not clean/);
        await clean();
        assert.deepEqual([await holders(), (await server())?.inUse], [["second"], true]);
        const boots = machines.all.get("s1")!.done.filter((what) => what.startsWith("pxe"));
        assert.equal(boots.length, 4, "wiped and booted for each of the two");
      });
    });

test("a Server that is deleted while it is held stays, and is told of; it goes with its machine", async () => {
  await site.install("s1");
  await world.client.for(Server).delete("s1");
  await world.pass(10_000);
  assert.deepEqual([await holders(), (await server())?.phase], [["first"], "Deleting"]);
  await world.client.for(MetalMachine).in("default").delete("first");
  await world.pass(2000);
  await assert.rejects(server(), { code: "api.not-found" });
  assert.deepEqual(await holders(), []);
});

test("a Server that is gone in spite of that is told of, and is well again when it is back", async () => {
  await site.install("s1");
  await world.pass(1000);
  await world.client.for(Server).delete("s1");
  await world.client.for(Server).patch("s1", { metadata: { finalizers: [] } });
  await world.pass(1000);
  const said = await site.condition("first", "Ready");
  assert.deepEqual([said?.status, said?.reason, (await site.machine("first")).status?.ready], ["False", "ServerNotFound", true]);
  await world.client.for(Server).create({ metadata: { name: "s1" }, spec: { accepted: true } });
  await world.pass(1000);
  assert.equal((await site.condition("first", "Ready"))?.status, "True");
  assert.deepEqual(await holders(), ["first"]);
});
