/**
 * The process that gives a machine its Server and takes it back dies at every point of that: before and after each of its writes. Whoever comes after
 * knows only what is on record; the machine never has two Servers, and never lets another's go.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetalMachineController } from "#controllers/metal-machine/controller.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { Fault } from "#std/fault.ts";
import { isWrite, startWorld } from "../kube/world.ts";
import { Site } from "./infrastructure.ts";

/** From the chosen point on nothing that the process tries succeeds. */
class Death {
  points = 0;
  isDead = false;
  readonly #at: number;
  constructor(at: number) {
    this.#at = at;
  }
  pass(): void {
    if (!this.isDead && ++this.points !== this.#at) return;
    this.isDead = true;
    throw new Fault("test.dead", "the process is dead", { fault: "world", retry: "soon" });
  }
}

async function life(at: number): Promise<number> {
  const death = new Death(at);
  const hook = (request: string): void => (isWrite(request) && !request.includes("/events") ? death.pass() : undefined);
  const world = await startWorld({ before: hook, after: hook });
  const site = new Site(world.client);
  await site.addClass("any");
  await site.addCluster("c");
  for (const name of ["s1", "s2", "s3"]) await site.addServer(name);
  const start = () => world.run(createMetalMachineController({ clock: world.clock }));
  let process = start();
  const survive = async (step: () => Promise<unknown>): Promise<void> => {
    await step();
    await world.pass(500);
    if (!death.isDead) return;
    await process.kill();
    death.isDead = false;
    process = start();
    await world.pass(500);
  };
  const holders = async () => (await site.bindings()).map(({ spec, metadata }) => [spec?.metalMachineRef.name, metadata.name]);
  const machines = world.client.for(MetalMachine).in("default");
  const spec = { serverClassRef: { name: "any" } };

  await survive(() => site.addMachine("m", { spec }));
  const [[, server] = [], ...others] = await holders();
  assert.deepEqual([others, (await site.machine("m")).spec?.providerID], [[], `sidero://${server}`], `death at ${at}`);
  await survive(() => site.install(server!));
  assert.equal((await site.machine("m")).status?.ready, true, `death at ${at}`);
  await survive(() => site.addMachine("n", { spec }));
  assert.deepEqual((await holders()).length, 2, `death at ${at}`);
  await survive(() =>
    world.client
      .for(Cluster)
      .in("default")
      .patch("c", { spec: { paused: true } }),
  );
  await survive(() => machines.delete("m"));
  assert.deepEqual((await holders()).length, 2, `death at ${at}`);
  await survive(() =>
    world.client
      .for(Cluster)
      .in("default")
      .patch("c", { spec: { paused: false } }),
  );
  assert.deepEqual(
    (await holders()).map(([name]) => name),
    ["n"],
    `death at ${at}`,
  );
  await assert.rejects(machines.get("m"), { code: "api.not-found" }, `death at ${at}`);
  await world.stop();
  return death.points;
}

test("a machine's life, with a death at every point of it", async () => {
  const points = await life(0);
  assert.ok(points > 20, `${points}`);
  for (let at = 1; at <= points; at++) await life(at);
});
