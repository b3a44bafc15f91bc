/** The process that makes a cluster's secrets and configurations dies before and after each of its writes; the next one goes on with the same secrets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTalosConfigControllers } from "#controllers/talos-config/controller.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createMemoryPki } from "#io/memory/pki.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { entryOf, Secret } from "#kube/secret.ts";
import { at, v1alpha1Of } from "#talos/document/document.ts";
import { parseConfig } from "#talos/document/parse.ts";
import { parseSecrets } from "#talos/secrets-text.ts";
import { parseTalosconfig } from "#talos/talosconfig.ts";
import { startWorld } from "../kube/world.ts";
import { Death } from "./death.ts";
import { addCluster, addMachine } from "./capi.ts";

const MACHINES = ["cp", "w1", "w2"];

async function life(point: number): Promise<number> {
  const death = new Death(point);
  const world = await startWorld({ before: death.hook, after: death.hook });
  const secret = (name: string): Promise<Secret> => world.client.for(Secret).in("default").get(name);
  // Each process has keys and chance of its own: what it makes anew is not what was there.
  const start = (seed: number) =>
    world.run(...createTalosConfigControllers({ clock: world.clock, entropy: new SeededEntropy(seed), pki: createMemoryPki() }));
  await addCluster(world, "c");
  for (const name of MACHINES) await addMachine(world, "c", name, { generateType: name === "cp" ? "controlplane" : "worker" });
  const process = start(1);
  await world.pass(2000);
  const before = await secret("c-talos").catch(() => undefined);
  if (death.isDead) {
    await process.kill();
    death.isDead = false;
    start(2);
    await world.pass(20_000);
  }
  const bundle = await secret("c-talos");
  if (before !== undefined) assert.deepEqual(bundle.data, before.data, `death at ${point}`);
  const secrets = parseSecrets(entryOf(bundle, "bundle") ?? "");
  for (const name of MACHINES) {
    const { status } = await world.client.for(TalosConfig).in("default").get(`${name}-config`);
    assert.equal(status?.dataSecretName, `${name}-bootstrap-data`, `death at ${point}`);
    const config = parseConfig(entryOf(await secret(status.dataSecretName), "value") ?? "");
    assert.equal(at(v1alpha1Of(config)!.value, "machine", "token"), secrets.trustdToken, `death at ${point}`);
  }
  assert.equal(entryOf(await secret("c-ca"), "tls.crt"), secrets.certs.k8s.certificate);
  const access = parseTalosconfig(entryOf(await secret("c-talosconfig"), "talosconfig") ?? "");
  assert.equal(access.ca, secrets.certs.os.certificate);
  await world.stop();
  return death.points;
}

test("secrets and configurations of a cluster, with a death at every point", async (context) => {
  const points = await life(0);
  assert.ok(points > 12, `${points} points`);
  context.diagnostic(`${points} points`);
  for (let death = 1; death <= points; death++) await life(death);
});
