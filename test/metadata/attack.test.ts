/** Somebody on the provisioning network who knows every UUID and MAC address, and wants the keys of a cluster. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { configIn, numbered, type HeldMachine } from "./held.ts";
import { hold, order, script, startWorld, type World } from "./world.ts";

const ATTACKER = { address: "10.9.0.66", mac: "52:54:00:66:66:66" };
/** Behind a router: nobody here sees whose address it is. */
const AFAR = "192.0.2.66";

let world: World;
let next = 1;
before(async () => {
  world = await startWorld();
  world.neighbours.set(ATTACKER.address, ATTACKER.mac);
});
after(() => world.stop());

async function held(): Promise<HeldMachine> {
  const machine = numbered(next++);
  await hold(world, machine);
  return machine;
}

async function refused(target: string, address: string, why: RegExp): Promise<void> {
  const { status, text } = await world.ask(target, address);
  assert.deepEqual([status, why.test(text)], [403, true], `${status} ${text}`);
  assert.doesNotMatch(text, /secret\./);
}

/** Nothing has gone to anybody. */
async function isUntold({ uuid }: HeldMachine): Promise<boolean> {
  return (await world.client.for(ServerBinding).get(uuid)).status?.configuration === undefined;
}

test("without a token, with a made-up one, with an agent's, with another machine's", async () => {
  const [machine, other] = [await held(), await held()];
  world.refused.length = 0;
  const target = `/configdata?uuid=${machine.uuid}`;
  await refused(target, machine.address, /no boot token/);
  await refused(`${target}&token=`, machine.address, /malformed/);
  await refused(`${target}&token=${"A".repeat(150)}`, machine.address, /not issued by this Sidero/);
  const stranger = await world.ask("/ipxe?uuid=4c4c4544-0042-3510-8054-b4c04f33ffff&mac=52-54-00-00-ff-ff", machine.address);
  const agentToken = /sidero\.token=([\w-]+)/.exec(stranger.text)![1];
  await refused(`${target}&token=${agentToken}`, machine.address, /another purpose/);
  const others = configIn(await script(world, other), other.uuid)!;
  await refused(others.replace(other.uuid, machine.uuid), machine.address, /another machine's/);
  assert.deepEqual(world.refused, Array(5).fill("token"));
  assert.ok(await isUntold(machine));
  assert.ok(
    (await world.events()).some((told) => /refused: the URL has no boot token/.test(told)),
    "shown on the Server",
  );
});

test("a script asked for with another's UUID and MAC address has no token, and freezes the boot", async () => {
  const machine = await held();
  const text = await script(world, machine, ATTACKER.address);
  assert.equal(configIn(text, machine.uuid), undefined);
  assert.match(text, /waiting: being let have its configuration: 10\.9\.0\.66 belongs to 52:54:00:66:66:66/);
  const { intruder } = (await world.client.for(ServerBinding).get(machine.uuid)).status!;
  assert.deepEqual([intruder?.address, intruder?.mac], [ATTACKER.address, ATTACKER.mac]);
  assert.ok(
    (await world.events()).some((told) => told.includes(`A machine at ${ATTACKER.address} (${ATTACKER.mac}) asks as this one`)),
  );
  await world.settle();
  const own = await script(world, machine);
  assert.equal(configIn(own, machine.uuid), undefined, "who was first cannot be told");
  assert.match(own, /10\.9\.0\.66 \(52:54:00:66:66:66\) asked as this machine while it was to boot; see who that is/);
  await order(world, machine.uuid);
  const url = configIn(await script(world, machine), machine.uuid)!;
  assert.equal((await world.ask(url, machine.address)).status, 200, "the next boot that is ordered is another one");
});

test("from where nobody sees it there is no token, and nobody's boot is frozen by it", async () => {
  const machine = await held();
  assert.match(await script(world, machine, AFAR), /nobody here sees whose address 192\.0\.2\.66 is/);
  assert.ok(configIn(await script(world, machine), machine.uuid));
});

test("through a proxy on this host nobody is a program on this host", async () => {
  const machine = await held();
  const asked = `/ipxe?uuid=${machine.uuid}&mac=${machine.mac.replaceAll(":", "-")}&arch=x86_64`;
  const own = configIn((await world.ask(asked, "127.77.0.5")).text, machine.uuid)!;
  assert.ok(own, "a simulated machine is believed");
  assert.equal(
    configIn((await world.ask(asked, "127.0.0.1")).text, machine.uuid),
    undefined,
    "a proxy may say nothing of itself",
  );
  for (const header of ["x-forwarded-for", "forwarded", "via", "x-real-ip"]) {
    const relayed = { [header]: machine.address };
    const { text } = await world.ask(asked, "127.77.0.5", relayed);
    assert.equal(configIn(text, machine.uuid), undefined);
    assert.match(text, /nobody here sees whose address/);
    const { status, text: answer } = await world.ask(own, "127.77.0.5", relayed);
    assert.deepEqual([status, /nobody here sees/.test(answer)], [403, true], answer);
  }
  assert.ok(await isUntold(machine));
});

test("a race: the machine has its script, the attacker asks for one, the machine asks for its configuration", async () => {
  const machine = await held();
  const url = configIn(await script(world, machine), machine.uuid)!;
  await script(world, machine, ATTACKER.address);
  await refused(url, machine.address, /10\.9\.0\.66 asked as this machine/);
  assert.ok(await isUntold(machine));
});

test("two boots of one order that ask at the same moment: one has it, the other never", async () => {
  const machine = await held();
  const urls = [configIn(await script(world, machine), machine.uuid)!];
  await world.settle();
  urls.push(configIn(await script(world, machine), machine.uuid)!);
  assert.notEqual(urls[0], urls[1]);
  const answers = await Promise.all(urls.map((url) => world.ask(url, machine.address)));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  const again = await Promise.all(urls.map((url) => world.ask(url, machine.address)));
  assert.deepEqual(again.map(({ status }) => status).toSorted(), [200, 403]);
});

test("a token that was overheard, from another address, and from the machine's own address taken over", async () => {
  const machine = await held();
  const url = configIn(await script(world, machine), machine.uuid)!;
  await refused(url, ATTACKER.address, /none of the Server's interfaces/);
  await refused(url, AFAR, /nobody here sees/);
  world.neighbours.set(machine.address, ATTACKER.mac);
  await refused(url, machine.address, /belongs to 52:54:00:66:66:66/);
  assert.ok(await isUntold(machine));
  // Its kernel need not get the address that its firmware had.
  world.neighbours.set("10.2.0.7", machine.mac);
  assert.equal((await world.ask(url, "10.2.0.7")).status, 200);
});

test("after it was installed, after it was released, after the token's end", async () => {
  const machine = await held();
  const url = configIn(await script(world, machine), machine.uuid)!;
  assert.equal((await world.ask(url, machine.address)).status, 200);
  const installed = { type: "TalosInstalled", status: "True", lastTransitionTime: "2030-01-01T00:00:00Z" };
  await world.client.for(ServerBinding).patch(machine.uuid, { status: { conditions: [installed] } }, { subresource: "status" });
  await refused(url, machine.address, /is installed/);

  const released = await held();
  const second = configIn(await script(world, released), released.uuid)!;
  await world.client.for(ServerBinding).delete(released.uuid);
  assert.equal((await world.ask(second, released.address)).status, 404);
  const reference = { metalMachineRef: { name: "m", namespace: "default" } };
  await world.client.for(ServerBinding).create({ metadata: { name: released.uuid }, spec: reference });
  await refused(second, released.address, /another ServerBinding/);

  const slow = await held();
  const third = configIn(await script(world, slow), slow.uuid)!;
  await world.clock.advance(3_602_000);
  await refused(third, slow.address, /expired/);
});

test("a boot that nobody has ordered gets no token", async () => {
  const machine = await held();
  const identify = { id: "identify/request.x/1/1/identify", do: "identify", state: "done", startedAt: "2030-01-01T00:00:00Z" };
  await world.client.for(Server).patch(machine.uuid, { status: { action: identify } }, { subresource: "status" });
  await world.settle();
  assert.match(await script(world, machine), /nobody has ordered that it boots now/);
});

test("whoever asks and asks is heard now and then only", async () => {
  const machine = await held();
  world.refused.length = 0;
  world.sightings.length = 0;
  for (let i = 0; i < 100; i++) await world.ask(`/configdata?uuid=${machine.uuid}`, "10.9.0.67");
  assert.equal(world.refused.filter((reason) => reason === "rate").length, 90);
  assert.equal(world.sightings.length, 10);
  const url = configIn(await script(world, machine), machine.uuid)!;
  assert.equal((await world.ask(url, machine.address)).status, 200, "whoever is entitled is heard");
});

test("--open-metadata: whoever asks gets it, and that is told; --identity network: unseen addresses are believed", async () => {
  const open = await startWorld({ isOpen: true });
  const machine = numbered(1);
  await hold(open, machine);
  const answer = await open.ask(`/configdata?uuid=${machine.uuid}`, AFAR);
  assert.deepEqual([answer.status, answer.text.includes("secret.machinetoken")], [200, true]);
  assert.equal((await open.client.for(ServerBinding).get(machine.uuid)).status?.configuration?.open, true);
  assert.ok((await open.events()).some((told) => /which showed no token \(--open-metadata\)/.test(told)));
  await open.stop();

  const trusting = await startWorld({ identity: "network" });
  await hold(trusting, machine);
  const url = configIn(await script(trusting, machine, AFAR), machine.uuid)!;
  assert.equal((await trusting.ask(url, "192.0.2.67")).status, 403, "but not any other than the one that asked for the script");
  assert.equal((await trusting.ask(url, AFAR)).status, 200);
  await trusting.stop();
});
