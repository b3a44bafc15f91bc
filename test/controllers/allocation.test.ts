/** Many MetalMachines race for many Servers: in one process, in several that all think they lead, and where there are too few. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createMetalMachineController } from "#controllers/metal-machine/controller.ts";
import { Pool } from "#controllers/metal-machine/pool.ts";
import { Pools } from "#controllers/metal-machine/pools.ts";
import { membershipOf } from "#decide/server-class.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { startWorld, type World } from "../kube/world.ts";
import { Site } from "./infrastructure.ts";

let world: World;
let site: Site;
afterEach(() => world.stop());

async function begin(servers: number, machines: number, options = {}): Promise<void> {
  world = await startWorld(options);
  site = new Site(world.client);
  await site.addClass("any", { qualifiers: {} });
  await site.addCluster("c");
  for (let i = 0; i < servers; i++) await site.addServer(`s${i}`, { labels: { "topology.kubernetes.io/zone": `z${i % 5}` } });
  for (let i = 0; i < machines; i++) await site.addMachine(`m${i}`, { spec: { serverClassRef: { name: "any" } } });
}

/** Fails unless every binding is of another machine, which says the same; how many there are. */
async function bound(): Promise<number> {
  const bindings = await site.bindings();
  const holders = bindings.map(({ spec }) => spec?.metalMachineRef.name ?? "");
  assert.equal(new Set(holders).size, holders.length, "no machine has two Servers");
  const machines = new Map((await world.client.for(MetalMachine).listAll()).items.map((each) => [each.metadata.name, each]));
  for (const { metadata, spec } of bindings)
    assert.equal(machines.get(spec?.metalMachineRef.name)?.spec?.serverRef?.name, metadata.name);
  return bindings.length;
}

const attempts = (): number =>
  world.requests.filter((line) => line.startsWith("POST ") && line.endsWith("/serverbindings")).length;

test("1,000 machines and 1,000 Servers: each gets one at the first attempt, and no Server is asked about more than once a state", async () => {
  await begin(1000, 1000);
  let questions = 0;
  const counting: typeof membershipOf = (name, spec) => {
    const membership = membershipOf(name, spec);
    return { ...membership, isMeant: (server) => (questions++, membership.isMeant(server)) };
  };
  const pools = new Pools((name, spec) => new Pool(name, spec, counting));
  world.run(createMetalMachineController({ clock: world.clock, pools, concurrency: 50 }));
  for (let i = 0; i < 60 && (await site.bindings()).length < 1000; i++) await world.pass(1000);
  await world.pass(1000);
  assert.deepEqual([await bound(), attempts(), questions], [1000, 1000, 1000]);
  const patches = world.requests.filter((line) => line.startsWith("PATCH ") && line.includes("/metalmachines/")).length;
  assert.equal(patches, 2000, "the finalizer, and what was picked");
});

test("three processes at once, each seeing the world a little late: each machine still gets one", async () => {
  await begin(150, 150, { lag: 20 });
  for (let i = 0; i < 3; i++) world.run(createMetalMachineController({ clock: world.clock }));
  for (let i = 0; i < 120 && (await site.bindings()).length < 150; i++) await world.pass(1000);
  await world.pass(60_000);
  assert.equal(await bound(), 150);
});

test("100 machines and 60 Servers, from two processes: 60 get one, 40 say why not; each Server that comes helps one", async () => {
  await begin(60, 100, { lag: 5 });
  for (let i = 0; i < 2; i++) world.run(createMetalMachineController({ clock: world.clock }));
  await world.pass(60_000);
  assert.equal(await bound(), 60);
  const reasons = async () => {
    const { items } = await world.client.for(MetalMachine).listAll();
    return items.flatMap(({ spec, status }) =>
      spec?.serverRef === undefined ? [status?.conditions?.find(({ type }) => type === "Ready")] : [],
    );
  };
  const waiting = await reasons();
  assert.equal(waiting.length, 40);
  assert.deepEqual([...new Set(waiting.map((said) => said?.reason))], ["NoServersAvailable"]);
  assert.deepEqual([...new Set(waiting.map((said) => said?.message))], ["60 of 60 Servers match ServerClass any: 60 in use"]);
  for (let i = 0; i < 5; i++) await site.addServer(`late${i}`);
  await world.pass(5000);
  assert.deepEqual([await bound(), (await reasons()).length], [65, 35]);
});
