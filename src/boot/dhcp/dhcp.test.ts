import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryJournal } from "#io/memory/journal.ts";
import { MemoryNetwork } from "#io/memory/network.ts";
import { readSubnets } from "#decide/dhcp/subnets.ts";
import { Fault } from "#std/fault.ts";
import { encode } from "#wire/dhcp/encode.ts";
import type { Packet } from "#wire/dhcp/packet.ts";
import { captured, MAC, request, turns, Wire } from "../../../test/boot/dhcp-client.ts";
import { lease, machine, POOL, rack, serve } from "../../../test/boot/dhcp-rack.ts";

function selecting(serverId: string, requestedAddress: string): Packet {
  const packet = captured("ovmf-pxe-request");
  return { ...packet, options: { ...packet.options, serverId, requestedAddress } };
}

test("a proxy beside another server: boot options from us, the address from them, and who said what", async (context) => {
  const { network, sightings, dhcp } = await rack(context);
  const wire = await machine(network);
  const other = network.host();
  other.connect("wire", "eth0", ["10.0.0.9/24"]);
  const theirs = await other.openUdp({ family: 4, host: "", port: 67, interface: "eth0", broadcast: true }, () => {});
  const discover = captured("ovmf-pxe-discover");
  const [offer] = await wire.ask(discover);
  assert.deepEqual([offer!.yiaddr, offer!.siaddr, offer!.file], ["0.0.0.0", "10.0.0.1", "snp.efi"]);
  const reply: Packet = {
    ...discover,
    op: "reply",
    yiaddr: "10.0.0.77",
    siaddr: "10.0.0.8",
    file: "evil.efi",
    options: { messageType: "offer", serverId: "10.0.0.9" },
  };
  await theirs.send(encode(reply), { address: "255.255.255.255", port: 68 });
  await turns();
  assert.deepEqual(await wire.ask(selecting("10.0.0.9", "10.0.0.77")), []);
  await wire.ask(selecting("10.0.0.9", "10.0.0.77"), "10.0.0.1", 4011);
  assert.deepEqual(
    sightings.map(({ what, text }) => [what, text]),
    [
      ["dhcp.discover", "firmware (PXE) (x64 UEFI) asked for an address, on eth0"],
      ["dhcp.offer", "offered snp.efi by TFTP from 10.0.0.1"],
      ["dhcp.other-server", "10.0.0.9 offered 10.0.0.77, to boot evil.efi from 10.0.0.8"],
      ["dhcp.other-server", "the machine took 10.0.0.77 from 10.0.0.9"],
      ["dhcp.ack", "gave snp.efi by TFTP from 10.0.0.1"],
    ],
  );
  assert.deepEqual(sightings[0]!.of, { mac: MAC, uuid: "00112233-4455-6677-8899-aabbccddeeff" });
  assert.deepEqual(
    [sightings[0]!.begins, sightings[3]!.of.address, sightings[4]!.waitingFor],
    [true, "10.0.0.77", "it to fetch snp.efi"],
  );
  assert.equal(dhcp.holderOf("10.0.0.77"), MAC);
});

test("iPXE begins a boot when it comes from the card's ROM, not when firmware has just had it from us", async (context) => {
  const { network, sightings, clock } = await rack(context);
  const wire = await machine(network);
  const begins = async (name: string): Promise<boolean> => {
    sightings.length = 0;
    await wire.ask(captured(name));
    return sightings.find(({ what }) => what === "dhcp.discover")!.begins === true;
  };
  assert.equal(await begins("ipxe-rom-bios-discover"), true);
  assert.equal(await begins("ovmf-pxe-discover"), true);
  assert.equal(await begins("snponly-discover"), false);
  await clock.advance(301_000);
  assert.equal(await begins("ipxe-rom-bios-discover"), true);
});

test("a system that boots from its disk is none of a proxy's business", async (context) => {
  const { network, sightings } = await rack(context);
  assert.deepEqual(await (await machine(network)).ask(request({})), []);
  assert.deepEqual(sightings, []);
});

test("a server's leases are durable before they are told, and there after a restart", async (context) => {
  const journal = new MemoryJournal();
  const subnets = readSubnets({ subnets: [{ ...POOL, leaseTime: "1h" }] });
  const first = await rack(context, { subnets, journal });
  const wire = await machine(first.network);
  const given = await lease(wire);
  assert.equal(given, "10.0.0.50");
  assert.equal(await lease(await machine(first.network), "52:54:00:00:00:02"), "10.0.0.51");
  assert.deepEqual(first.dhcp.status(), {
    interfaces: [{ name: "eth0", mode: "server", open: ["DHCP", "PXE", "other servers"], problems: [] }],
    leases: { "10.0.0.0/24": 2 },
  });
  assert.equal(first.dhcp.holderOf("10.0.0.50"), MAC);
  assert.deepEqual(
    first.sightings.slice(0, 3).map(({ what, text, of }) => [what, text, of.address]),
    [
      ["dhcp.discover", "a system asked for an address, on eth0", undefined],
      ["dhcp.offer", "offered 10.0.0.50 for 1h0m0s", undefined],
      ["dhcp.ack", "gave 10.0.0.50 for 1h0m0s", "10.0.0.50"],
    ],
  );
  await first.dhcp.close();
  await turns();

  const second = await serve(context, first.server, { subnets, journal: journal.crash() });
  assert.deepEqual(second.dhcp.status().leases, { "10.0.0.0/24": 2 });
  const [renewed] = await wire.ask(request({ messageType: "request", requestedAddress: "10.0.0.50" }));
  assert.deepEqual([renewed!.options.messageType, renewed!.yiaddr], ["ack", "10.0.0.50"]);
  const [stolen] = await wire.ask(
    request({ messageType: "request", requestedAddress: "10.0.0.50" }, { mac: "52:54:00:00:00:03" }),
  );
  assert.equal(stolen!.options.messageType, "nak");
  assert.equal(await lease(wire, "52:54:00:00:00:03"), "10.0.0.52");
});

test("no lease is told that the disk did not take", async (context) => {
  const journal = new MemoryJournal();
  const { network, lines } = await rack(context, { subnets: readSubnets({ subnets: [POOL] }), journal });
  const wire = await machine(network);
  journal.refusal = new Fault("io.no-space", "cannot write: no space left", { fault: "world", retry: "later" });
  assert.equal(await lease(wire), undefined);
  assert.deepEqual(lines, ["warn DHCP on eth0: cannot write: no space left"]);
  journal.refusal = undefined;
  assert.equal(await lease(wire), "10.0.0.50");
});

test("an address that a stranger uses is not offered", async (context) => {
  const { network, server, lines } = await rack(context, { subnets: readSubnets({ subnets: [POOL] }) });
  server.neighbours.set("10.0.0.50", "52:54:00:99:99:99");
  server.neighbours.set("10.0.0.51", MAC);
  const wire = await machine(network);
  assert.equal(await lease(wire), "10.0.0.51");
  assert.match(lines[0]!, /10\.0\.0\.50 is in use by 52:54:00:99:99:99/);
});

test("a relayed request gets an address of the relay's network, by the relay", async (context) => {
  const subnets = readSubnets({
    subnets: [POOL, { subnet: "10.9.0.0/24", mode: "server", pools: ["10.9.0.50"] }, { subnet: "10.8.0.0/24", mode: "off" }],
  });
  const { network } = await rack(context, { subnets });
  const host = network.host();
  host.connect("wire", "eth0", ["10.0.0.254/24", "10.9.0.254/24", "10.8.0.254/24"]);
  const relay = await Wire.open(host, "eth0", 67);
  const circuit = [{ code: 1, value: Uint8Array.of(7) }];
  const [offer] = await relay.ask(request({ relayAgent: circuit }, { giaddr: "10.9.0.254", hops: 1 }), "10.0.0.1");
  assert.deepEqual(
    [offer!.yiaddr, offer!.giaddr, offer!.options.relayAgent, offer!.options.serverId],
    ["10.9.0.50", "10.9.0.254", circuit, "10.0.0.1"],
  );
  const selection = [{ code: 5, value: Uint8Array.of(10, 0, 0, 0) }];
  const [selected] = await relay.ask(
    request({ relayAgent: selection }, { giaddr: "10.9.0.254", mac: "52:54:00:00:00:08" }),
    "10.0.0.1",
  );
  assert.equal(selected!.yiaddr, "10.0.0.50");
  const off = { ...captured("ovmf-pxe-discover"), giaddr: "10.8.0.254" };
  assert.deepEqual(await relay.ask(off, "10.0.0.1"), []);
  // Renewing goes straight to the server, with the address of the routed network.
  await relay.ask(
    request({ messageType: "request", serverId: "10.0.0.1", requestedAddress: "10.9.0.50" }, { giaddr: "10.9.0.254" }),
    "10.0.0.1",
  );
  const routed = network.host();
  routed.connect("wire", "eth0", ["10.9.0.50/24"]);
  const [renewed] = await (
    await Wire.open(routed, "eth0")
  ).ask(request({ messageType: "request" }, { ciaddr: "10.9.0.50" }), "10.0.0.1");
  assert.deepEqual([renewed!.options.messageType, renewed!.yiaddr], ["ack", "10.9.0.50"]);
});

test("who may not boot, and who finds no address, is told, seen and logged once", async (context) => {
  const subnets = readSubnets({ subnets: [{ ...POOL, pools: ["10.0.0.50"] }] });
  const { network, sightings, lines } = await rack(context, {
    subnets,
    mayBoot: ({ mac }) => (mac === MAC ? "it is cordoned" : true),
  });
  const wire = await machine(network);
  const [offer] = await wire.ask(captured("ovmf-pxe-discover"));
  assert.equal(offer!.file, "refused/it-is-cordoned");
  await wire.ask(captured("ovmf-pxe-discover"));
  await wire.ask(request({}, { mac: "52:54:00:00:00:02" }));
  const refused = sightings.filter(({ what }) => what === "dhcp.refused").map(({ text, waitingFor }) => [text, waitingFor]);
  assert.deepEqual(refused, [
    ["may not boot: it is cordoned", undefined],
    ["may not boot: it is cordoned", undefined],
    ["no address is free in 10.0.0.0/24", "an address"],
  ]);
  assert.deepEqual(lines, [
    `warn DHCP: ${MAC}: may not boot: it is cordoned`,
    "warn DHCP: 52:54:00:00:00:02: no address is free in 10.0.0.0/24",
  ]);
});

test("damaged and foreign datagrams are passed over", async (context) => {
  const { network, server, sightings, lines } = await rack(context, { subnets: readSubnets({ subnets: [POOL] }) });
  const host = network.host();
  host.connect("wire", "nic", []);
  const socket = await host.openUdp({ family: 4, host: "", port: 68, broadcast: true }, () => {});
  const whole = encode(captured("ovmf-pxe-discover"), 1500);
  for (let i = 0; i < whole.length; i += 7) {
    for (const port of [67, 4011, 68]) await socket.send(whole.subarray(0, i), { address: "255.255.255.255", port });
  }
  await turns();
  assert.deepEqual([lines, sightings.every(({ what }) => what.startsWith("dhcp."))], [[], true]);
  assert.ok(server.neighbours.size === 0);
});

test("thousands of machines that ask at once are answered, each with an address of its own", async (context) => {
  const subnets = readSubnets({ subnets: [{ subnet: "10.0.0.0/16", mode: "server", pools: ["10.0.1.0-10.0.255.0"] }] });
  const { network } = await rack(context, { subnets });
  const wire = await machine(network);
  const host = network.host();
  host.connect("wire", "many", []);
  const socket = await host.openUdp({ family: 4, host: "", port: 1068, interface: "many", broadcast: true }, () => {});
  const discover = captured("ovmf-pxe-discover");
  const count = 2000;
  const datagrams = Array.from({ length: count }, (_, i) =>
    encode({ ...discover, xid: i, chaddr: Uint8Array.of(2, 0, 0, i >> 16, i >> 8, i) }, 1500),
  );
  const started = performance.now();
  for (const [i, bytes] of datagrams.entries()) {
    await socket.send(bytes, { address: "255.255.255.255", port: 67 });
    if (i % 500 === 499) await turns();
  }
  await turns();
  const seconds = (performance.now() - started) / 1000;
  assert.equal(new Set(wire.replies.map(({ yiaddr }) => yiaddr)).size, count);
  context.diagnostic(`${Math.round(count / seconds)} discovers a second`);
});

test("router solicitations: everyone's where we are the server, those of booting machines where we are a proxy", async (context) => {
  const ask = async (subnets: object[], from: string): Promise<string[]> => {
    const network = new MemoryNetwork();
    const server = network.host();
    server.connect("wire", "eth0", ["10.0.0.1/24", "fd77::1/64"], "52:54:00:00:00:fe");
    await serve(context, server, { subnets: readSubnets({ subnets }) });
    await (await machine(network)).ask(captured("ovmf-pxe-discover"));
    const host = network.host();
    host.connect("wire", "nic", [`${from}/64`]);
    const heard: string[] = [];
    const options = { interface: "nic", types: [134], groups: [] };
    const socket = await host.openIcmp6(options, ({ bytes }) => heard.push(Buffer.from(bytes).toString("hex")));
    for (let i = 0; i < 2; i++) await socket.send(Uint8Array.of(133, 0, 0, 0, 0, 0, 0, 0), "ff02::2");
    await turns();
    return heard;
  };
  const [unmanaged, managed] = ["86000000000000000000000000000000", "8600000000c000000000000000000000"];
  const v6 = { subnet: "fd77::/64", mode: "server", pools: ["fd77::50"] };
  const booting = "fe80::5054:ff:fe12:3456";
  assert.deepEqual(await ask([], booting), [unmanaged, unmanaged]);
  assert.deepEqual(await ask([], "fe80::5054:ff:fe99:9999"), []);
  assert.deepEqual(await ask([POOL], "fe80::5054:ff:fe99:9999"), [unmanaged, unmanaged]);
  assert.deepEqual(await ask([POOL, v6], "fe80::1"), [managed, managed]);
  // To everyone, because it has no address yet, and not twice within three seconds.
  assert.deepEqual(await ask([POOL], "::"), [unmanaged]);
});
