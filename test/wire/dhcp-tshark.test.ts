/** Wireshark's dissectors read what we write, and read captures of firmware as we do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatMac } from "#std/address.ts";
import { fromHex } from "#std/bytes.ts";
import { MESSAGE_TYPES } from "#wire/dhcp/constants.ts";
import { decode } from "#wire/dhcp/decode.ts";
import { encode } from "#wire/dhcp/encode.ts";
import type { Packet } from "#wire/dhcp/packet.ts";
import { DISCOVERY, encodePxe } from "#wire/dhcp/pxe.ts";
import { decode as decode6 } from "#wire/dhcp/v6/decode.ts";
import { encode as encode6 } from "#wire/dhcp/v6/encode.ts";
import type { Message } from "#wire/dhcp/v6/packet.ts";
import { withoutPeer } from "../peers/locate.ts";
import vectors from "../vectors/dhcp/captures.json" with { type: "json" };
import type { Datagram } from "./capture.ts";
import { dissect } from "./dissect.ts";

const skip = withoutPeer("tshark");

function datagram4(payload: Uint8Array): Datagram {
  const [client, server] = [68, 67];
  const isReply = payload[0] === 2;
  return {
    source: isReply ? "192.0.2.1" : "0.0.0.0",
    destination: "255.255.255.255",
    sourcePort: isReply ? server : client,
    destinationPort: isReply ? client : server,
    payload,
  };
}

function datagram6(payload: Uint8Array, source = "fe80::1"): Datagram {
  return { source, destination: "ff02::1:2", sourcePort: 546, destinationPort: 547, payload };
}

const REPLY: Packet = {
  op: "reply",
  htype: 1,
  hops: 1,
  xid: 0xdeadbeef,
  secs: 4,
  flags: 0x8000,
  ciaddr: "0.0.0.0",
  yiaddr: "192.0.2.50",
  siaddr: "192.0.2.1",
  giaddr: "192.0.2.254",
  chaddr: Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56),
  sname: "boot.example",
  file: "snponly.efi",
  options: {
    subnetMask: "255.255.255.0",
    routers: ["192.0.2.254", "192.0.2.253"],
    dnsServers: ["192.0.2.3"],
    hostName: "rack-1",
    domainName: "example.org",
    interfaceMtu: 9000,
    broadcastAddress: "192.0.2.255",
    ntpServers: ["192.0.2.4"],
    vendorSpecific: encodePxe({
      discoveryControl: DISCOVERY.bootFileInOffer,
      bootServers: [{ type: 1, addresses: ["192.0.2.1"] }],
      bootMenu: [{ type: 1, description: "Sidero" }],
      menuPrompt: { timeout: 3, prompt: "F8" },
    }),
    leaseTime: 3_600_000,
    messageType: "offer",
    serverId: "192.0.2.1",
    renewalTime: 1_800_000,
    rebindingTime: Infinity,
    vendorClass: "PXEClient",
    tftpServerName: "192.0.2.1",
    bootFile: "snponly.efi",
    relayAgent: [
      { code: 1, value: Uint8Array.of(0x65, 0x74, 0x68, 0x31) },
      { code: 2, value: Uint8Array.of(0xaa, 0xbb) },
      { code: 5, value: Uint8Array.of(192, 0, 2, 0) },
    ],
    clientUuid: fromHex("33221100554477668899aabbccddeeff")!,
    domainSearch: ["example.org", "lab.example.org"],
    classlessRoutes: [
      { destination: "10.0.0.0", prefixLength: 8, router: "192.0.2.254" },
      { destination: "0.0.0.0", prefixLength: 0, router: "192.0.2.1" },
    ],
    tftpServers: ["192.0.2.1"],
    ipxe: [{ code: 176, value: Uint8Array.of(1) }],
  },
};

test("an offer with every option reads the same in Wireshark", { skip }, () => {
  const expected = {
    "dhcp.type": ["2"],
    "dhcp.hops": ["1"],
    "dhcp.id": ["0xdeadbeef"],
    "dhcp.secs": ["4"],
    "dhcp.flags": ["0x8000"],
    "dhcp.ip.your": ["192.0.2.50"],
    "dhcp.ip.server": ["192.0.2.1"],
    "dhcp.ip.relay": ["192.0.2.254"],
    "dhcp.hw.mac_addr": ["52:54:00:12:34:56"],
    "dhcp.server": ["boot.example"],
    "dhcp.file": ["snponly.efi"],
    // Wireshark lists the End as 0.
    "dhcp.option.type": "53|1|3|6|12|15|26|28|42|43|51|54|58|59|60|66|67|97|119|121|150|175|82|0".split("|"),
    "dhcp.option.dhcp": ["2"],
    "dhcp.option.subnet_mask": ["255.255.255.0"],
    "dhcp.option.router": ["192.0.2.254", "192.0.2.253"],
    "dhcp.option.domain_name_server": ["192.0.2.3"],
    "dhcp.option.hostname": ["rack-1"],
    "dhcp.option.domain_name": ["example.org"],
    "dhcp.option.interface_mtu": ["9000"],
    "dhcp.option.ntp_server": ["192.0.2.4"],
    "dhcp.option.vendor.pxeclient.discovery_control": ["0x08"],
    "dhcp.option.vendor.pxeclient.boot_menu.desc": ["Sidero"],
    "dhcp.option.ip_address_lease_time": ["3600"],
    "dhcp.option.renewal_time_value": ["1800"],
    "dhcp.option.rebinding_time_value": ["4294967295"],
    "dhcp.option.dhcp_server_id": ["192.0.2.1"],
    "dhcp.option.vendor_class_id": ["PXEClient"],
    "dhcp.option.tftp_server_name": ["192.0.2.1"],
    "dhcp.option.bootfile_name": ["snponly.efi"],
    "dhcp.client_id.uuid": ["00112233-4455-6677-8899-aabbccddeeff"],
    "dhcp.option.dhcp_dns_domain_search_list_fqdn": ["example.org", "lab.example.org"],
    "dhcp.option.classless_static_route": ["080ac00002fe", "00c0000201"],
    "dhcp.option.agent_information_option.agent_circuit_id": ["65746831"],
    "dhcp.option.agent_information_option.agent_remote_id": ["aabb"],
    "dhcp.option.agent_information_option.link_selection": ["192.0.2.0"],
  };
  const [read] = dissect([datagram4(encode(REPLY, 1500))], Object.keys(expected));
  assert.deepEqual(read, expected);
});

test("overloaded and divided options read the same in Wireshark", { skip }, () => {
  const empty = { ...REPLY, file: "", sname: "" };
  const { hostName, bootFile, domainName } = { hostName: "h".repeat(200), bootFile: "b".repeat(60), domainName: "d".repeat(110) };
  const crowded = encode({ ...empty, options: { messageType: "ack", hostName, bootFile, domainName } }, 0);
  const [read] = dissect(
    [datagram4(crowded)],
    ["dhcp.option.option_overload", "dhcp.option.hostname", "dhcp.option.bootfile_name", "dhcp.option.domain_name"],
  );
  assert.deepEqual(Object.values(read!), [["1"], [hostName], [bootFile], [domainName]]);
});

test("captures of firmware, written again by us, read the same in Wireshark", { skip }, () => {
  // Options come out in another order, so each field is compared by itself.
  const fields = [
    "dhcp.type", "dhcp.id", "dhcp.secs", "dhcp.flags", "dhcp.hw.mac_addr", "dhcp.file", "dhcp.option.dhcp",
    "dhcp.option.dhcp_max_message_size", "dhcp.option.client_system_architecture", "dhcp.client_network_id_major",
    "dhcp.option.vendor_class_id", "dhcp.option.user_class.text", "dhcp.option.request_list_item", "dhcp.client_id.uuid",
    "dhcp.option.dhcp_server_id", "dhcp.option.requested_ip_address", "dhcp.option.ip_address_lease_time",
  ]; // prettier-ignore
  const originals = vectors.captures.map(({ hex }) => fromHex(hex)!);
  const [theirs, ours] = [originals, originals.map((bytes) => encode(decode(bytes), 1500))].map((list) => {
    return dissect(list.map(datagram4), fields);
  });
  assert.deepEqual(ours, theirs);
  for (const [i, bytes] of originals.entries()) {
    const { chaddr, options } = decode(bytes);
    assert.equal(theirs![i]!["dhcp.hw.mac_addr"]![0], formatMac(chaddr));
    assert.deepEqual(theirs![i]!["dhcp.option.dhcp"], [String(MESSAGE_TYPES.indexOf(options.messageType!) + 1)]);
    assert.deepEqual(theirs![i]!["dhcp.option.request_list_item"], (options.parameterRequestList ?? []).map(String));
    assert.deepEqual(theirs![i]!["dhcp.option.client_system_architecture"], (options.clientArchitectures ?? []).map(String));
  }
});

const ADVERTISE: Message = {
  kind: "message",
  type: "advertise",
  transactionId: 0x0fe0cc,
  options: {
    clientId: { kind: "uuid", uuid: fromHex("33221100554477668899aabbccddeeff")! },
    serverId: { kind: "link-layer-time", htype: 1, time: 12345, address: Uint8Array.of(0x52, 0x54, 0, 0, 0, 1) },
    iaNa: [
      {
        id: 0x53937e7f,
        t1: 1_800_000,
        t2: 2_880_000,
        options: {
          addresses: [{ address: "2001:db8::50", preferredLifetime: 3_600_000, validLifetime: 7_200_000, options: {} }],
          status: { code: 0, message: "welcome" },
        },
      },
    ],
    preference: 255,
    vendorClasses: [{ enterprise: 343, classes: ["PXEClient"] }],
    dnsServers: ["2001:db8::53"],
    domainSearch: ["example.org"],
    bootFileUrl: "tftp://[2001:db8::1]/snponly.efi",
    bootFileParameters: ["a", "bc"],
  },
};

test("a relayed DHCPv6 advertisement reads the same in Wireshark", { skip }, () => {
  const relayed = encode6({
    kind: "relay",
    type: "relay-reply",
    hopCount: 0,
    linkAddress: "2001:db8::",
    peerAddress: "fe80::5054:ff:fe12:3456",
    message: ADVERTISE,
    options: { interfaceId: Uint8Array.of(0x65, 0x31) },
  });
  const expected = {
    "dhcpv6.msgtype": ["13", "2"],
    "dhcpv6.linkaddr": ["2001:db8::"],
    "dhcpv6.peeraddr": ["fe80::5054:ff:fe12:3456"],
    "dhcpv6.xid": ["0x0fe0cc"],
    "dhcpv6.option.type": "18|9|1|2|3|5|13|7|16|23|24|59|60".split("|"),
    "dhcpv6.duid.type": ["4", "1"],
    "dhcpv6.iaid": ["53937e7f"],
    "dhcpv6.iaid.t1": ["1800"],
    "dhcpv6.iaaddr.ip": ["2001:db8::50"],
    "dhcpv6.iaaddr.valid_lifetime": ["7200"],
    "dhcpv6.status_code": ["0"],
    "dhcpv6.vendorclass.enterprise": ["343"],
    "dhcpv6.vendorclass.data": ["PXEClient"],
    "dhcpv6.dns_server": ["2001:db8::53"],
    "dhcpv6.search_list_entry": ["example.org."],
  };
  const [read] = dissect([{ ...datagram6(relayed), sourcePort: 547 }], Object.keys(expected));
  assert.deepEqual(read, expected);
});

test("a captured solicitation, written again by us, reads the same in Wireshark", { skip }, () => {
  const fields = [
    "dhcpv6.xid",
    "dhcpv6.duiduuid.bytes",
    "dhcpv6.iaid",
    "dhcpv6.iaid.t1",
    "dhcpv6.requested_option_code",
    "dhcpv6.vendorclass.data",
  ];
  const originals = vectors.captures6.map(({ hex }) => fromHex(hex)!);
  const [theirs, ours] = [originals, originals.map((bytes) => encode6(decode6(bytes)))].map((list) => {
    return dissect(
      list.map((payload) => datagram6(payload)),
      fields,
    );
  });
  assert.deepEqual(ours, theirs);
  assert.deepEqual(theirs![0]!["dhcpv6.vendorclass.data"], ["PXEClient:Arch:00007:UNDI:003000"]);
});
