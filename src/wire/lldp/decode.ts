import { formatIpv4, formatIpv6, formatMac } from "#std/address.ts";
import { readUint, toHex } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { BINARY_SUBTYPE, ETHER_TYPE, OUI_8021, PORT_VLAN, TEXT_LIMIT, TLV } from "./constants.ts";
import type { LldpPacket } from "./packet.ts";

const HEADER = 14;

/**
 * An Ethernet frame with an LLDPDU in it (§8.2), padding behind its end allowed. Throws `peer` Faults `lldp.not-lldp`, `lldp.truncated` and
 * `lldp.malformed` (the first three TLVs are not those that have to come first) with the byte `offset` in the frame.
 */
export function decode(frame: Uint8Array): LldpPacket {
  if (readUint(frame, 12, 2) !== ETHER_TYPE) throw peerFault("lldp.not-lldp", 12, "another EtherType");
  const tlvs = readTlvs(frame);
  for (const [place, type] of [TLV.chassis, TLV.port, TLV.timeToLive].entries()) {
    // Subtype and one byte at least, or two bytes of seconds.
    if (tlvs[place]?.type === type && tlvs[place].value.length >= 2) continue;
    throw peerFault("lldp.malformed", tlvs[place]?.offset ?? frame.length, `no TLV ${type} where it has to be`);
  }
  const [chassis, port, life] = [tlvs[0]!.value, tlvs[1]!.value, tlvs[2]!.value];
  const first = (type: number): Uint8Array | undefined => tlvs.find((tlv) => tlv.type === type)?.value;
  return {
    chassis: identifier(chassis, BINARY_SUBTYPE.chassis),
    port: identifier(port, BINARY_SUBTYPE.port),
    timeToLive: readUint(life, 0, 2),
    portDescription: text(first(TLV.portDescription)),
    systemName: text(first(TLV.systemName)),
    systemDescription: text(first(TLV.systemDescription)),
    managementAddress: managementAddress(first(TLV.managementAddress)),
    vlan: portVlan(tlvs),
  };
}

interface Tlv {
  readonly type: number;
  readonly offset: number;
  readonly value: Uint8Array;
}

/** §8.4: seven bits of type, nine of length. */
function readTlvs(frame: Uint8Array): Tlv[] {
  const tlvs: Tlv[] = [];
  for (let at = HEADER; at < frame.length;) {
    if (at + 2 > frame.length) throw peerFault("lldp.truncated", at, "half a header");
    const head = readUint(frame, at, 2);
    const [type, length] = [head >>> 9, head & 0x1ff];
    if (type === TLV.end) return tlvs;
    if (at + 2 + length > frame.length) throw peerFault("lldp.truncated", at, `TLV ${type} of ${length} bytes`);
    tlvs.push({ type, offset: at, value: frame.subarray(at + 2, at + 2 + length) });
    at += 2 + length;
  }
  // The end mark may be missing since 2016 (§8.5.1).
  return tlvs;
}

function identifier(value: Uint8Array, binary: { readonly mac: number; readonly address: number }): string {
  const content = value.subarray(1);
  if (value[0] === binary.mac && content.length === 6) return formatMac(content);
  if (value[0] === binary.address) return networkAddress(content) ?? toHex(content, ":");
  return text(content) ?? "";
}

/** Family (IANA address family numbers), then the address. */
function networkAddress(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 1 && bytes.length === 5) return formatIpv4(bytes, 1);
  if (bytes[0] === 2 && bytes.length === 17) return formatIpv6(bytes, 1);
  return undefined;
}

/** §8.5.9: the length counts the family too. */
function managementAddress(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined;
  const address = value.subarray(1, 1 + (value[0] ?? 0));
  return networkAddress(address) ?? (address[0] === 6 && address.length === 7 ? formatMac(address.subarray(1)) : undefined);
}

function portVlan(tlvs: readonly Tlv[]): number | undefined {
  const tlv = tlvs.find(
    ({ type, value }) =>
      type === TLV.organization && value.length >= 6 && readUint(value, 0, 3) === OUI_8021 && value[3] === PORT_VLAN,
  );
  return tlv && readUint(tlv.value, 4, 2);
}

/** UTF-8 by the standard, Latin 1 from some switches; what is neither printable nor text becomes a dot. */
function text(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  return (
    new TextDecoder()
      .decode(bytes.subarray(0, TEXT_LIMIT))
      .replaceAll(/\p{Cc}/gu, ".")
      .trim() || undefined
  );
}

function peerFault(code: string, offset: number, problem: string): Fault {
  return new Fault(code, `LLDP, byte ${offset}: ${problem}`, { fault: "peer", retry: "never", facts: { offset } });
}
