/** The life of Servers on an API server in this process, with BMCs and agents that are made up. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createServerClassController } from "#controllers/server-class/controller.ts";
import { FINALIZER } from "#controllers/server/controller.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { REQUEST_ANNOTATION, Server } from "#kinds/metal/v1alpha2/server.ts";
import { KubeEvent } from "#kube/events.ts";
import type { Metrics } from "#kube/metrics.ts";
import { isNotFound } from "#kube/status.ts";
import { isWrite, startWorld, type World, type WorldOptions } from "../kube/world.ts";
import { binding, Machines, report, wipe } from "./machines.ts";

let world: World;
let machines: Machines;
afterEach(() => world.stop());

async function start(options: WorldOptions = {}): Promise<void> {
  world = await startWorld(options);
  machines = new Machines(world);
}

const servers = (): ReturnType<typeof world.client.for<Server>> => world.client.for(Server);
const server = (name = "a"): Promise<Server> => servers().get(name);
const register = (name = "a"): Promise<Server> => servers().create({ metadata: { name }, spec: { accepted: false } });
const accept = (name = "a"): Promise<Server> => servers().patch(name, { spec: { accepted: true } });
const phase = async (name = "a"): Promise<string | undefined> => (await server(name)).status?.phase;
const request = (what: string, name = "a"): Promise<Server> =>
  servers().patch(name, { metadata: { annotations: { [REQUEST_ANNOTATION]: what } } });

async function told(): Promise<string[]> {
  await world.pass(500);
  return (await world.client.for(KubeEvent).in("default").list()).items.map(
    ({ type, reason, message }) => `${type} ${reason}: ${message}`,
  );
}

/** Brings it to clean and off. */
async function clean(name = "a"): Promise<void> {
  await register(name);
  machines.connect(name);
  await world.pass(300);
  await accept(name);
  await world.pass(300);
  assert.equal(await wipe(world, name), true);
  await world.pass(3000);
  const { status } = await server(name);
  assert.deepEqual([status?.phase, status?.power, status?.isClean], ["Available", "off", true]);
}

test("from registration to clean and off: each step on record, each told", async () => {
  await start();
  const a = machines.add("a");
  machines.start();
  await register();
  machines.connect("a");
  await world.pass(300);
  const discovered = await server();
  assert.deepEqual(discovered.metadata.finalizers, [FINALIZER]);
  assert.deepEqual([discovered.status?.phase, discovered.status?.isClean, discovered.status?.power], ["Discovered", false, "on"]);
  assert.equal(machines.followed.has("a"), false, "nobody speaks to the BMC of a machine that is not accepted");

  await accept();
  await world.pass(300);
  const { status } = await server();
  assert.deepEqual(
    [status?.phase, status?.wipe?.by, status?.wipe?.state, status?.waiting?.reason],
    ["Wiping", "acceptance", "ordered", "AgentToBegin"],
  );
  assert.ok(status?.waiting?.deadline !== undefined);
  assert.equal(machines.followed.has("a"), true);
  assert.equal(await wipe(world, "a"), true);
  await world.pass(3000);
  const after = (await server()).status;
  assert.deepEqual(
    [after?.phase, after?.isClean, after?.ready, after?.power, after?.waiting],
    ["Available", true, true, "off", undefined],
  );
  assert.deepEqual(a.done, ["agent:wipe", "agent:powerOff", "off"]);
  assert.deepEqual(
    after?.conditions?.map(({ type, status: value }) => [type, value]),
    [["PowerCycle", "True"]],
  );
  const events = await told();
  assert.ok(
    events.some((line) => line.startsWith("Normal Server Wipe: Server is to be wiped: accepted")),
    events.join("\n"),
  );
  assert.ok(events.includes("Normal Server Management: Server powered off."), events.join("\n"));
});

test("upstream's scenarios 5 and 6: Servers made by hand are accepted, listed, cordoned and deleted", async () => {
  await start();
  machines.start();
  world.run(createServerClassController());
  const names = ["dummyserver-0", "dummyserver-1", "dummyserver-2"];
  for (const name of names) {
    machines.add(name, { way: "none" });
    await register(name);
    await servers().patch(name, { status: { isClean: true, ready: true } }, { subresource: "status" });
  }
  await world.pass(500);
  for (const name of names) assert.equal((await server(name)).spec?.accepted, false);
  for (const name of names) await accept(name);
  const available = async (): Promise<string[] | undefined> => {
    await world.pass(1000);
    return (await world.client.for(ServerClass).get("any")).status?.serversAvailable;
  };
  assert.deepEqual(await available(), names);
  await servers().patch(names[1]!, { spec: { cordoned: true } });
  assert.deepEqual(await available(), [names[0], names[2]]);
  await servers().patch(names[1]!, { spec: { cordoned: false } });
  assert.deepEqual(await available(), names);
  await world.pass(60_000);
  const { status } = await server(names[0]);
  assert.deepEqual([status?.isClean, status?.waiting?.reason], [false, "PersonNeeded"], "there is nobody who could wipe it");
  for (const name of names) await servers().delete(name);
  await world.pass(500);
  for (const name of names) await assert.rejects(server(name), isNotFound);
});

test("upstream's scenarios 7 and 8: machines that are off are booted into the agent, wiped and ready", async () => {
  await start();
  const a = machines.add("a");
  machines.start();
  await register();
  await world.pass(300);
  await accept();
  await world.pass(2000);
  assert.deepEqual(a.done, ["pxe+on"]);
  assert.equal((await server()).status?.waiting?.reason, "AgentBooting");
  await world.pass(30_000);
  machines.connect("a");
  await world.pass(300);
  assert.equal(await wipe(world, "a"), true);
  await world.pass(3000);
  const { status } = await server();
  assert.deepEqual([status?.ready, status?.isClean, status?.power], [true, true, "off"]);
  assert.ok(Math.abs((status?.bootSeconds ?? 0) - 32) < 3);
});

test("an agent of upstream's says when it begins and ends; it is switched off afterwards", async () => {
  await start();
  const a = machines.add("a");
  machines.start();
  await register();
  await world.pass(300);
  await accept();
  await world.pass(2000);
  assert.equal(await wipe(world, "a"), true);
  await world.pass(3000);
  assert.deepEqual(a.done, ["pxe+on", "off"]);
  assert.equal((await server()).status?.isClean, true);
});

test("allocated, installed, released and wiped again", async () => {
  await start();
  const a = machines.add("a");
  machines.start();
  await clean();
  a.done.length = 0;
  const bindings = world.client.for(ServerBinding);
  await servers().patch("a", { metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Secret", name: "x", uid: "x" }] } });
  await bindings.create(binding("a"));
  await world.pass(2000);
  const held = await server();
  assert.deepEqual(a.done, ["pxe+on"]);
  assert.deepEqual(
    [held.status?.phase, held.status?.inUse, held.status?.isClean, held.metadata.ownerReferences],
    ["Allocated", true, false, undefined],
  );
  assert.deepEqual([held.status?.allocation?.metalMachine, held.status?.allocation?.cluster], ["machine-a", "c1"]);

  const installed = { type: "TalosInstalled", status: "True", lastTransitionTime: "2030-01-01T00:00:00Z" } as const;
  await bindings.patch("a", { status: { conditions: [installed] } }, { subresource: "status" });
  await world.pass(300);
  assert.equal(await phase(), "Running");
  await servers().delete("a");
  await world.pass(10_000);
  const { status } = await server();
  assert.deepEqual([status?.phase, status?.waiting?.reason], ["Deleting", "Allocated"], "scenario 14: it is still there");
  assert.match(status!.waiting!.waitingFor, /MetalMachine default\/machine-a of cluster c1/);
  await bindings.delete("a");
  await world.pass(500);
  await assert.rejects(server(), isNotFound);
});

test("a release is wiped only when the binding is really gone, and its cluster not paused", async () => {
  await start({ lag: 2000 });
  const a = machines.add("a");
  machines.start();
  await register();
  machines.connect("a");
  await world.pass(6000);
  await accept();
  await world.pass(10_000);
  assert.equal(await wipe(world, "a"), true);
  await world.pass(20_000);
  const bindings = world.client.for(ServerBinding);
  await bindings.create(binding("a"));
  await world.pass(20_000);
  const { status } = await server();
  assert.equal(status?.inUse, true);
  a.done.length = 0;
  // The cache shows it gone for a while; it is there.
  await bindings.delete("a");
  await world.pass(1900);
  await bindings.create(binding("a"));
  await world.pass(60_000);
  const kept = (await server()).status;
  assert.deepEqual([kept?.wipe?.id, kept?.inUse, a.done], [status?.wipe?.id, true, []]);

  machines.paused.add("default/c1");
  await bindings.delete("a");
  await world.pass(60_000);
  const paused = (await server()).status;
  assert.deepEqual([paused?.phase, paused?.wipe?.id, paused?.allocation !== undefined], ["Paused", status?.wipe?.id, true]);
  machines.paused.clear();
  machines.tell("a");
  await world.pass(20_000);
  const released = (await server()).status;
  assert.deepEqual([released?.wipe?.by, released?.allocation], ["release", undefined]);
});

test("clusterctl move: at the source everything goes while the cluster is paused, and the machine runs on", async () => {
  await start();
  const a = machines.add("a");
  machines.start();
  await register();
  machines.connect("a");
  await world.pass(6000);
  await accept();
  await world.pass(10_000);
  assert.equal(await wipe(world, "a"), true);
  await world.pass(20_000);
  const bindings = world.client.for(ServerBinding);
  await bindings.create(binding("a"));
  await world.pass(20_000);
  const before = (await server()).status!;
  a.done.length = 0;
  machines.paused.add("default/c1");
  machines.tell("a");
  await world.pass(5000);
  await bindings.delete("a");
  await world.pass(5000);
  machines.paused.clear();
  machines.gone.add("default/c1");
  machines.tell("a");
  await world.pass(3_600_000);
  const { status } = await server();
  assert.deepEqual([status?.phase, status?.wipe?.id, status?.isClean, a.done], ["Held", before.wipe!.id, false, []]);
});

test("a Server that came from another cluster is held, whatever runs on it goes on; a request says that it may be wiped", async () => {
  await start();
  const a = machines.add("a", { power: "on" });
  machines.start();
  await servers().create({ metadata: { name: "a" }, spec: { accepted: true } });
  await world.pass(3_600_000);
  const { status } = await server();
  assert.deepEqual([status?.phase, status?.wipe, a.done], ["Held", undefined, []]);
  assert.match(status!.waiting!.remedy!, /request="wipe/);
  await request("wipe 1");
  await world.pass(2000);
  const after = (await server()).status;
  assert.deepEqual([after?.wipe?.by, after?.request?.outcome, a.done], ["request", "ordered", ["pxe+cycle"]]);
});

test("what upstream has left on record is taken over, and nothing is wiped for it", async () => {
  await start();
  const left = {
    clean: { isClean: true, ready: true },
    used: {
      inUse: true,
      ready: true,
      conditions: [{ type: "PXEBooted", status: "True", lastTransitionTime: "2030-01-01T00:00:00Z" }],
    },
    wiping: {
      isClean: false,
      conditions: [{ type: "PowerCycle", status: "False", reason: "InProgress", lastTransitionTime: "2030-01-01T00:00:00Z" }],
    },
    lost: { inUse: true, isClean: false },
  };
  for (const [name, status] of Object.entries(left)) {
    machines.add(name, { power: "on" });
    await servers().create({ metadata: { name }, spec: { accepted: true } });
    await servers().patch(name, { status }, { subresource: "status" });
  }
  await world.client.for(ServerBinding).create(binding("used"));
  machines.start();
  await world.pass(3_600_000);
  const phases = await Promise.all(Object.keys(left).map((name) => phase(name)));
  assert.deepEqual(phases, ["Available", "Running", "Held", "Held"]);
  assert.deepEqual(
    Object.keys(left).map((name) => machines.all.get(name)!.done),
    [["off"], [], [], []],
  );
});

test("adopted: it is never wiped, and switched by request only", async () => {
  await start();
  const a = machines.add("a", { power: "on" });
  machines.start();
  await servers().create({ metadata: { name: "a" }, spec: { accepted: true, adopt: true } });
  await world.pass(3_600_000);
  assert.deepEqual([await phase(), a.done], ["Adopted", []]);
  await request("wipe 1");
  await world.pass(500);
  assert.match((await server()).status!.request!.outcome, /^refused: the machine is adopted/);
  await request("power-off 2");
  await world.pass(60_000);
  const { status } = await server();
  assert.deepEqual([status?.request?.outcome, status?.power, a.done], ["done", "off", ["soft-off"]]);
  assert.ok((await told()).some((line) => line.startsWith('Warning Server Management: Request "wipe 1" refused')));
});

test("requests: what a person switches stays so until the annotation goes", async () => {
  await start();
  const a = machines.add("a");
  machines.start();
  await clean();
  a.done.length = 0;
  await request("power-on 1");
  await world.pass(3_600_000);
  assert.deepEqual([a.done, (await server()).status?.waiting?.reason], [["on"], "KeptOn"]);
  await servers().patch("a", { metadata: { annotations: { [REQUEST_ANNOTATION]: null } } });
  await world.pass(3000);
  assert.deepEqual([a.done, (await server()).status?.power], [["on", "off"], "off"]);
  await request("dance 1");
  await world.pass(500);
  assert.match((await server()).status!.request!.outcome, /^refused: there is no verb "dance"; there are wipe, reboot/);
  await request("identify 3");
  await world.pass(2000);
  assert.equal((await server()).status?.request?.outcome, "done");
});

test("a clean machine that somebody switches on is left for a while, then off again (Q14)", async () => {
  await start();
  const a = machines.add("a");
  machines.start();
  await clean();
  a.done.length = 0;
  a.power = "on";
  machines.tell("a");
  await world.pass(300);
  const { status } = await server();
  assert.deepEqual([status?.waiting?.reason, status?.ready, a.done], ["SwitchedOn", true, []]);
  await world.pass(601_000);
  assert.deepEqual(a.done, ["off"]);
});

test("a wipe that never ends is tried five times, ever more seldom, and then given up with a remedy; retry begins anew", async () => {
  await start();
  const a = machines.add("a");
  machines.start();
  await register();
  await world.pass(300);
  await accept();
  await world.pass(2 * 3_600_000);
  const { status } = await server();
  assert.deepEqual(
    [status?.phase, status?.waiting?.reason, status?.wipe?.state, status?.wipe?.attempts],
    ["Failed", "WipeFailed", "failed", 5],
  );
  assert.match(status!.waiting!.remedy!, /retry/);
  assert.equal(a.done.length, 5);
  await request("retry 1");
  await world.pass(2000);
  const anew = (await server()).status;
  assert.deepEqual(
    [anew?.phase, anew?.wipe?.state, anew?.wipe?.attempts, anew?.wipe?.id === status?.wipe?.id],
    ["Wiping", "ordered", 1, false],
  );
});

test("an agent that says a disk failed: the machine is started again, another boot tries", async () => {
  await start();
  const a = machines.add("a");
  machines.start();
  await register();
  machines.connect("a");
  await world.pass(300);
  await accept();
  await world.pass(300);
  const now = new Date(world.clock.now()).toISOString();
  await report(world, "a", (order) => ({ ...order, state: "started", startedAt: now, heardAt: now }));
  await report(world, "a", (order) => ({ ...order, state: "failed", detail: "sda: cannot be opened" }));
  await world.pass(300);
  const { status } = await server();
  assert.deepEqual([status?.phase, status?.waiting?.reason], ["Wiping", "WipeRetry"]);
  assert.match(status!.waiting!.waitingFor, /cannot be opened/);
  await world.pass(120_000);
  assert.deepEqual(a.done, ["agent:wipe", "pxe+cycle"]);
});

test("a binding that comes: an order that has not begun is withdrawn, one that has is waited for", async () => {
  await start();
  const a = machines.add("a");
  machines.start();
  await register();
  machines.connect("a");
  await world.pass(300);
  await accept();
  await world.pass(300);
  const bindings = world.client.for(ServerBinding);
  await bindings.create(binding("a"));
  await world.pass(2000);
  const { status } = await server();
  assert.deepEqual([status?.wipe?.state, status?.phase], ["withdrawn", "Allocated"]);
  assert.deepEqual(a.done, ["agent:wipe", "pxe+cycle"], "on in our agent, so sent on");
  await bindings.delete("a");
  await world.pass(2000);
  const now = new Date(world.clock.now()).toISOString();
  await report(world, "a", (order) => ({ ...order, state: "started", startedAt: now, heardAt: now }));
  await world.pass(300);
  await bindings.create(binding("a"));
  await world.pass(2000);
  assert.equal((await server()).status?.waiting?.reason, "WipeUnderWay");
  const { length } = a.done;
  await report(world, "a", (order) => ({ ...order, state: "done", finishedAt: now }));
  machines.connect("a");
  await world.pass(2000);
  assert.deepEqual(a.done.slice(length), ["pxe+cycle"]);
  assert.equal((await server()).status?.isClean, false);
});

test("steady: nothing is written, whatever is read", async () => {
  await start();
  machines.start();
  for (const name of ["a", "b"]) {
    machines.add(name);
    await clean(name);
  }
  await world.client.for(ServerBinding).create(binding("b"));
  await world.pass(3000);
  await world.pass(1000);
  const { length } = world.requests.filter(isWrite);
  for (let minute = 0; minute < 20; minute++) {
    for (const name of ["a", "b"]) machines.tell(name);
    await world.pass(30_000);
  }
  assert.deepEqual(world.requests.filter(isWrite).slice(length), []);
});

test("figures: machines by phase, wipes by how they ended, waits that are late", async () => {
  await start();
  const values = new Map<string, number>();
  const note = (name: string) => (labels: object, value: number) =>
    void values.set(`${name} ${Object.values(labels).join()}`.trim(), value);
  const metrics: Metrics = {
    counter: (name) => ({
      add: (labels) => note(name)(labels, (values.get(`${name} ${Object.values(labels).join()}`) ?? 0) + 1),
    }),
    gauge: (name) => ({ set: note(name) }),
    histogram: () => ({ observe: () => {} }),
  };
  machines.start(metrics);
  machines.add("a");
  machines.add("b");
  await clean();
  await register("b");
  await world.pass(300);
  assert.deepEqual(
    ["Available", "Discovered", "Wiping"].map((each) => values.get(`sidero_servers ${each}`)),
    [1, 1, 0],
  );
  assert.equal(values.get("sidero_wipes_total done"), 1);
  assert.equal(values.get("sidero_servers_overdue"), 0);
  await servers().delete("a");
  await world.pass(300);
  assert.equal(values.get("sidero_servers Available"), 0);
});
