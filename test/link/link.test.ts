/** Who gets a tunnel, and what machines' events do to their ServerBindings. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { toBinary, create } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { Secret } from "#kube/secret.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { AddressEventSchema, PhaseEventSchema, SequenceEventSchema } from "#proto/siderolink/machine_events_pb.js";
import { held, numbered, type HeldMachine } from "../metadata/held.ts";
import { keyOf, Refused, startWorld, uuidOf, type World } from "./world.ts";

let world: World;
let next = 1;
before(async () => {
  world = await startWorld();
});
after(() => world.stop());

async function machine(): Promise<HeldMachine> {
  const one = numbered(next++);
  await held(world.client, world.clock, one);
  await world.settle();
  return one;
}

async function refused(call: Promise<unknown>, code: number, why: RegExp): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof Refused, String(error));
    assert.deepEqual([error.code, why.test(error.message)], [code, true], error.message);
    return true;
  });
}

/** In the tunnel; resolves to its address there. */
async function joined(one: HeldMachine): Promise<string> {
  const { nodeAddressPrefix } = await world.provision(one, { nodePublicKey: keyOf(one.uuid), joinToken: world.token(one) });
  return nodeAddressPrefix.split("/")[0]!;
}

let id = 0;
function event<Desc extends DescMessage>(schema: Desc, message: MessageInitShape<Desc>) {
  const value = toBinary(schema, create(schema, message));
  return { id: `event-${id++}`, data: { typeUrl: `type.googleapis.com/${schema.typeName}`, value } };
}

async function conditions({ uuid }: HeldMachine): Promise<string[]> {
  const { status } = await world.client.for(ServerBinding).get(uuid);
  return (status?.conditions ?? []).map(({ type, status: is, reason }) => `${type}=${is}${reason ? `/${reason}` : ""}`);
}

const DENIED = 7;

test("a machine joins with the token of its boot, has its address on record and its key in the tunnel, and leaves with its binding", async () => {
  const one = await machine();
  const token = world.token(one);
  const answer = await world.provision(one, { nodePublicKey: keyOf("a"), joinToken: token, nodeUniqueToken: "kept on its disk" });
  assert.deepEqual(answer.serverEndpoint, ["10.0.0.1:51821"]);
  assert.match(answer.nodeAddressPrefix, /^fd.*\/64$/);
  assert.match(answer.serverAddress, /^fd.*::1$/);
  const binding = await world.client.for(ServerBinding).get(one.uuid);
  assert.deepEqual(binding.spec?.siderolink, { address: answer.nodeAddressPrefix, publicKey: keyOf("a") });
  assert.match(binding.status?.siderolink?.uniqueToken ?? "", /^[0-9a-f]{64}$/, "not the token itself");
  const peer = { publicKey: keyOf("a"), address: answer.nodeAddressPrefix.split("/")[0]! };
  assert.ok(world.peers().some((each) => each.publicKey === peer.publicKey && each.address === peer.address));
  const again = await world.provision(one, { nodePublicKey: keyOf("a"), joinToken: token, nodeUniqueToken: "kept on its disk" });
  assert.equal(again.nodeAddressPrefix, answer.nodeAddressPrefix, "the tunnel was lost: the same once more");
  assert.equal((await world.client.for(ServerBinding).get(one.uuid)).metadata.resourceVersion, binding.metadata.resourceVersion);
  await world.client.for(ServerBinding).delete(one.uuid);
  await world.settle();
  assert.ok(!world.peers().some(({ publicKey }) => publicKey === peer.publicKey));
});

test("the installation is what the Secret says, which moves with the cluster", async () => {
  const secret = await world.client.for(Secret).in("default").get("siderolink");
  assert.deepEqual(Object.keys(secret.data ?? {}).toSorted(), ["installation-id", "private-key"]);
  assert.equal(secret.metadata.labels?.["clusterctl.cluster.x-k8s.io/move"], "");
});

test("without a token, with another machine's, with one for something else, with another key while the first is live", async () => {
  const [one, other] = [await machine(), await machine()];
  const key = { nodePublicKey: keyOf("b") };
  await refused(world.provision(one, key), DENIED, /no join token/);
  await refused(world.provision(one, { ...key, joinToken: world.token(other) }), DENIED, /another machine/);
  await refused(world.provision(one, { ...key, joinToken: world.token(one, { purpose: "config" }) }), DENIED, /another purpose/);
  await refused(world.provision(one, { nodePublicKey: "x", joinToken: world.token(one) }), 3, /no WireGuard key/);
  assert.equal((await world.client.for(ServerBinding).get(one.uuid)).spec?.siderolink, undefined);

  const old = world.token(one, { boot: uuidOf("old") });
  await world.clock.advance(5_000);
  await world.provision(one, { ...key, joinToken: world.token(one) });
  world.handshakes.set(keyOf("b"), world.clock.now());
  await refused(
    world.provision(one, { nodePublicKey: keyOf("thief"), joinToken: world.token(one) }),
    14,
    /another key of this machine is in use/,
  );
  await refused(world.provision(one, { nodePublicKey: keyOf("thief"), joinToken: old }), DENIED, /earlier boot/);
  await refused(world.provision(other, { ...key, joinToken: world.token(other) }), DENIED, /another machine has this public key/);
  assert.ok((await world.events()).some((told) => /SideroLink: .* was refused its tunnel/.test(told)));
});

test("events move the conditions through installation, address and name come along, and each counts once", async () => {
  const one = await machine();
  const address = await joined(one);
  await world.publish(address, event(PhaseEventSchema, { phase: "install", action: 0 }));
  assert.deepEqual(await conditions(one), ["TalosInstalled=False/TalosInstallationInProgress"]);
  const addresses = { hostname: "node-1", addresses: ["10.0.0.7", address, "fe80::1"] };
  await world.publish(address, event(AddressEventSchema, addresses));
  const { spec } = await world.client.for(ServerBinding).get(one.uuid);
  assert.deepEqual([spec?.hostname, spec?.addresses], ["node-1", ["10.0.0.7", "fe80::1"]]);
  const boot = event(SequenceEventSchema, { sequence: "boot", action: 1 });
  await world.publish(address, boot);
  assert.deepEqual(await conditions(one), ["TalosConfigLoaded=True", "TalosConfigValidated=True", "TalosInstalled=True"]);
  const { metadata } = await world.client.for(ServerBinding).get(one.uuid);
  world.sightings.length = 0;
  await world.publish(address, boot);
  await world.publish(address, event(PhaseEventSchema, { phase: "other", action: 0 }));
  assert.deepEqual(
    world.sightings.map(({ what, of, text }) => [what, of.server, text]),
    [["talos.event", one.uuid, "phase other: start"]],
  );
  assert.equal((await world.client.for(ServerBinding).get(one.uuid)).metadata.resourceVersion, metadata.resourceVersion);
  assert.ok((await world.events()).includes("TalosBooting: sequence boot: start"));
});

test("events of nobody are refused, and those that come at once all count", async () => {
  await refused(world.publish("fd00::1", event(PhaseEventSchema, { phase: "install", action: 0 })), DENIED, /nobody/);
  const one = await machine();
  const address = await joined(one);
  await Promise.all([
    world.publish(address, event(PhaseEventSchema, { phase: "install", action: 0 })),
    world.publish(address, event(AddressEventSchema, { hostname: "n", addresses: ["10.0.0.9"] })),
    world.publish(address, event(SequenceEventSchema, { sequence: "boot", action: 1 })),
  ]);
  assert.ok((await conditions(one)).includes("TalosInstalled=True"));
  assert.equal((await world.client.for(ServerBinding).get(one.uuid)).spec?.hostname, "n");
});

test("what is no key, written into a binding by somebody, keeps nobody else out", async () => {
  const [one, other] = [await machine(), await machine()];
  await joined(one);
  const bindings = world.client.for(ServerBinding);
  const { nodeAddressPrefix: address } = await world.provision(other, {
    nodePublicKey: keyOf("o"),
    joinToken: world.token(other),
  });
  await bindings.patch(other.uuid, { spec: { siderolink: { address, publicKey: "x\nAllowedIPs = ::/0" } } });
  await world.settle();
  const keys = world.peers().map(({ publicKey }) => publicKey);
  assert.ok(keys.includes(keyOf(one.uuid)));
  assert.ok(keys.every((key) => /^[A-Za-z0-9+/]{43}=$/.test(key)));
});
