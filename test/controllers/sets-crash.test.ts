/** The process that keeps and replaces machines dies before and after each of its writes; the next one goes on, and there are never too many machines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMachineDeploymentController } from "#controllers/machine-deployment/controller.ts";
import { createMachineSetController } from "#controllers/machine-set/controller.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { startWorld, type World } from "../kube/world.ts";
import { Death } from "./death.ts";
import { addCluster, addTemplates, machinesOf, machineTemplate, NAMESPACE, setPorts, settleMachines } from "./sets.ts";

const REPLICAS = 2;
const SURGE = 1;
/** Deaths are this far apart; `make soak` has one at every point. */
const STRIDE = process.env["SCALE"] === undefined ? 5 : 1;

/** A death that hides the answer to a creation must not lead to another one. */
async function inBounds(world: World, death: number): Promise<void> {
  const count = (await machinesOf(world)).length;
  assert.ok(count <= REPLICAS + SURGE, `${count} machines after a death at ${death}`);
}

async function life(point: number): Promise<number> {
  const death = new Death(point);
  const world = await startWorld({ before: death.hook, after: death.hook });
  const end = new AbortController();
  await addCluster(world);
  await addTemplates(world);
  const deployments = world.client.for(MachineDeployment).in(NAMESPACE);
  const spec = { clusterName: "c", replicas: REPLICAS, template: machineTemplate() } as NonNullable<MachineDeployment["spec"]>;
  await deployments.create({ metadata: { name: "md", namespace: NAMESPACE }, spec });
  const start = (seed: number) => {
    const ports = setPorts(world, end.signal, seed);
    return world.run(createMachineSetController(ports), createMachineDeploymentController(ports));
  };
  let running = start(1);
  async function rounds(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await world.pass(700);
      await settleMachines(world);
      await inBounds(world, point);
      if (!death.isDead) continue;
      await running.kill();
      death.isDead = false;
      running = start(2);
    }
  }
  await rounds(4);
  await deployments.patch("md", { spec: { template: { spec: { version: "v1.35.0" } } } });
  await rounds(20);

  const versions = (await machinesOf(world)).map((machine) => machine.spec?.version);
  assert.deepEqual(versions, ["v1.35.0", "v1.35.0"], `death at ${point}`);
  assert.equal((await world.client.for(MachineSet).in(NAMESPACE).list()).items.length, 1, `death at ${point}`);
  const { status } = await deployments.get("md");
  assert.deepEqual([status?.phase, status?.upToDateReplicas], ["Running", REPLICAS], `death at ${point}`);
  for (const { spec: machine } of (await world.client.for(Machine).in(NAMESPACE).list()).items)
    await world.client
      .for(MetalMachine)
      .in(NAMESPACE)
      .get(machine?.infrastructureRef.name ?? "");
  end.abort();
  await world.stop();
  return death.points;
}

test("a deployment comes up and is rolled out, whenever its process dies", async (context) => {
  const points = await life(0);
  assert.ok(points > 50, `${points} points`);
  context.diagnostic(`${points} points`);
  for (let death = 1 + (points % STRIDE); death <= points; death += STRIDE) await life(death);
});
