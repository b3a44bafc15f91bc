import assert from "node:assert/strict";
import { test } from "node:test";
import { clientOf } from "#wire/dhcp/client.ts";
import { decode } from "#wire/dhcp/decode.ts";
import { encode } from "#wire/dhcp/encode.ts";
import type { Packet } from "#wire/dhcp/packet.ts";
import { decodePxe } from "#wire/dhcp/pxe.ts";
import { captured, MAC, programFor, request } from "../../../test/boot/dhcp-client.ts";
import { answer, claimantOf } from "./answer.ts";
import type { Answer, Facts, Reply, Scope } from "./answer.ts";
import { Leases } from "./leases.ts";
import { readSubnets } from "./subnets.ts";

const OUR = "10.0.0.1";
const FACTS: Facts = {
  now: 0,
  port: 67,
  from: { address: "0.0.0.0", port: 68 },
  address: OUR,
  ours: new Set([OUR, "127.0.0.1"]),
  boot: { server: OUR, port: 8081, programFor, mayBoot: true },
  scopes: [],
};

function ask(packet: Packet, more: Partial<Facts> = {}): Answer {
  return answer(packet, clientOf(packet), { ...FACTS, ...more });
}

/** The reply as the client reads it. */
function replyTo(packet: Packet, more: Partial<Facts> = {}): Reply {
  const given = ask(packet, more);
  if (given.kind === "silence") assert.fail(given.because);
  return { ...given, packet: decode(encode(given.packet, packet.options.maxMessageSize)) };
}

function silenceOf(packet: Packet, more: Partial<Facts> = {}): string {
  const given = ask(packet, more);
  return given.kind === "silence" ? given.because : assert.fail(`answered: ${given.text}`);
}

function scope(fields: object = {}): Scope {
  const entry = {
    subnet: "10.0.0.0/24",
    mode: "server",
    pools: ["10.0.0.50-10.0.0.59"],
    routers: ["10.0.0.254"],
    dns: ["10.0.0.53"],
    ...fields,
  };
  const subnet = readSubnets({ subnets: [entry] })[0]!;
  return { subnet, leases: new Leases(subnet) };
}

/** What the machine sees: header and options. */
function boots({ packet }: Reply): unknown[] {
  const { options, siaddr, sname, file } = packet;
  return [siaddr, sname, file, options.tftpServerName, options.bootFile, options.vendorClass];
}

const BY_TFTP = (name: string, vendorClass: string | undefined = "PXEClient"): unknown[] => [
  OUR,
  OUR,
  name,
  OUR,
  name,
  vendorClass,
];
const BY_HTTP = (path: string, vendorClass: string): unknown[] => [
  OUR,
  "",
  `http://10.0.0.1:8081/${path}`,
  undefined,
  `http://10.0.0.1:8081/${path}`,
  vendorClass,
];

test("a proxy tells captured firmware what to boot, and iPXE the script", () => {
  const cases: [string, unknown[]][] = [
    ["ipxe-rom-bios-discover", BY_HTTP("boot.ipxe", "PXEClient")],
    ["undionly-discover", BY_HTTP("boot.ipxe", "PXEClient")],
    ["snponly-discover", BY_HTTP("boot.ipxe", "PXEClient")],
    ["ovmf-pxe-discover", BY_TFTP("snp.efi")],
    ["ovmf-http-discover", BY_HTTP("tftp/snp.efi", "HTTPClient")],
    ["ovmf-ia32-discover", BY_TFTP("refused/no-boot-program-for-x86-UEFI")],
    ["aavmf-discover", BY_TFTP("snp-arm64.efi")],
    ["u-boot-discover", [OUR, OUR, "snp-arm64.efi", OUR, "snp-arm64.efi", undefined]],
    ["u-boot-efi-discover", BY_TFTP("snp-arm64.efi")],
  ];
  for (const [name, expected] of cases) {
    const packet = captured(name);
    const reply = replyTo(packet);
    assert.deepEqual(boots(reply), expected, name);
    const { options, xid, chaddr, flags, yiaddr } = reply.packet;
    assert.deepEqual([options.messageType, options.serverId, yiaddr], ["offer", OUR, "0.0.0.0"], name);
    assert.deepEqual(
      [xid, chaddr, flags, options.clientUuid],
      [packet.xid, packet.chaddr, packet.flags, packet.options.clientUuid],
      name,
    );
    assert.deepEqual(reply.to, { address: "255.255.255.255", port: 68 });
    if (options.vendorClass === "PXEClient")
      assert.deepEqual(decodePxe(options.vendorSpecific!).options, { discoveryControl: 8 }, name);
  }
});

test("a proxy answers what is meant for it, and is silent otherwise", () => {
  const selecting = captured("ovmf-pxe-request");
  const chosen = (serverId: string): Packet => ({ ...selecting, options: { ...selecting.options, serverId } });
  assert.match(silenceOf(chosen("10.0.0.9")), /chosen the server 10\.0\.0\.9/);
  assert.equal((ask(chosen("10.0.0.9")) as { otherServer?: string }).otherServer, "10.0.0.9");
  // It takes an address, so it speaks to a DHCP server on our host.
  assert.match(silenceOf(chosen(OUR)), /chosen the server 10\.0\.0\.1/);
  const { requestedAddress: _, ...options } = chosen(OUR).options;
  assert.equal(replyTo({ ...selecting, options }).packet.options.messageType, "ack");
  assert.match(silenceOf(request({})), /does not boot/);
  assert.match(silenceOf(request({ messageType: "request" })), /does not boot/);
  assert.match(silenceOf({ ...selecting, options: { ...selecting.options, messageType: "release" } }), /does not answer release/);
  assert.match(silenceOf({ ...selecting, op: "reply" }), /no request/);
  assert.match(silenceOf(captured("ovmf-pxe-discover"), { boot: undefined }), /does not boot/);
  const inform = { ...captured("ovmf-pxe-discover"), ciaddr: "10.0.0.77" };
  const reply = replyTo({ ...inform, options: { ...inform.options, messageType: "inform" } });
  assert.deepEqual(
    [reply.packet.options.messageType, reply.packet.ciaddr, reply.to],
    ["ack", "10.0.0.77", { address: "10.0.0.77", port: 68 }],
  );
});

test("the boot server on 4011 acknowledges with the file and the item that was asked for", () => {
  const base = captured("ovmf-pxe-request");
  const item = Uint8Array.of(71, 4, 0, 0, 0, 0, 255);
  const packet: Packet = { ...base, ciaddr: "10.0.0.77", options: { ...base.options, vendorSpecific: item } };
  const reply = replyTo(packet, { port: 4011, from: { address: "10.0.0.77", port: 4011 } });
  assert.deepEqual([reply.to, boots(reply)], [{ address: "10.0.0.77", port: 4011 }, BY_TFTP("snp.efi")]);
  assert.deepEqual(decodePxe(reply.packet.options.vendorSpecific!).options, {
    discoveryControl: 8,
    bootItem: { type: 0, layer: 0 },
  });
  assert.deepEqual(replyTo(packet, { port: 4011 }).to, { address: "255.255.255.255", port: 68 });
  assert.match(silenceOf(request({ messageType: "request" }), { port: 4011 }), /does not boot/);
  const torn = { ...packet, options: { ...packet.options, vendorSpecific: Uint8Array.of(71, 9, 0) } };
  assert.deepEqual(boots(replyTo(torn, { port: 4011 })), BY_TFTP("snp.efi"));
});

test("a machine that may not boot is told why by the name of its file", () => {
  const refused = { boot: { ...FACTS.boot!, mayBoot: "Server 4711 is cordoned: ask Jörg (rack 7)" } };
  assert.deepEqual(
    boots(replyTo(captured("ovmf-pxe-discover"), refused)),
    BY_TFTP("refused/Server-4711-is-cordoned-ask-Jo-rg-rack-7"),
  );
  assert.equal(
    replyTo(captured("ovmf-http-discover"), refused).packet.file,
    "http://10.0.0.1:8081/refused/Server-4711-is-cordoned-ask-Jo-rg-rack-7",
  );
  const unknown = request({ vendorClass: "PXEClient:Arch:00099:UNDI:003001" });
  assert.equal(replyTo(unknown).file?.refusal, "unknown architecture: it names 99");
  const long = replyTo(captured("ovmf-pxe-discover"), { boot: { ...FACTS.boot!, mayBoot: "x ".repeat(200) } });
  assert.ok(long.packet.file.length < 128);
});

test("nobody runs in circles: iPXE without HTTP gets a program by TFTP, not the script", () => {
  const ipxe = captured("undionly-discover");
  const without = { ...ipxe, options: { ...ipxe.options, ipxe: ipxe.options.ipxe!.filter(({ code }) => code !== 0x13) } };
  assert.deepEqual(boots(replyTo(without)), BY_TFTP("undionly.kpxe"));
  const bare = { ...ipxe, options: { ...ipxe.options, ipxe: [] } };
  assert.equal(replyTo(bare).packet.file, "http://10.0.0.1:8081/boot.ipxe");
});

test("ports, families and long names of the endpoint", () => {
  const at = (server: string, port: number): string =>
    replyTo(captured("ovmf-http-discover"), { boot: { ...FACTS.boot!, server, port } }).packet.options.bootFile!;
  assert.equal(at("192.0.2.1", 80), "http://192.0.2.1/tftp/snp.efi");
  assert.equal(at("192.0.2.1", 65535), "http://192.0.2.1:65535/tftp/snp.efi");
  const name = `${"d/".repeat(80)}snp.efi`;
  const reply = replyTo(captured("ovmf-pxe-discover"), { boot: { ...FACTS.boot!, programFor: () => ({ name }) } });
  assert.deepEqual([reply.packet.file, reply.packet.options.bootFile], ["", name]);
});

test("a Raspberry Pi's ROM finds the words that it looks for; UEFI on it is as any other", () => {
  const rom = request(
    { vendorClass: "PXEClient:Arch:00000:UNDI:002001", clientArchitectures: [0] },
    { mac: "dc:a6:32:01:02:03" },
  );
  const reply = replyTo(rom);
  assert.deepEqual(boots(reply), BY_TFTP("snp-arm64.efi"));
  const { bootMenu, menuPrompt, discoveryControl } = decodePxe(reply.packet.options.vendorSpecific!).options;
  assert.deepEqual(
    [bootMenu, menuPrompt, discoveryControl],
    [[{ type: 0, description: "Raspberry Pi Boot" }], { timeout: 0, prompt: "PXE" }, 8],
  );
  const uefi = { ...rom, options: { ...rom.options, clientArchitectures: [11] } };
  assert.equal(decodePxe(replyTo(uefi).packet.options.vendorSpecific!).options.bootMenu, undefined);
});

test("a server gives addresses: offer, acknowledgement, renewal, release", () => {
  const here = scope();
  const discover = captured("ovmf-pxe-discover");
  const offer = replyTo(discover, { scopes: [here] });
  const { packet } = offer;
  assert.deepEqual(
    [packet.options.messageType, packet.yiaddr, packet.options.subnetMask],
    ["offer", "10.0.0.50", "255.255.255.0"],
  );
  assert.deepEqual([packet.options.routers, packet.options.dnsServers, offer.isNewOffer], [["10.0.0.254"], ["10.0.0.53"], true]);
  assert.deepEqual(
    [packet.options.leaseTime, packet.options.renewalTime, packet.options.rebindingTime],
    [43_200_000, 21_600_000, 37_800_000],
  );
  assert.deepEqual(boots(offer), BY_TFTP("snp.efi"));
  assert.equal(replyTo(discover, { scopes: [here] }).isNewOffer, undefined);

  const selecting = captured("ovmf-pxe-request");
  const select = (serverId: string, requestedAddress = "10.0.0.50"): Packet => ({
    ...selecting,
    options: { ...selecting.options, serverId, requestedAddress },
  });
  const ack = replyTo(select(OUR), { scopes: [here], now: 1000 });
  assert.deepEqual([ack.packet.options.messageType, ack.packet.yiaddr, boots(ack)], ["ack", "10.0.0.50", BY_TFTP("snp.efi")]);
  assert.deepEqual(ack.store, {
    address: "10.0.0.50",
    client: `mac ${MAC}`,
    mac: MAC,
    state: "bound",
    expires: 1000 + 43_200_000,
  });

  // The system, later, with an identifier of its own: the same machine, so the same address.
  const clientId = Uint8Array.of(255, 1, 2, 3);
  const renew = request({ messageType: "request", clientId, parameterRequestList: [1, 3] }, { ciaddr: "10.0.0.50" });
  const renewed = replyTo(renew, { scopes: [here], now: 5000, from: { address: "10.0.0.50", port: 68 } });
  assert.deepEqual([renewed.packet.yiaddr, renewed.packet.ciaddr, renewed.to.address], ["10.0.0.50", "10.0.0.50", "10.0.0.50"]);
  assert.deepEqual(
    [renewed.packet.options.clientId, renewed.packet.options.dnsServers, boots(renewed)],
    [clientId, undefined, ["0.0.0.0", "", "", undefined, undefined, undefined]],
  );
  assert.equal(renewed.store?.expires, 5000 + 43_200_000);

  const release = ask(request({ messageType: "release" }, { ciaddr: "10.0.0.50" }), { scopes: [here], now: 6000 });
  assert.deepEqual([release.kind, release.store?.expires], ["silence", 6000]);
  assert.match(
    silenceOf(request({ messageType: "release" }, { ciaddr: "10.0.0.50", mac: "52:54:00:00:00:09" }), {
      scopes: [here],
      now: 7000,
    }),
    /which it does not have/,
  );
});

test("a server refuses what is another's, of another network, or not to be given, and keeps silent where another was chosen", () => {
  const here = scope();
  const init = (requestedAddress: string, mac = MAC): Packet => request({ messageType: "request", requestedAddress }, { mac });
  replyTo(init("10.0.0.55"), { scopes: [here] });
  const cases: [Packet, RegExp][] = [
    [init("10.0.0.55", "52:54:00:00:00:02"), /10\.0\.0\.55 is another machine's/],
    [init("192.168.7.7"), /192\.168\.7\.7 is not of this network/],
    [init("10.0.0.200"), /10\.0\.0\.200 is not given away in 10\.0\.0\.0\/24/],
    [request({ messageType: "request" }, { ciaddr: "10.9.9.9" }), /10\.9\.9\.9 is not of this network/],
  ];
  for (const [packet, expected] of cases) {
    const nak = replyTo(packet, { scopes: [here], from: { address: packet.ciaddr, port: 68 } });
    assert.deepEqual([nak.packet.options.messageType, nak.packet.yiaddr, nak.to.address], ["nak", "0.0.0.0", "255.255.255.255"]);
    assert.match(nak.packet.options.message!, expected);
  }
  const offered = replyTo(request({}, { mac: "52:54:00:00:00:03" }), { scopes: [here] }).packet.yiaddr;
  assert.match(
    silenceOf(
      request({ messageType: "request", serverId: "10.0.0.9", requestedAddress: offered }, { mac: "52:54:00:00:00:03" }),
      { scopes: [here] },
    ),
    /chosen/,
  );
  assert.equal(replyTo(request({}, { mac: "52:54:00:00:00:04" }), { scopes: [here] }).packet.yiaddr === offered, false);
  assert.equal(here.leases.leaseOf(claimantOf(init(offered), clientOf(init(offered))), 0)!.address, "10.0.0.55");
  assert.match(silenceOf(request({ messageType: "request" }), { scopes: [here] }), /requests no address/);
  const small = scope({ pools: ["10.0.0.50"] });
  replyTo(request({}), { scopes: [small] });
  assert.match(
    silenceOf(request({}, { mac: "52:54:00:00:00:05" }), { scopes: [small] }),
    /no address is free in 10\.0\.0\.0\/24/,
  );
});

test("a declined address is given to nobody for a while, if it had been given", () => {
  const here = scope();
  const { yiaddr } = replyTo(request({}), { scopes: [here] }).packet;
  const decline = (mac: string): Packet => request({ messageType: "decline", requestedAddress: yiaddr }, { mac });
  assert.match(silenceOf(decline("52:54:00:00:00:09"), { scopes: [here] }), /does not have/);
  const declined = ask(decline(MAC), { scopes: [here] });
  assert.deepEqual([declined.store?.state, declined.store?.client], ["quarantined", ""]);
  assert.notEqual(replyTo(request({}), { scopes: [here] }).packet.yiaddr, yiaddr);
});

test("INFORM gets options and no address", () => {
  const here = scope({ ntp: ["10.0.0.4"], search: ["example.org"], domain: "example.org", mtu: 9000 });
  const { packet, to } = replyTo(request({ messageType: "inform" }, { ciaddr: "10.0.0.200" }), { scopes: [here] });
  assert.deepEqual([packet.yiaddr, packet.options.leaseTime, to], ["0.0.0.0", undefined, { address: "10.0.0.200", port: 68 }]);
  assert.deepEqual(
    [packet.options.ntpServers, packet.options.domainSearch, packet.options.interfaceMtu],
    [["10.0.0.4"], ["example.org"], 9000],
  );
});

test("relays: the reply goes to the relay with its option, refusals ask it to broadcast, and it may be taken for the server", () => {
  const here = scope({ subnet: "10.9.0.0/24", pools: ["10.9.0.50-10.9.0.59"] });
  const relayAgent = [
    { code: 1, value: Uint8Array.of(1, 2) },
    { code: 11, value: Uint8Array.of(10, 9, 0, 254) },
  ];
  const offer = replyTo(request({ relayAgent }, { giaddr: "10.9.0.254", hops: 1 }), { scopes: [here] });
  assert.deepEqual(
    [offer.packet.yiaddr, offer.packet.giaddr, offer.to],
    ["10.9.0.50", "10.9.0.254", { address: "10.9.0.254", port: 67 }],
  );
  assert.deepEqual([offer.packet.options.relayAgent, offer.packet.options.serverId], [relayAgent, "10.9.0.254"]);
  const ack = replyTo(
    request(
      { messageType: "request", relayAgent, serverId: "10.9.0.254", requestedAddress: "10.9.0.50" },
      { giaddr: "10.9.0.254" },
    ),
    { scopes: [here] },
  );
  assert.equal(ack.packet.options.messageType, "ack");
  const nak = replyTo(request({ messageType: "request", requestedAddress: "10.0.0.7" }, { giaddr: "10.9.0.254" }), {
    scopes: [here],
  });
  assert.deepEqual([nak.to, nak.packet.flags], [{ address: "10.9.0.254", port: 67 }, 0x8000]);
});

test("iPXE need not wait for a proxy where we are the server; where another is, it must", () => {
  const discover = captured("undionly-discover");
  assert.deepEqual(replyTo(discover, { scopes: [scope()] }).packet.options.ipxe, [{ code: 176, value: Uint8Array.of(1) }]);
  assert.equal(replyTo(discover).packet.options.ipxe, undefined);
  assert.equal(replyTo(captured("ovmf-pxe-discover"), { scopes: [scope()] }).packet.options.ipxe, undefined);
});

test("options of the subnets file go to everyone, instead of ours; a reservation's host name wins", () => {
  const here = scope({
    options: [
      { code: 3, addresses: ["10.0.0.7"] },
      { code: 224, hex: "0102" },
    ],
    reservations: [{ mac: MAC, address: "10.0.0.9", hostname: "rack-1" }],
  });
  const discover = request({ hostName: "mine", parameterRequestList: [12] });
  const { packet } = replyTo(discover, { scopes: [here] });
  assert.deepEqual([packet.yiaddr, packet.options.routers, packet.options.hostName], ["10.0.0.9", ["10.0.0.7"], "rack-1"]);
  assert.deepEqual(packet.others, [{ code: 224, value: Uint8Array.of(1, 2) }]);
});

test("a shared link: the subnet where the machine is known goes first, then the one with room", () => {
  const [first, second] = [scope({ pools: ["10.0.0.50"] }), scope({ subnet: "10.1.0.0/24", pools: ["10.1.0.50-10.1.0.51"] })];
  const scopes = [first, second];
  const address = (mac: string): string => replyTo(request({}, { mac }), { scopes }).packet.yiaddr;
  assert.deepEqual(["52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:01", "52:54:00:00:00:02"].map(address), [
    "10.0.0.50",
    "10.1.0.50",
    "10.0.0.50",
    "10.1.0.50",
  ]);
});
