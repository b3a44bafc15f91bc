/** From both sides of the simulated BMC: set up from within, and proven by a session over the (simulated) network, as in operation. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SealedCredentials } from "#bmc/credentials.ts";
import { SensorCatalog } from "#bmc/ipmi/health.ts";
import { proveIpmi } from "#bmc/ipmi/proof.ts";
import { IpmiSockets } from "#bmc/ipmi/sockets.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { MemoryNetwork } from "#io/memory/network.ts";
import { systemCrypto } from "#io/node/crypto.ts";
import { serveIpmi } from "../../sim/bmc/ipmi/serve.ts";
import type { IpmiFaults } from "../../sim/bmc/ipmi/options.ts";
import { Rig } from "./bmc-rig.ts";
import type { RigBmc } from "./bmc-rig.ts";

const ADDRESS = "10.9.0.9";

async function simulated(suites: readonly number[], faults: IpmiFaults = {}): Promise<{ rig: Rig<RigBmc>; clock: VirtualClock }> {
  const clock = new VirtualClock();
  const network = new MemoryNetwork();
  const [board, server] = [network.host(), network.host()];
  board.connect("management", "bmc", [`${ADDRESS}/24`]);
  server.connect("management", "eth0", ["10.9.0.1/24"]);
  const { bmc } = await serveIpmi({
    openUdp: board.openUdp,
    host: ADDRESS,
    clock,
    entropy: new SeededEntropy(1),
    crypto: systemCrypto,
    guid: new Uint8Array(16).fill(7),
    users: [{ name: "ADMIN", password: "ADMIN" }],
    chassis: { isOn: () => true, control() {} },
    lan: { address: ADDRESS, mac: "02:00:00:00:00:09" },
    suites,
    faults,
  });
  const doors = {
    sockets: new IpmiSockets(server.openUdp),
    catalog: new SensorCatalog(),
    clock,
    entropy: new SeededEntropy(2),
    crypto: systemCrypto,
    resolve: async (host: string) => host,
  };
  const both: RigBmc = {
    answer: (message) => bmc.channel.request(message),
    login: async ({ address, port, user, password }) => {
      const credentials = new SealedCredentials(user, password);
      const power = await proveIpmi(doors, { host: address, port, credentials }, new AbortController().signal);
      assert.equal(power, "on");
    },
  };
  return { rig: new Rig(both, clock), clock };
}

for (const suites of [[3, 17], [3], [17], [0, 3]]) {
  test(`cipher suites ${suites.join(" and ")}: made, kept, changed`, async () => {
    const { rig } = await simulated(suites);
    assert.match(await rig.attempt(), /the account sidero was made, and the server has logged in with it at 10\.9\.0\.9/);
    assert.ok(await rig.isDone());
    const { pass } = rig.secret!;
    assert.equal(await rig.attempt(), "the account sidero works");
    assert.match(await rig.attempt(true), /the account sidero2 was made/);
    assert.ok((await rig.isDone()) && rig.secret!["pass"] !== pass);
    assert.deepEqual(await rig.working(ADDRESS), ["sidero2"]);
  });
}

test("datagrams that are lost, late and doubled are no reason for another password", async () => {
  let count = 0;
  const mishap = () => ({ 0: { lost: true }, 3: { twice: true }, 5: { late: 700 } })[count++ % 7];
  const { rig } = await simulated([17], { incoming: mishap, outgoing: mishap });
  assert.match(await rig.attempt(), /was made/);
  assert.ok(await rig.isDone());
  assert.ok(!rig.lines.some((line) => line.includes("another password")));
});

test("a BMC that hangs on the network is said to be out of reach, and found when it is back", async () => {
  const faults: { hangs: boolean } = { hangs: true };
  const { rig } = await simulated([3, 17], { incoming: () => (faults.hangs ? { lost: true } : undefined) });
  await assert.rejects(rig.attempt(), /the server cannot log in/);
  assert.equal(rig.server.spec?.bmc, undefined);
  faults.hangs = false;
  assert.equal(await rig.attempt(), "the account sidero works");
  assert.ok(await rig.isDone());
});
