/** Machines that belong to no cluster: a Talos in maintenance mode, started by a person with the installation's guest token. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { PhaseEventSchema } from "#proto/siderolink/machine_events_pb.js";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { entryOf, Secret } from "#kube/secret.ts";
import { held, numbered } from "../metadata/held.ts";
import { keyOf, Refused, startWorld, type World } from "./world.ts";

const refused = (error: unknown): boolean => error instanceof Refused && error.code === 7;
const address = (prefix: string): string => prefix.split("/")[0]!;
const tokenOf = async (world: World): Promise<string> =>
  entryOf(await world.client.for(Secret).in("default").get("siderolink"), "guest-token")!;

test("a guest joins with the installation's token, keeps its address, and what it says counts for nothing", async () => {
  const world = await startWorld({ guests: true });
  const joinToken = await tokenOf(world);
  const stranger = numbered(9);
  const call = { nodePublicKey: keyOf("9"), joinToken, nodeUniqueToken: "n" };
  const { nodeAddressPrefix } = await world.provision(stranger, call);
  assert.deepEqual(world.peers(), [{ publicKey: keyOf("9"), address: address(nodeAddressPrefix) }]);
  const again = await world.provision(stranger, { ...call, nodePublicKey: keyOf("10") });
  assert.equal(again.nodeAddressPrefix, nodeAddressPrefix, "a new boot, the same disk");
  assert.deepEqual(world.peers(), [{ publicKey: keyOf("10"), address: address(nodeAddressPrefix) }]);
  await assert.rejects(world.provision(stranger, { ...call, nodeUniqueToken: "thief" }), refused);
  await assert.rejects(world.provision(stranger, { ...call, joinToken: joinToken.replace(/^./, "_") }), refused);

  const value = toBinary(PhaseEventSchema, create(PhaseEventSchema, { phase: "install", action: 0 }));
  const data = { typeUrl: `type.googleapis.com/${PhaseEventSchema.typeName}`, value };
  await world.publish(address(nodeAddressPrefix), { id: "1", data });
  assert.match(
    world.sightings.map(({ of, text }) => `${of.uuid}: ${text}`).join("\n"),
    new RegExp(`${stranger.uuid}: .*install`),
  );
  assert.deepEqual((await world.client.for(ServerBinding).listAll()).items, []);
  await world.stop();
});

test("no guest takes the place of a machine of a cluster, and one that comes to a cluster is a guest no more", async () => {
  const world = await startWorld({ guests: true });
  const joinToken = await tokenOf(world);
  const machine = numbered(1);
  const guest = { nodePublicKey: keyOf("g"), joinToken };
  const { nodeAddressPrefix } = await world.provision(machine, guest);
  await held(world.client, world.clock, machine);
  await world.settle();
  await assert.rejects(world.provision(machine, guest), refused, "it is held now");
  const own = { nodePublicKey: keyOf("m"), joinToken: world.token(machine) };
  assert.equal((await world.provision(machine, own)).nodeAddressPrefix, nodeAddressPrefix);
  assert.deepEqual(world.peers(), [{ publicKey: keyOf("m"), address: address(nodeAddressPrefix) }]);
  await assert.rejects(world.provision(machine, guest), refused);
  assert.deepEqual(world.peers().length, 1);
  await world.stop();
});

test("there are none unless they are asked for, and the token stays what it is", async () => {
  const world = await startWorld();
  const secrets = world.client.for(Secret).in("default");
  assert.equal(entryOf(await secrets.get("siderolink"), "guest-token"), undefined);
  await assert.rejects(world.provision(numbered(1), { nodePublicKey: keyOf("1"), joinToken: "any" }), refused);
  await world.stop();

  const other = await startWorld({ guests: true, replicas: true });
  const a = await other.replica("a");
  const joinToken = await tokenOf(other);
  const b = await other.replica("b");
  assert.equal(await tokenOf(other), joinToken);
  const call = { nodePublicKey: keyOf("1"), joinToken };
  await a.provision(numbered(1), call);
  assert.equal(a.peers()?.length, 1);
  await assert.rejects(b.provision(numbered(2), call), (error) => error instanceof Refused && error.code === 14);
  await Promise.all([a.close(), b.close()]);
  await other.stop();
});
