/** Machines whose BMCs nobody has introduced: their agents make the accounts, and from then on they are switched by them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { plugIn } from "../../sim/bmc/attach.ts";
import { Board } from "../../sim/bmc/board.ts";
import { Hall } from "../../sim/hall.ts";

test("accepted machines make an account on their BMC, are wiped, and switched off with it", async () => {
  const hall = new Hall({ seed: 5, machines: 12, flags: { "auto-accept-servers": "true" } });
  const entropy = new SeededEntropy(3);
  for (const [i, machine] of hall.machines.entries()) {
    if (machine.identity.model.bmc === "none") continue;
    const board = new Board({ machine, address: `10.88.1.${i + 1}`, user: "admin", password: "theirs", onAction: () => {} });
    await plugIn(board, { web: hall.web, network: hall.network, clock: hall.clock, entropy });
  }
  await hall.during(hall.start());
  for (const machine of hall.machines) machine.switchOn();
  await hall.pass(1_800_000);
  const { items } = await hall.during(hall.process!.client.for(Server).list());
  const servers = new Map(items.map((server) => [server.metadata.name, server]));
  const withIpmi = hall.machines.filter(({ identity }) => identity.model.bmc === "ipmi");
  assert.ok(withIpmi.length > 2);
  for (const { identity, power } of withIpmi) {
    const { spec, status } = servers.get(identity.uuid)!;
    assert.equal(spec?.bmc?.userFrom?.secretKeyRef?.name, `${identity.uuid}-bmc`, identity.serial);
    assert.deepEqual([status?.phase, status?.isClean, power], ["Available", true, "off"], identity.serial);
  }
  for (const { identity } of hall.machines.filter(({ identity: { model } }) => model.bmc === "none")) {
    assert.equal(servers.get(identity.uuid)!.spec?.bmc, undefined);
  }
  await hall.stop();
});
