/** The process that runs a control plane dies before and after each of its writes; the next one goes on: the same machines, one etcd, nothing left over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { startWorld } from "../kube/world.ts";
import { Death } from "./death.ts";
import { NAMESPACE, TestCluster } from "./talos/cluster.ts";

const LARGE = { apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3", kind: "MetalMachineTemplate", name: "large" };

/** `make soak` dies everywhere. */
const STRIDE = Number(process.env["ROUNDS"] ?? 1) > 1 ? 1 : 4;

/** Made with two machines, then rolled to another template. Death 0 is none; returns at how many points it could come. */
async function life(point: number): Promise<number> {
  const death = new Death(point);
  const world = await startWorld({ before: death.hook, after: death.hook });
  const cluster = await TestCluster.start({ replicas: 2 }, world);
  let running = world.run(cluster.controller());
  const until = async (template: string): Promise<void> =>
    await cluster.until(async () => {
      if (death.isDead) {
        await running.kill();
        death.isDead = false;
        running = world.run(cluster.controller());
      }
      const { items } = await world.client.for(MetalMachine).in(NAMESPACE).list();
      const names = new Set((await cluster.machines()).map(({ metadata }) => metadata.name));
      const cloned = items.filter(
        ({ metadata }) => names.has(metadata.name) && metadata.annotations?.["cluster.x-k8s.io/cloned-from-name"] === template,
      );
      return (
        names.size === 2 &&
        cloned.length === 2 &&
        (await cluster.plane()).status?.readyReplicas === 2 &&
        cluster.talos.etcd.voters.length === 2
      );
    });
  await until("small");
  await cluster.patch({ infrastructureTemplate: LARGE });
  await until("large");
  const about = `death at ${point}`;
  assert.equal(cluster.talos.calls.filter((call) => call.startsWith("bootstrap ")).length, 1, about);
  assert.equal(cluster.talos.calls.filter((call) => !call.startsWith("bootstrap ")).length, 2, about);
  // No part without its Machine, and four of each were made: nothing was begun twice.
  for (const kind of [MetalMachine, TalosConfig]) {
    const { items } = await world.client.for<MetalMachine | TalosConfig>(kind).in(NAMESPACE).list();
    assert.equal(items.length, 4, `${about}: ${kind.kind}`);
  }
  await world.stop();
  return death.points;
}

test("a control plane is made and rolled, with a death at every point", async (context) => {
  const points = await life(0);
  context.diagnostic(`${points} points`);
  assert.ok(points > 40, `${points} points`);
  for (let death = 1; death <= points; death += STRIDE) await life(death);
});
