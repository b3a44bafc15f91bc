import { formatMac, parseIpv6 } from "#std/address.ts";
import { readUint } from "#std/bytes.ts";
import { architecture, architecturesIn, programOf, uuidOf } from "../client.ts";
import type { Client, ClientRelay } from "../client.ts";
import { ETHERNET } from "../constants.ts";
import type { Message, Packet, Relay } from "./packet.ts";

/**
 * What a DHCPv6 request says of its sender, and the request inside its relays. `source` is the address it came from; without
 * relay it may tell the MAC address, which firmware that identifies itself by UUID sends nowhere else.
 */
export function clientOf(packet: Packet, source: string): { client: Client; message: Message } {
  let [message, nearest]: [Packet, Relay | undefined] = [packet, undefined];
  while (message.kind === "relay") [message, nearest] = [message.message, message];
  const { options } = message;
  const userClasses = options.userClasses ?? [];
  const isIpxe = userClasses.includes("iPXE");
  const vendorClass = options.vendorClasses?.[0]?.classes[0];
  const architectures = options.clientArchitectures ?? architecturesIn(vendorClass);
  const program = programOf({ isIpxe, architectures, vendorClass, nic: options.clientInterface });
  const mac = macOf(message, nearest, source);
  const duid = options.clientId;
  const client = {
    program,
    ...architecture(architectures),
    architectures,
    ...(mac === undefined ? {} : { mac }),
    // RFC 6355 §4 has RFC 9562's order. EDK2 copies SMBIOS' bytes as they are; iPXE does as the RFC says.
    ...(duid?.kind === "uuid" ? { uuid: uuidOf(duid.uuid, program !== "ipxe") } : {}),
    ...(vendorClass === undefined ? {} : { vendorClass }),
    userClasses,
    ...(isIpxe ? { ipxe: { features: [] } } : {}),
    ...(nearest === undefined ? {} : { relay: relayOf(nearest) }),
  };
  return { client, message };
}

function relayOf({ linkAddress, options }: Relay): ClientRelay {
  const { interfaceId, remoteId, subscriberId } = options;
  return {
    address: linkAddress,
    ...(interfaceId === undefined ? {} : { circuitId: interfaceId }),
    ...(remoteId === undefined ? {} : { remoteId }),
    ...(subscriberId === undefined ? {} : { subscriberId }),
  };
}

/**
 * The relay's word (RFC 6939) before the client's address on the link, before its DUID: a DUID is made once, and may name another
 * card or one that has left the machine (RFC 8415 §11).
 */
function macOf({ options }: Message, relay: Relay | undefined, source: string): string | undefined {
  const seen = relay?.options.clientLinkLayer;
  if (seen?.length === 8 && readUint(seen, 0, 2) === ETHERNET) return formatMac(seen.subarray(2));
  const fromAddress = macOfLinkLocal(relay?.peerAddress ?? source);
  if (fromAddress !== undefined) return fromAddress;
  const duid = options.clientId;
  if (duid?.kind !== "link-layer" && duid?.kind !== "link-layer-time") return undefined;
  return duid.htype === ETHERNET && duid.address.length === 6 ? formatMac(duid.address) : undefined;
}

/** Of `fe80::5054:ff:fe12:3456` (RFC 4291 appendix A); undefined of an address that was not made from one. */
export function macOfLinkLocal(address: string): string | undefined {
  const bytes = parseIpv6(address.replace(/%.*$/, ""));
  if (bytes === undefined || readUint(bytes, 0, 4) !== 0xfe800000 || readUint(bytes, 11, 2) !== 0xfffe) return undefined;
  const mac = Uint8Array.from([8, 9, 10, 13, 14, 15], (at) => bytes[at]!);
  mac[0]! ^= 2;
  return formatMac(mac);
}
