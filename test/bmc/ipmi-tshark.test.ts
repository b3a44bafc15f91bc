/** Wireshark's dissectors read our commands and our simulated BMC's answers, in sessions that hide nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { IpmiOptions } from "#bmc/ipmi/ipmi.ts";
import type { OpenUdp } from "#io/udp.ts";
import { getChannelAccess, getChannelInfo } from "#wire/ipmi/app/channel.ts";
import { getUserAccess, getUserName, setUserAccess, setUserName, setUserPassword } from "#wire/ipmi/app/user.ts";
import { call } from "#wire/ipmi/command.ts";
import { readSel } from "#wire/ipmi/storage/sel.ts";
import { encodeVlan, LAN_PARAMETER } from "#wire/ipmi/transport/lan-parameter.ts";
import { getLanParameter, setLanParameter } from "#wire/ipmi/transport/lan.ts";
import { withoutPeer } from "../peers/locate.ts";
import type { Datagram } from "../wire/capture.ts";
import { dissect } from "../wire/dissect.ts";
import { makeWorld, NEVER } from "./ipmi-fixture.ts";
import type { World } from "./ipmi-fixture.ts";

const skip = withoutPeer("tshark");
const [CLIENT, BMC] = ["10.0.0.1", "10.0.0.9"];

const FIELDS = [
  "ipmi.header.netfn",
  "ipmi.header.command",
  "ipmi.header.completion",
  "ipmi.header.crc",
  "ipmi.ch02.chassis_control",
  "ipmi.ch08.selector",
  "ipmi.app39.user",
  "ipmi.tr02.param",
  "_ws.expert.message",
] as const;

/** All that goes over the wire while the client does everything it knows. */
async function record(options: Partial<IpmiOptions>, types15?: readonly number[]): Promise<Datagram[]> {
  const seen: Datagram[] = [];
  const note = (fromClient: boolean, payload: Uint8Array): void => {
    const [source, destination] = fromClient ? [CLIENT, BMC] : [BMC, CLIENT];
    const [sourcePort, destinationPort] = fromClient ? [40_000, 623] : [623, 40_000];
    seen.push({ source, destination, sourcePort, destinationPort, payload: payload.slice() });
  };
  const tap =
    (world: World): OpenUdp =>
    async (asked, receive) => {
      const socket = await world.openUdp(asked, (datagram) => {
        note(false, datagram.bytes);
        receive(datagram);
      });
      return {
        ...socket,
        send: (bytes, to) => {
          note(true, bytes);
          return socket.send(bytes, to);
        },
      };
    };
  const world = await makeWorld({ suites: [0], ...(types15 === undefined ? {} : { types15 }) });
  const { finish, served } = world;
  served.bmc.log(8, 5, 0x6f, [1, 0xff, 0xff]);
  const bmc = world.client({ cipherSuite: 0, ...options }, tap(world));
  await finish(bmc.capabilities(NEVER));
  await finish(bmc.inventory(NEVER));
  await finish(bmc.command("on", NEVER));
  await finish(bmc.bootOnce({ device: "pxe", firmware: "uefi" }, NEVER));
  await finish(bmc.identify(true, NEVER));
  await finish(bmc.health(NEVER));
  const { channel } = bmc;
  await finish(readSel(channel, 10));
  await finish(call(channel, getChannelInfo, 1));
  await finish(call(channel, getChannelAccess, { channel: 1, setting: "volatile" }));
  await finish(call(channel, setUserName, { user: 4, name: "agent" }));
  await finish(call(channel, setUserPassword, { user: 4, operation: "set", password: "agent" }));
  const access = { channel: 1, user: 4, onlyCallback: false, linkAuthentication: true, messaging: true, privilege: 4 };
  await finish(call(channel, setUserAccess, access));
  await finish(call(channel, getUserAccess, { channel: 1, user: 4 }));
  await finish(call(channel, getUserName, 4));
  await finish(call(channel, setLanParameter, { channel: 1, parameter: LAN_PARAMETER.vlan, data: encodeVlan(5) }));
  await finish(call(channel, getLanParameter, { channel: 1, parameter: LAN_PARAMETER.vlan }));
  await finish(bmc.close());
  return seen;
}

for (const { name, options, types15 } of [
  { name: "IPMI 2.0", options: {}, types15: undefined },
  { name: "IPMI 1.5", options: { interface: "lan" }, types15: [0] },
] as const) {
  test(`nothing is malformed, and everything is what was meant: ${name}`, { skip }, async () => {
    const datagrams = await record(options, types15);
    assert.ok(datagrams.length > 100);
    const read = dissect(datagrams, FIELDS, ["ipmi.dissect_bus_commands:TRUE"]);
    const expert = read.flatMap((fields) => fields["_ws.expert.message"]!);
    // Commands about users and channels are among those that it does not take apart.
    assert.deepEqual(new Set(expert), new Set(["[PARSER NOT IMPLEMENTED]"]));
    const all = (field: (typeof FIELDS)[number]): Set<number> => new Set(read.flatMap((fields) => fields[field]!.map(Number)));
    const opening = read.filter((fields) => fields["ipmi.header.command"]!.length === 0).length;
    assert.equal(opening, name === "IPMI 2.0" ? 6 : 0, "all others are commands and answers");
    for (const command of [
      0x01, 0x37, 0x38, 0x3b, 0x3c, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x02, 0x08, 0x09, 0x10, 0x11, 0x23, 0x2d,
    ]) {
      assert.ok(all("ipmi.header.command").has(command), `command 0x${command.toString(16)}`);
    }
    assert.deepEqual(
      [...all("ipmi.header.netfn")].toSorted((a, b) => a - b),
      [0x00, 0x01, 0x04, 0x05, 0x06, 0x07, 0x0a, 0x0b, 0x0c, 0x0d],
    );
    assert.deepEqual([...all("ipmi.header.completion")], [0]);
    assert.deepEqual([...all("ipmi.ch02.chassis_control")], [1]);
    assert.deepEqual([...all("ipmi.ch08.selector")], [0, 3, 4, 5]);
    assert.deepEqual([...all("ipmi.tr02.param")], [LAN_PARAMETER.vlan]);
    if (name === "IPMI 1.5")
      assert.ok(read.some((fields) => fields["ipmi.app39.user"]!.some((user) => user.startsWith("admin"))));
  });
}
