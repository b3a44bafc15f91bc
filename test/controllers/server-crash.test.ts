/**
 * The process that leads a machine through its life dies at every point of it: before and after each of its writes and effects. The one that comes after
 * knows only what is on record, and makes it good.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { isNotFound } from "#kube/status.ts";
import { Fault } from "#std/fault.ts";
import { isWrite, startWorld } from "../kube/world.ts";
import { binding, Machines, wipe } from "./machines.ts";

/** From the chosen point on nothing that the process tries succeeds. */
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
}

async function life(at: number): Promise<number> {
  const death = new Death(at);
  // Events are told in the background, and nothing depends on them.
  const hook = (request: string): void => (isWrite(request) && !request.includes("/events") ? death.pass() : undefined);
  const world = await startWorld({ before: hook, after: hook });
  const machines = new Machines(world);
  machines.onEffect = () => death.pass();
  const machine = machines.add("a");
  const servers = world.client.for(Server);
  const bindings = world.client.for(ServerBinding);
  let process = machines.start();
  /** Once more for whoever comes after. */
  const survive = async (step: () => Promise<unknown>): Promise<void> => {
    await step();
    await world.pass(2000);
    if (death.isDead) {
      await process.kill();
      death.isDead = false;
      process = machines.start();
      await world.pass(60_000);
    }
  };
  const status = async (): Promise<NonNullable<Server["status"]>> => (await servers.get("a")).status ?? {};
  const wiped = async (): Promise<void> => {
    assert.equal(machine.power, "on");
    await survive(async () => machines.connect("a"));
    await survive(async () => assert.equal(await wipe(world, "a"), true));
    await world.pass(5_000);
    const { isClean, phase, power } = await status();
    assert.deepEqual([isClean, phase, power], [true, "Available", "off"], `death at ${at}`);
  };

  await survive(() => servers.create({ metadata: { name: "a" }, spec: { accepted: false } }));
  await survive(() => servers.patch("a", { spec: { accepted: true } }));
  assert.equal((await status()).wipe?.by, "acceptance");
  await wiped();
  await survive(() => bindings.create(binding("a")));
  const bound = await status();
  assert.deepEqual([bound.inUse, bound.isClean, bound.allocation?.metalMachine], [true, false, "machine-a"], `death at ${at}`);
  assert.equal(machine.done.at(-1), "pxe+on");
  const first = bound.wipe?.id;
  await survive(() => bindings.delete("a"));
  const released = await status();
  assert.deepEqual(
    [released.wipe?.by, released.allocation, released.wipe?.id === first],
    ["release", undefined, false],
    `death at ${at}`,
  );
  await wiped();
  await survive(() => servers.delete("a"));
  await assert.rejects(servers.get("a"), isNotFound);
  // Repeating an effect is allowed, another one is not.
  const kinds = machine.done.filter((what, i) => what !== machine.done[i - 1]);
  assert.ok(
    kinds.every((what) => ["pxe+on", "pxe+cycle", "agent:wipe", "agent:powerOff", "off"].includes(what)),
    kinds.join(),
  );
  await world.stop();
  return death.points;
}

test("a machine's life, with a death at every point of it", async (context) => {
  const points = await life(0);
  assert.ok(points > 30, `${points} points`);
  context.diagnostic(`${points} points`);
  for (let at = 1; at <= points; at++) await life(at);
});
