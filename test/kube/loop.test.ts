/** The controller loop on an API server in this process: order, retries, finalizers, reads and writes. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { on, writing, type Controller } from "#kube/controller.ts";
import { KubeEvent } from "#kube/events.ts";
import type { Metrics } from "#kube/metrics.ts";
import { Runtime } from "#kube/runtime.ts";
import { Fault } from "#std/fault.ts";
import { broken, decide, FINALIZER, Hardware, Machine, machineController, machines } from "./machine.ts";
import { isWrite, startWorld, type World, type WorldOptions } from "./world.ts";

let world: World;
afterEach(() => world.stop());

const start = async (options: WorldOptions = {}): Promise<Hardware> => {
  world = await startWorld({ families: [machines], ...options });
  return new Hardware();
};
const create = (name: string, power = "on"): Promise<Machine> =>
  world.client.for(Machine).create({ metadata: { name, namespace: "default" }, spec: { power } });
const get = (name: string): Promise<Machine> => world.client.for(Machine).in("default").get(name);
const edit = (name: string, patch: object): Promise<Machine> =>
  world.client
    .for(Machine)
    .in("default")
    .patch(name, JSON.parse(JSON.stringify(patch)));
const writes = (): string[] =>
  world.requests.filter(isWrite).map((line) => line.replace("/apis/proof.example.org/v1/namespaces/default/machines/", ""));

/** Metrics as sums, by name and label values. */
function tally(): { metrics: Metrics; values: ReadonlyMap<string, number> } {
  const values = new Map<string, number>();
  const meter =
    (name: string) =>
    (labels: Readonly<Record<string, string>>, value = 1) => {
      const key = `${name} ${Object.values(labels).join(" ")}`;
      values.set(key, (values.get(key) ?? 0) + value);
    };
  const metrics: Metrics = {
    counter: (name) => ({ add: meter(name) }),
    gauge: (name) => ({ set: meter(name) }),
    histogram: (name) => ({ observe: (labels) => meter(name)(labels) }),
  };
  return { metrics, values };
}

test("order: finalizer, intent, effects, status; then nothing more", async () => {
  const hardware = await start();
  hardware.onStep = async (step, when) => {
    if (when === "before") world.requests.push(`STEP ${step.do}`);
    const { metadata, status } = await get("a");
    assert.equal(status?.operation?.id, step.id);
    assert.deepEqual(metadata.finalizers, [FINALIZER]);
  };
  world.run(machineController(hardware));
  await create("a");
  await world.pass(500);
  assert.deepEqual(writes(), ["PATCH a", "PUT a/status", "STEP prepare", "STEP switch", "STEP report", "PUT a/status"]);
  assert.equal(hardware.power, "on");
  const { status } = await get("a");
  assert.deepEqual(status, { power: "on", done: ["a-1-0"] });
  await world.pass(600_000);
  assert.equal(writes().length, 6);
});

test("a fault ends the turn: later effects and the status wait, and what has been done is harmless to do again", async () => {
  const hardware = await start();
  let failures = 3;
  hardware.onStep = (step, when) => {
    if (step.do === "switch" && when === "before" && failures-- > 0) throw broken("soon");
  };
  world.run(machineController(hardware));
  await create("a");
  await world.pass(0);
  await world.pass(2000);
  assert.deepEqual(hardware.steps, ["prepare a-1-0", "switch a-1-0", "report a-1-0"]);
  assert.deepEqual((await get("a")).status, { power: "on", done: ["a-1-0"] });
});

test("retry later: at the decision's time, or in a minute; the status tells why", async () => {
  const hardware = await start();
  let attempts = 0;
  hardware.onStep = (step, when) => {
    if (when === "before" && step.do === "prepare" && ++attempts < 3) throw broken("later", "no answer");
  };
  world.run(machineController(hardware, { decide: (observed) => ({ again: 10_000, ...decide(observed) }) }));
  await create("a");
  await world.pass(500);
  assert.equal(attempts, 1);
  assert.equal((await get("a")).status?.failure, "no answer");
  await world.pass(9000);
  assert.equal(attempts, 1);
  await world.pass(1000);
  assert.equal(attempts, 2);
  await world.pass(10_000);
  assert.deepEqual((await get("a")).status, { power: "on", done: ["a-1-0"] });
});

test("retry never: an Event and the status tell, and only another spec brings the key again", async () => {
  const hardware = await start();
  let attempts = 0;
  let isBroken = true;
  hardware.onStep = (_step, when) => {
    if (when === "before" && isBroken && ++attempts > 0) throw broken("never", "no such power");
  };
  world.run(machineController(hardware));
  await create("a");
  await world.pass(1000);
  await edit("a", { metadata: { labels: { touched: "true" } } });
  await world.pass(600_000);
  assert.equal(attempts, 1);
  assert.equal((await get("a")).status?.failure, "no such power");
  const { items } = await world.client.for(KubeEvent).in("default").list();
  assert.deepEqual(
    items.map(({ type, reason, message, count }) => [type, reason, message, count]),
    [["Warning", "Failed", "no such power", 1]],
  );
  isBroken = false;
  await edit("a", { spec: { power: "cycled" } });
  await world.pass(1000);
  assert.deepEqual((await get("a")).status, { power: "cycled", done: ["a-1-0", "a-2-1"] });
});

test("what is thrown that is no Fault is a defect of ours: tried again later", async () => {
  const hardware = await start();
  let attempts = 0;
  hardware.onStep = () => {
    if (++attempts === 1) throw new TypeError("undefined is not a function");
  };
  world.run(machineController(hardware));
  await create("a");
  await world.pass(50_000);
  assert.equal(attempts, 1);
  await world.pass(30_000);
  assert.equal(hardware.power, "on");
});

test("a finalizer goes when the decision says so, and the object with it", async () => {
  const hardware = await start();
  world.run(machineController(hardware));
  await create("a");
  await world.pass(500);
  await world.client.for(Machine).in("default").delete("a");
  await world.pass(500);
  assert.equal(hardware.power, "off");
  await assert.rejects(get("a"), (error) => Fault.is(error, "api.not-found"));
  assert.deepEqual(hardware.steps.slice(3), ["prepare a-2-1", "switch a-2-1", "report a-2-1"]);
});

test("a key is decided about anew only once the cache shows what its last turn wrote, however late it is", async () => {
  const { metrics, values } = tally();
  const hardware = await start({ metrics, lag: 30 });
  let steps = 0;
  hardware.onStep = () => void steps++;
  world.run(machineController(hardware, { concurrency: 3 }));
  await Promise.all(Array.from({ length: 20 }, (_, i) => create(`m${i}`)));
  await world.pass(20_000);
  assert.equal(steps, 20 * 3 * 2);
  assert.equal(values.get("sidero_reconcile_total machine failed"), undefined);
});

test("undeclared reads and writes are refused", async () => {
  const hardware = await start();
  const faults: string[] = [];
  const told = {
    failed: (_observed: unknown, fault: Fault): { failure: string } => (faults.push(fault.message), { failure: fault.message }),
  };
  const other = { ...Machine, kind: "Other", plural: "others" };
  world.run(
    machineController(hardware, {
      ...told,
      name: "reader",
      writes: [],
      finalizer: undefined as never,
      decide: () => (void 0, {}),
      observe: (reader) => (reader.of(other), undefined),
    }),
  );
  await create("a");
  await world.pass(100);
  world.run(machineController(hardware, { ...told, name: "fielder", writes: [writing(Machine, "status.power")] }));
  world.run(
    machineController(hardware, {
      ...told,
      name: "writer",
      act: async (_step, { client }) =>
        void (await client
          .for(other)
          .in("default")
          .create({ metadata: { name: "x" }, spec: { power: "on" } })),
    }),
  );
  await world.pass(100);
  assert.ok(faults.includes("fielder has not declared that it writes status.operation of Machine"));
  assert.ok(faults.includes("writer has not declared that it writes Other"));
  assert.equal(
    world.requests.some((line) => line.includes("others")),
    false,
  );
});

test("two writers of one field are refused when they are put together", async () => {
  const hardware = await start();
  const named = (name: string, ...fields: string[]): Controller =>
    machineController(hardware, { name, writes: [writing(Machine, ...fields)] });
  const together =
    (...controllers: Controller[]): (() => unknown) =>
    () =>
      world.run(...controllers);
  const isRefused = (error: unknown): boolean => Fault.is(error, "kube.two-writers");
  assert.throws(together(named("a", "status.power"), named("b", "status.power")), isRefused);
  assert.throws(together(named("a", "status"), named("b", "status.power")), isRefused);
  assert.throws(together(named("a", "spec", "status.power.on"), named("b", "status.power")), isRefused);
  assert.doesNotThrow(together(named("a", "status.power"), named("b", "status.powers", "status.done")));
});

test("the picture of who reads and writes what", async () => {
  const hardware = await start();
  const { runtime } = world.run(machineController(hardware, { reads: [on(KubeEvent, () => [])] }));
  assert.deepEqual(runtime.graph(), [
    {
      controller: "machine",
      reads: ["Machine.proof.example.org/v1", "Event.v1"],
      writes: ["Machine.proof.example.org/v1: status"],
    },
  ]);
});

test("nothing is done while another process may be leading", async () => {
  const hardware = await start();
  let leads = true;
  const { client, clock } = world;
  const { SeededEntropy } = await import("#io/memory/entropy.ts");
  const { silent } = await import("#io/log.ts");
  const { silentMetrics } = await import("#kube/metrics.ts");
  const stop = new AbortController();
  const ports = {
    client,
    clock,
    entropy: new SeededEntropy(1),
    log: silent,
    metrics: silentMetrics,
    events: { record: () => {} },
  };
  hardware.onStep = (step, when) => {
    if (step.do === "prepare" && when === "after") leads = false;
  };
  const running = new Runtime({ ...ports, controllers: [machineController(hardware)], mayAct: () => leads }).run(stop.signal);
  await create("a");
  await world.pass(1000);
  assert.deepEqual(hardware.steps, ["prepare a-1-0"]);
  assert.deepEqual(Object.keys((await get("a")).status ?? {}), ["operation"]);
  stop.abort();
  await running;
});

test("metrics by controller: turns, time, faults, depth", async () => {
  const { metrics, values } = tally();
  const hardware = await start({ metrics });
  let failures = 1;
  hardware.onStep = () => {
    if (failures-- > 0) throw broken("soon");
  };
  world.run(machineController(hardware));
  await create("a");
  await world.pass(500);
  assert.equal(values.get("sidero_reconcile_faults_total machine bmc.failed"), 1);
  assert.equal(values.get("sidero_reconcile_total machine failed"), 1);
  assert.ok(values.get("sidero_reconcile_total machine done")! >= 2);
  assert.ok(values.get("sidero_reconcile_duration_seconds machine")! >= 3);
  assert.ok(values.has("sidero_queue_depth machine"));
});

test("an object that goes while it is worked on is no failure", async () => {
  const hardware = await start();
  hardware.onStep = async (step, when) => {
    if (step.do !== "report" || when !== "after") return;
    await edit("a", { metadata: { finalizers: null } });
    await world.client.for(Machine).in("default").delete("a");
  };
  const { runtime } = world.run(machineController(hardware));
  await create("a");
  await world.pass(2000);
  await assert.rejects(get("a"), (error) => Fault.is(error, "api.not-found"));
  assert.ok(runtime.isIdle);
  assert.equal((await world.client.for(KubeEvent).list()).items.length, 0);
});

test("what is not in the API wakes a key: at rest, and in the midst of its turn", async () => {
  world = await startWorld({ families: [machines] });
  let wake: (key: string) => void = () => {};
  const turns: string[] = [];
  let isListening = false;
  const process = world.run({
    name: "listener",
    kind: Machine,
    writes: [],
    listen(woken) {
      wake = woken;
      isListening = true;
      return () => (isListening = false);
    },
    observe(_reader, key) {
      turns.push(key);
      if (turns.length === 2) wake(key);
      return undefined;
    },
    decide: () => ({}),
    act: async () => {},
  });
  await world.pass(100);
  assert.deepEqual(turns, []);
  wake("default/a");
  await world.pass(100);
  assert.deepEqual(turns, ["default/a"]);
  wake("default/a");
  await world.pass(100);
  assert.deepEqual(turns, ["default/a", "default/a", "default/a"]);
  await process.kill();
  assert.equal(isListening, false);
});
