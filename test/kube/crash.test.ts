/**
 * A process may die between any two things it does: whoever comes after makes it good. Each run kills the controllers at another
 * point (before or after each of their writes and steps), starts them anew, and looks at what has become of it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createServerBindingController } from "#controllers/server-binding/controller.ts";
import { createServerClassController } from "#controllers/server-class/controller.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { isNotFound } from "#kube/status.ts";
import { Fault } from "#std/fault.ts";
import { FINALIZER, Hardware, Machine, machineController, machines } from "./machine.ts";
import { isWrite, startWorld } from "./world.ts";

/** Counts the points at which a process can die, and kills it at the chosen one: from then on nothing it tries succeeds. */
class Death {
  points = 0;
  isDead = false;
  readonly #at: number;
  constructor(at: number) {
    this.#at = at;
  }
  pass(): void {
    if (this.isDead || ++this.points === this.#at) {
      this.isDead = true;
      throw new Fault("test.dead", "the process is dead", { fault: "world", retry: "soon" });
    }
  }
  /** Those who come after live. */
  readonly hooks = {
    before: (request: string): void => (isWrite(request) ? this.pass() : undefined),
    after: (request: string): void => (isWrite(request) ? this.pass() : undefined),
  };
}

async function lifeOfMachine(at: number): Promise<number> {
  const death = new Death(at);
  const world = await startWorld({ families: [machines], ...death.hooks });
  const place = world.client.for(Machine).in("default");
  const hardware = new Hardware();
  hardware.onStep = async (step, when) => {
    death.pass();
    if (when === "after") return;
    const { metadata, status } = await place.get("a");
    assert.equal(status?.operation?.id, step.id, "no step without its intent on record");
    assert.deepEqual(metadata.finalizers, [FINALIZER]);
  };
  let process = world.run(machineController(hardware));
  const survive = async (): Promise<void> => {
    await world.pass(300);
    if (!death.isDead) return;
    await process.kill();
    death.isDead = false;
    process = world.run(machineController(hardware));
    await world.pass(300);
  };
  await place.create({ metadata: { name: "a" }, spec: { power: "on" } });
  await survive();
  assert.equal(hardware.power, "on");
  assert.deepEqual((await place.get("a")).status, { power: "on", done: ["a-1-0"] });
  await place.delete("a");
  await survive();
  assert.equal(hardware.power, "off");
  await assert.rejects(place.get("a"), isNotFound);
  const steps = ["a-1-0", "a-2-1"].flatMap((id) => ["prepare", "switch", "report"].map((name) => `${name} ${id}`));
  assert.deepEqual(hardware.steps, steps, "every step once, in order");
  await world.stop();
  return death.points;
}

test("a machine's life, with a death at every point of it", async () => {
  const points = await lifeOfMachine(0);
  assert.ok(points > 20);
  for (let at = 1; at <= points; at++) await lifeOfMachine(at);
});

async function lifeOfClasses(at: number): Promise<number> {
  const death = new Death(at);
  const world = await startWorld(death.hooks);
  const [servers, classes, bindings] = [world.client.for(Server), world.client.for(ServerClass), world.client.for(ServerBinding)];
  const start = (): ReturnType<typeof world.run> => world.run(createServerClassController(), createServerBindingController());
  let process = start();
  const survive = async (): Promise<void> => {
    await world.pass(400);
    if (!death.isDead) return;
    await process.kill();
    death.isDead = false;
    process = start();
    await world.pass(400);
  };
  const reference = { name: "m", namespace: "default" };
  await bindings.create({ metadata: { name: "s1" }, spec: { metalMachineRef: reference } });
  for (const name of ["s1", "s2"]) await servers.create({ metadata: { name }, spec: { accepted: true } });
  await classes.create({ metadata: { name: "none" }, spec: { selector: { matchLabels: { no: "body" } } } });
  await survive();
  await servers.delete("s1");
  await classes.patch("any", { spec: { qualifiers: { labelSelectors: [{ a: "b" }] } } });
  await survive();
  await classes.delete("any");
  await survive();
  const { spec, status } = await classes.get("any");
  assert.deepEqual([spec, status], [{}, { serversAvailable: ["s2"], serversInUse: [] }]);
  assert.deepEqual((await classes.get("none")).status, { serversAvailable: [], serversInUse: [] });
  assert.equal((await bindings.get("s1")).status?.ready, false);
  await world.stop();
  return death.points;
}

test("classes and bindings, with a death at every point", async () => {
  const points = await lifeOfClasses(0);
  assert.ok(points > 14);
  for (let at = 1; at <= points; at++) await lifeOfClasses(at);
});

test("a network that loses requests and answers, and then recovers", async () => {
  const rounds = Number(process.env["ROUNDS"] ?? 20);
  for (let seed = 1; seed <= rounds; seed++) {
    const dice = new SeededEntropy(seed);
    let isIll = true;
    const lose = (): void => {
      if (isIll && dice.chance(0.3)) throw new Fault("io.unreachable", "lost", { fault: "world", retry: "soon" });
    };
    const world = await startWorld({ before: lose, after: lose });
    world.run(createServerClassController(), createServerBindingController());
    const [servers, classes, bindings] = [
      world.client.for(Server),
      world.client.for(ServerClass),
      world.client.for(ServerBinding),
    ];
    const names = Array.from({ length: 12 }, (_, i) => `s${String(i).padStart(2, "0")}`);
    for (const name of names) {
      await servers.create({ metadata: { name }, spec: { accepted: dice.chance(0.7) } });
      await bindings.create({ metadata: { name }, spec: { metalMachineRef: { name: "m", namespace: "default" } } });
      await world.pass(dice.below(3000));
      if (dice.chance(0.2)) await classes.delete("any").catch(() => {});
      if (dice.chance(0.3)) await servers.delete(name);
    }
    isIll = false;
    await world.pass(60_000);
    const there = (await servers.list()).items;
    const accepted = there.filter((server) => server.spec?.accepted === true).map((server) => server.metadata.name);
    assert.deepEqual((await classes.get("any")).status?.serversAvailable, accepted, `seed ${seed}`);
    const ready = (await bindings.list()).items.filter((binding) => binding.status?.ready === true);
    assert.deepEqual(
      ready.map((each) => each.metadata.name),
      there.map((each) => each.metadata.name),
      `seed ${seed}`,
    );
    await world.stop();
  }
});
