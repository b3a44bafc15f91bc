/** The metadata trees for systems other than Talos: the same facts, under the same rule. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { numbered } from "./held.ts";
import { hold, script, startWorld, type World } from "./world.ts";

const USER_DATA = "#cloud-config\nwrite_files:\n- {path: /secret, content: secret.value}\n";
const ARGS = ["ds=nocloud;s=http://10.0.0.1:8081/cloud/nocloud/ talos.config=none"];

let world: World;
let next = 1;
before(async () => {
  world = await startWorld();
  await world.client.for(Environment).patch("default", { spec: { kernel: { args: ARGS } } });
  await world.settle();
});
after(() => world.stop());

/** A machine, and the URL that its script gives it for a seed. */
async function booted(): Promise<{ machine: ReturnType<typeof numbered>; seed: string; token: string }> {
  const machine = numbered(next++);
  await hold(world, machine, { config: USER_DATA });
  const [, token] =
    /ds=nocloud;s=http:\/\/10\.0\.0\.1:8081\/cloud\/([\w-]{100,})\/nocloud\/ /.exec(await script(world, machine)) ?? [];
  assert.ok(token !== undefined);
  return { machine, token, seed: `/cloud/${token}/nocloud/` };
}

test("a NoCloud seed: facts first, and user data as it is, which is put on record", async () => {
  const { machine, seed } = await booted();
  const { metadata } = await world.client.for(ServerBinding).get(machine.uuid);
  const facts = JSON.parse((await world.ask(`${seed}meta-data`, machine.address)).text) as Record<string, string>;
  assert.deepEqual(facts, {
    "instance-id": metadata.uid,
    "local-hostname": `m-${machine.uuid.slice(-4)}`,
    "server-uuid": machine.uuid,
    "provider-id": `sidero://${machine.uuid}`,
  });
  assert.deepEqual(await world.ask(`${seed}vendor-data`, machine.address), { status: 200, text: "" });
  assert.equal((await world.client.for(ServerBinding).get(machine.uuid)).status?.configuration, undefined);
  assert.deepEqual(await world.ask(`${seed}user-data`, machine.address), { status: 200, text: USER_DATA });
  assert.equal((await world.client.for(ServerBinding).get(machine.uuid)).status?.configuration?.address, machine.address);
  assert.equal((await world.ask(`${seed}network-config`, machine.address)).status, 404, "cloud-init asks by DHCP then");
});

test("OpenStack's tree, and the data alone", async () => {
  const { machine, token } = await booted();
  const ask = async (path: string) => (await world.ask(`/cloud/${token}/${path}`, machine.address)).text;
  assert.match(await ask("openstack"), /^latest$/m);
  const { hostname, meta } = JSON.parse(await ask("openstack/latest/meta_data.json")) as Record<string, unknown>;
  assert.deepEqual(
    [hostname, meta],
    [`m-${machine.uuid.slice(-4)}`, { "server-uuid": machine.uuid, "provider-id": `sidero://${machine.uuid}` }],
  );
  assert.deepEqual(JSON.parse(await ask("openstack/2018-08-27/network_data.json")), {
    links: [{ id: "link0", type: "phy", ethernet_mac_address: machine.mac }],
    networks: [{ id: "dhcp-link0", type: "ipv4_dhcp", link: "link0" }],
    services: [],
  });
  assert.deepEqual(JSON.parse(await ask("openstack/latest/vendor_data.json")), {});
  assert.equal(await ask("openstack/latest/user_data"), USER_DATA);
  assert.equal(await ask("user-data"), USER_DATA);
});

test("not without the token, nor from elsewhere; and the token is shown to nobody", async () => {
  const { machine, seed, token } = await booted();
  world.neighbours.set("10.9.0.66", "52:54:00:66:66:66");
  assert.equal((await world.ask(`${seed}user-data`, "10.9.0.66")).status, 403);
  assert.equal((await world.ask("/cloud/nocloud/user-data", machine.address)).status, 403);
  assert.equal((await world.ask(`/cloud/${machine.uuid}/user-data`, machine.address)).status, 403);
  assert.equal((await world.ask(`${seed}nothing`, machine.address)).status, 404);
  const told = [...world.sightings.map(({ text }) => text), ...(await world.events())];
  assert.ok(told.some((text) => text.includes("/cloud/***/nocloud/nothing")));
  for (const text of told) assert.ok(!text.includes(token.slice(0, 40)) && !text.includes("secret."), text);
});
