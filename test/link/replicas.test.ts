/** Several processes over one API: all know who is in the tunnel, one at a time terminates it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { held, numbered } from "../metadata/held.ts";
import { keyOf, Refused, startWorld } from "./world.ts";

const own = (peers: readonly { publicKey: string }[] | undefined): string[] | undefined =>
  peers?.map(({ publicKey }) => publicKey).toSorted();

test("the holder of the lease terminates it; a machine joins by any of them; with the lease the machines come along", async () => {
  const world = await startWorld({ replicas: true });
  const [first, second] = [numbered(1), numbered(2)];
  for (const machine of [first, second]) await held(world.client, world.clock, machine);
  const [a, b] = [await world.replica("a"), await world.replica("b")];
  assert.deepEqual([a.status().is, b.status().is], ["up", "elsewhere"]);
  assert.equal((b.status() as { holder: string }).holder, "a");
  assert.deepEqual([a.isTold(), b.isTold()], [true, true], "whoever serves the script, machines are told");
  assert.equal(b.peers(), undefined);

  await a.provision(first, { nodePublicKey: keyOf("1"), joinToken: world.token(first), nodeUniqueToken: "u1" });
  const answer = await b.provision(second, { nodePublicKey: keyOf("2"), joinToken: world.token(second), nodeUniqueToken: "u2" });
  await world.settle();
  assert.deepEqual(own(a.peers()), [keyOf("1"), keyOf("2")].toSorted(), "the one who joined elsewhere is in the tunnel, too");
  // Nobody there knows whether the old key is alive.
  const without = numbered(3);
  await held(world.client, world.clock, without);
  await a.provision(without, { nodePublicKey: keyOf("3"), joinToken: world.token(without) });
  await world.settle();
  await assert.rejects(
    b.provision(without, { nodePublicKey: keyOf("other"), joinToken: world.token(without) }),
    (error) => error instanceof Refused && error.code === 14,
  );

  await world.client.for(ServerBinding).delete(first.uuid);
  await a.close();
  await world.settle();
  for (let passed = 0; passed < 20 && b.status().is !== "up"; passed++) await world.settle();
  assert.equal(b.status().is, "up");
  assert.deepEqual(own(b.peers()), [keyOf("2"), keyOf("3")].toSorted());
  const again = await b.provision(second, { nodePublicKey: keyOf("2"), joinToken: world.token(second), nodeUniqueToken: "u2" });
  assert.deepEqual([again.nodeAddressPrefix, again.serverPublicKey], [answer.nodeAddressPrefix, answer.serverPublicKey]);
  await b.close();
  await world.stop();
});

test("who cannot open it lets others try, and nobody is told of it before one has", async () => {
  const world = await startWorld({ replicas: true });
  const a = await world.replica("a", () => "there is no wg here");
  assert.deepEqual([a.status().is, a.isTold()], ["down", false]);
  const b = await world.replica("b");
  for (let passed = 0; passed < 40 && b.status().is !== "up"; passed++) await world.settle();
  for (let passed = 0; passed < 40 && a.status().is !== "elsewhere"; passed++) await world.settle();
  assert.deepEqual([a.status().is, b.status().is, a.isTold()], ["elsewhere", "up", true]);
  await Promise.all([a.close(), b.close()]);
  await world.stop();
});
