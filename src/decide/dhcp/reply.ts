/** DHCPv4 replies: what every one copies from its request (RFC 2131 §4.3.1, table 3), what a lease says, and what boots a machine. */
import type { Client } from "#wire/dhcp/client.ts";
import { BROADCAST, CLIENT_PORT, SERVER_PORT } from "#wire/dhcp/constants.ts";
import { IPXE } from "#wire/dhcp/ipxe.ts";
import { OPTIONS } from "#wire/dhcp/option.ts";
import type { MessageType, Options, Packet } from "#wire/dhcp/packet.ts";
import { DISCOVERY, decodePxe, encodePxe } from "#wire/dhcp/pxe.ts";
import type { BootFile } from "./boot-file.ts";
import { broadcastOf, maskOf } from "./range.ts";
import type { Subnet } from "./subnets.ts";

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A reply without content. `serverId` is our address as the client is to know it. */
export function replyTo(request: Packet, type: MessageType, serverId: string): Packet {
  const { clientId, relayAgent, clientUuid } = request.options;
  return {
    op: "reply",
    htype: request.htype,
    hops: 0,
    xid: request.xid,
    secs: 0,
    flags: request.flags,
    ciaddr: type === "ack" ? request.ciaddr : "0.0.0.0",
    yiaddr: "0.0.0.0",
    siaddr: "0.0.0.0",
    giaddr: request.giaddr,
    chaddr: request.chaddr,
    sname: "",
    file: "",
    options: {
      messageType: type,
      serverId,
      // RFC 6842 §3 and RFC 3046 §2.2: back as they came.
      ...(clientId === undefined ? {} : { clientId }),
      ...(relayAgent === undefined ? {} : { relayAgent }),
      ...(clientUuid === undefined ? {} : { clientUuid }),
    },
  };
}

/** A refusal goes by broadcast, also by the relay's (RFC 2131 §4.3.2): the client may have no address here. */
export function nakTo(request: Packet, serverId: string, message: string): Packet {
  const { clientUuid: _, ...options } = replyTo(request, "nak", serverId).options;
  return { ...replyTo(request, "nak", serverId), flags: request.flags | BROADCAST, options: { ...options, message } };
}

/**
 * Where a reply goes (RFC 2131 §4.1). To an address that the client has yet to get we would need its MAC address in our neighbour
 * table, so that goes to everyone.
 */
export function destinationOf(request: Packet, reply: Packet): Endpoint {
  if (request.giaddr !== "0.0.0.0") return { address: request.giaddr, port: SERVER_PORT };
  const isKnown = request.ciaddr !== "0.0.0.0" && reply.options.messageType !== "nak";
  return { address: isKnown ? request.ciaddr : "255.255.255.255", port: CLIENT_PORT };
}

/** The reply with what to boot: in the header, which U-Boot and old ROMs read alone, and in options. */
export function withBootFile(reply: Packet, client: Client, file: BootFile, server: string, request: Packet): Packet {
  const isByTftp = file.transport === "tftp";
  const vendorClass = classFor(client, file);
  return {
    ...reply,
    siaddr: server,
    sname: isByTftp ? server : "",
    // What is too long for the header is in the option.
    file: file.name.length < 128 ? file.name : "",
    options: {
      ...reply.options,
      bootFile: file.name,
      ...(isByTftp ? { tftpServerName: server } : {}),
      ...(vendorClass === undefined ? {} : { vendorClass }),
      ...(vendorClass === "PXEClient" ? { vendorSpecific: pxeOptions(file, request) } : {}),
    },
  };
}

/** Firmware takes only offers that bear its own class (PXE 2.1 §2.2.3; UEFI §24.7.3). */
function classFor({ program, vendorClass = "" }: Client, file: BootFile): string | undefined {
  if (program === "http" || (program !== "ipxe" && file.transport === "http")) return "HTTPClient";
  return vendorClass.startsWith("PXEClient") || vendorClass === "" ? "PXEClient" : undefined;
}

/** "Boot the file of this offer", so that nobody looks for boot servers; to a boot server's request, the item that it names. */
function pxeOptions(file: BootFile, request: Packet): Uint8Array {
  const asked = request.options.vendorSpecific === undefined ? {} : pxeIn(request.options.vendorSpecific);
  return encodePxe({
    discoveryControl: DISCOVERY.bootFileInOffer,
    ...(asked.bootItem === undefined ? {} : { bootItem: asked.bootItem }),
    // The ROM looks for this text in the menu, and takes no offer without it.
    ...(file.isRaspberryPi
      ? { bootMenu: [{ type: 0, description: "Raspberry Pi Boot" }], menuPrompt: { timeout: 0, prompt: "PXE" } }
      : {}),
  });
}

/** A client's option 43 may be anything. */
function pxeIn(bytes: Uint8Array): ReturnType<typeof decodePxe>["options"] {
  try {
    return decodePxe(bytes).options;
  } catch {
    return {};
  }
}

/** Which field of the answer is asked for by which code. */
const ASKED = {
  1: "subnetMask",
  3: "routers",
  6: "dnsServers",
  12: "hostName",
  15: "domainName",
  26: "interfaceMtu",
  28: "broadcastAddress",
  42: "ntpServers",
  119: "domainSearch",
} as const;

/**
 * What a subnet says to its machines, as far as the client asks for it (option 55); all of it to one that asks for nothing in particular.
 * The mask always goes with an address; options that the subnets file adds go to everyone, and instead of ours.
 */
export function subnetOptions(subnet: Subnet, request: Packet, hostname: string | undefined): Pick<Packet, "options" | "others"> {
  const { network, routers, dnsServers, domainName, domainSearch, ntpServers, mtu, options: added } = subnet;
  const broadcastAddress = broadcastOf(network);
  const all: Options = {
    subnetMask: maskOf(network),
    ...(routers.length === 0 ? {} : { routers }),
    ...(dnsServers.length === 0 ? {} : { dnsServers }),
    ...(hostname === undefined ? {} : { hostName: hostname }),
    ...(domainName === undefined ? {} : { domainName }),
    ...(mtu === undefined ? {} : { interfaceMtu: mtu }),
    ...(broadcastAddress === undefined ? {} : { broadcastAddress }),
    ...(ntpServers.length === 0 ? {} : { ntpServers }),
    ...(domainSearch.length === 0 ? {} : { domainSearch }),
  };
  const list = request.options.parameterRequestList;
  const wanted = new Set<string>([
    "subnetMask",
    ...Object.entries(ASKED).flatMap(([code, name]) => (list?.includes(Number(code)) ? [name] : [])),
  ]);
  const asked = list === undefined ? all : Object.fromEntries(Object.entries(all).filter(([name]) => wanted.has(name)));
  const extra = OPTIONS.read(added.map((option) => ({ ...option, offset: 0, valueOffset: 0 })));
  return { options: { ...asked, ...extra.options }, ...(extra.others === undefined ? {} : { others: extra.others }) };
}

/** T1 and T2 at RFC 2131 §4.4.5's fractions. */
export function leaseOptions(duration: number): Options {
  return { leaseTime: duration, renewalTime: duration * 0.5, rebindingTime: duration * 0.875 };
}

/** To iPXE of a network that has no other server: it need not wait 3 s for one. */
export const NO_PROXY: Options = { ipxe: [{ code: IPXE.noProxyDhcp, value: Uint8Array.of(1) }] };
