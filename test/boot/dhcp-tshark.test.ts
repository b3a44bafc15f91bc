/** Wireshark's dissectors find nothing wrong in our answers, and read in them what we meant. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answer } from "#decide/dhcp/answer.ts";
import type { Facts } from "#decide/dhcp/answer.ts";
import { Leases } from "#decide/dhcp/leases.ts";
import { readSubnets } from "#decide/dhcp/subnets.ts";
import { answer6, throughRelays } from "#decide/dhcp/v6/answer.ts";
import { fromHex } from "#std/bytes.ts";
import { clientOf } from "#wire/dhcp/client.ts";
import { encode } from "#wire/dhcp/encode.ts";
import type { Packet } from "#wire/dhcp/packet.ts";
import { clientOf as clientOf6 } from "#wire/dhcp/v6/client.ts";
import { decode as decode6 } from "#wire/dhcp/v6/decode.ts";
import { encode as encode6 } from "#wire/dhcp/v6/encode.ts";
import { withoutPeer } from "../peers/locate.ts";
import vectors from "../vectors/dhcp/captures.json" with { type: "json" };
import type { Datagram } from "../wire/capture.ts";
import { dissect } from "../wire/dissect.ts";
import { captured, MAC, programFor, request } from "./dhcp-client.ts";

const skip = withoutPeer("tshark");

const SUBNET = readSubnets({
  subnets: [
    {
      subnet: "10.0.0.0/24",
      mode: "server",
      pools: ["10.0.0.50-10.0.0.99"],
      routers: ["10.0.0.254"],
      dns: ["10.0.0.53", "10.0.0.54"],
      domain: "lab.example.org",
      search: ["lab.example.org", "example.org"],
      ntp: ["10.0.0.4"],
      mtu: 9000,
      reservations: [{ mac: MAC, address: "10.0.0.9", hostname: "rack-1" }],
      options: [{ code: 224, hex: "0102" }],
    },
  ],
})[0]!;

const PROXY: Facts = {
  now: 0,
  port: 67,
  from: { address: "0.0.0.0", port: 68 },
  address: "10.0.0.1",
  ours: new Set(["10.0.0.1"]),
  boot: { server: "10.0.0.1", port: 8081, programFor, mayBoot: true },
  scopes: [],
};

function server(): Facts {
  return { ...PROXY, scopes: [{ subnet: SUBNET, leases: new Leases(SUBNET) }] };
}

function reply(packet: Packet, facts: Facts): Datagram {
  const given = answer(packet, clientOf(packet), facts);
  if (given.kind === "silence") assert.fail(given.because);
  const payload = encode(given.packet, packet.options.maxMessageSize);
  return { source: "10.0.0.1", destination: given.to.address, sourcePort: facts.port, destinationPort: given.to.port, payload };
}

const FIRMWARE = vectors.captures.map(({ name }) => name).filter((name) => name.endsWith("-discover"));
const FIELDS = [
  "dhcp.option.dhcp",
  "dhcp.file",
  "dhcp.ip.your",
  "dhcp.ip.server",
  "dhcp.option.dhcp_server_id",
  "dhcp.option.vendor_class_id",
  "dhcp.option.bootfile_name",
  "dhcp.option.vendor.pxeclient.discovery_control",
];

test("offers to every captured firmware, as proxy and as server, are well-formed", { skip }, () => {
  const facts = [PROXY, server()];
  const read = dissect(
    facts.flatMap((each) => FIRMWARE.map((name) => reply(captured(name), each))),
    FIELDS,
  );
  for (const [i, fields] of read.entries()) {
    const name = FIRMWARE[i % FIRMWARE.length]!;
    assert.deepEqual(fields["dhcp.option.dhcp"], ["2"], name);
    assert.deepEqual(fields["dhcp.file"], fields["dhcp.option.bootfile_name"], name);
    assert.deepEqual(
      fields["dhcp.ip.your"],
      [i < FIRMWARE.length ? "0.0.0.0" : name.startsWith("u-boot") ? "10.0.0.50" : "10.0.0.9"],
      name,
    );
  }
  const ovmf = read[FIRMWARE.indexOf("ovmf-pxe-discover")]!;
  assert.deepEqual(Object.values(ovmf), [
    ["2"],
    ["snp.efi"],
    ["0.0.0.0"],
    ["10.0.0.1"],
    ["10.0.0.1"],
    ["PXEClient"],
    ["snp.efi"],
    ["0x08"],
  ]);
});

test("acknowledgements, refusals and boot server answers are well-formed", { skip }, () => {
  const facts = server();
  const everything = [1, 3, 6, 12, 15, 26, 28, 42, 51, 54, 58, 59, 119, 224];
  const relayAgent = [
    { code: 1, value: Uint8Array.of(1, 2) },
    { code: 2, value: Uint8Array.of(3) },
  ];
  const selecting = captured("ovmf-pxe-request");
  const sent = [
    reply(
      request(
        {
          messageType: "request",
          requestedAddress: "10.0.0.9",
          parameterRequestList: everything,
          clientId: Uint8Array.of(1, 0x52, 0x54, 0, 0, 0, 9),
          relayAgent,
        },
        { giaddr: "10.0.0.254" },
      ),
      facts,
    ),
    reply(request({ messageType: "request", requestedAddress: "10.7.7.7" }), facts),
    reply(request({ messageType: "inform", parameterRequestList: everything }, { ciaddr: "10.0.0.9" }), facts),
    reply(
      {
        ...selecting,
        ciaddr: "10.0.0.9",
        options: { ...selecting.options, vendorSpecific: Uint8Array.of(71, 4, 0, 0, 0, 0, 255) },
      },
      { ...PROXY, port: 4011, from: { address: "10.0.0.9", port: 68 } },
    ),
  ];
  const fields = [
    "dhcp.option.dhcp",
    "dhcp.option.subnet_mask",
    "dhcp.option.hostname",
    "dhcp.option.interface_mtu",
    "dhcp.option.ntp_server",
    "dhcp.option.dhcp_dns_domain_search_list_fqdn",
    "dhcp.option.ip_address_lease_time",
    "dhcp.option.agent_information_option.agent_circuit_id",
    "dhcp.option.message",
  ];
  const [ack, nak, inform, boot] = dissect(sent, fields).map((each) => Object.values(each));
  assert.deepEqual(ack, [
    ["5"],
    ["255.255.255.0"],
    ["rack-1"],
    ["9000"],
    ["10.0.0.4"],
    ["lab.example.org", "example.org"],
    ["43200"],
    ["0102"],
    [],
  ]);
  assert.deepEqual(nak, [["6"], [], [], [], [], [], [], [], ["10.7.7.7 is not of this network"]]);
  assert.deepEqual(inform, [
    ["5"],
    ["255.255.255.0"],
    [],
    ["9000"],
    ["10.0.0.4"],
    ["lab.example.org", "example.org"],
    [],
    [],
    [],
  ]);
  assert.deepEqual(boot![0], ["5"]);
});

test("DHCPv6 answers to captured firmware are well-formed, through a relay too", { skip }, () => {
  const subnet = readSubnets({
    subnets: [{ subnet: "fd77::/64", mode: "server", pools: ["fd77::50-fd77::99"], dns: ["fd77::2"], search: ["example.org"] }],
  })[0]!;
  const facts = {
    now: 0,
    duid: { kind: "link-layer", htype: 1, address: fromHex("525400000001")! },
    boot: { ...PROXY.boot!, server: "fd77::1" },
    scopes: [{ subnet, leases: new Leases(subnet) }],
  } as const;
  const sent = vectors.captures6.map(({ hex, source }): Datagram => {
    const packet = decode6(fromHex(hex)!);
    const relayed = {
      kind: "relay",
      type: "relay-forward",
      hopCount: 0,
      linkAddress: "fd77::ffff",
      peerAddress: source,
      message: packet,
      options: { interfaceId: Uint8Array.of(1) },
    } as const;
    const { client, message } = clientOf6(relayed, "fd77::ffff");
    const given = answer6(message, client, facts);
    if (given.kind === "silence") assert.fail(given.because);
    return {
      source: "fd77::1",
      destination: "fd77::ffff",
      sourcePort: 547,
      destinationPort: 547,
      payload: encode6(throughRelays(relayed, given.message)),
    };
  });
  const read = dissect(sent, ["dhcpv6.msgtype", "dhcpv6.interface_id", "dhcpv6.iaaddr.ip", "dhcpv6.option.type"]);
  for (const [i, { name }] of vectors.captures6.entries()) {
    assert.deepEqual(read[i]!["dhcpv6.msgtype"]![0], "13", name);
    assert.match(read[i]!["dhcpv6.iaaddr.ip"]![0]!, /^fd77::5/, name);
    assert.ok(read[i]!["dhcpv6.option.type"]!.includes("59"), name);
  }
});
