import { parseIpv4, parseIpv6, parseMac } from "#std/address.ts";
import { concat, uintBytes } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { BINARY_SUBTYPE, ETHER_TYPE, NEAREST_BRIDGE, OUI_8021, PORT_VLAN, TLV } from "./constants.ts";
import type { LldpPacket } from "./packet.ts";

/** §8.5.2.2 and §8.5.3.2: "locally assigned", for what is neither MAC address nor network address. */
const LOCAL = 7;
/** §8.5.9.5: an interface number that is not known. */
const UNKNOWN_INTERFACE = new Uint8Array([1, 0, 0, 0, 0, 0]);
const LONGEST = 0x1ff;

/** An Ethernet frame from `source` (a MAC address). Throws `caller` Fault `lldp.unencodable` for what has no form on the wire. */
export function encode(packet: LldpPacket, source: string): Uint8Array {
  const from = parseMac(source);
  if (from === undefined) throw unencodable("source", `${source} is no MAC address`);
  const { portDescription, systemName, systemDescription, managementAddress, vlan } = packet;
  return concat([
    parseMac(NEAREST_BRIDGE)!,
    from,
    uintBytes(ETHER_TYPE, 2),
    tlv(TLV.chassis, identifier(packet.chassis, BINARY_SUBTYPE.chassis)),
    tlv(TLV.port, identifier(packet.port, BINARY_SUBTYPE.port)),
    tlv(TLV.timeToLive, uintBytes(packet.timeToLive, 2)),
    textTlv(TLV.portDescription, portDescription),
    textTlv(TLV.systemName, systemName),
    textTlv(TLV.systemDescription, systemDescription),
    managementAddress === undefined ? new Uint8Array() : tlv(TLV.managementAddress, management(managementAddress)),
    vlan === undefined
      ? new Uint8Array()
      : tlv(TLV.organization, concat([uintBytes(OUI_8021, 3), new Uint8Array([PORT_VLAN]), uintBytes(vlan, 2)])),
    tlv(TLV.end, new Uint8Array()),
  ]);
}

function tlv(type: number, value: Uint8Array): Uint8Array {
  if (value.length > LONGEST) throw unencodable(`TLV ${type}`, `${value.length} bytes`);
  return concat([uintBytes(type * 512 + value.length, 2), value]);
}

function textTlv(type: number, text: string | undefined): Uint8Array {
  return text === undefined ? new Uint8Array() : tlv(type, new TextEncoder().encode(text));
}

function identifier(text: string, binary: { readonly mac: number; readonly address: number }): Uint8Array {
  const mac = parseMac(text);
  if (mac !== undefined) return concat([new Uint8Array([binary.mac]), mac]);
  const address = networkAddress(text);
  if (address !== undefined) return concat([new Uint8Array([binary.address]), address]);
  if (text === "") throw unencodable("identifier", "it is empty");
  return concat([new Uint8Array([LOCAL]), new TextEncoder().encode(text)]);
}

function networkAddress(text: string): Uint8Array | undefined {
  const [four, six] = [parseIpv4(text), parseIpv6(text)];
  if (four !== undefined) return concat([new Uint8Array([1]), four]);
  return six === undefined ? undefined : concat([new Uint8Array([2]), six]);
}

function management(text: string): Uint8Array {
  const address = networkAddress(text);
  if (address === undefined) throw unencodable("managementAddress", `${text} is no address`);
  return concat([new Uint8Array([address.length]), address, UNKNOWN_INTERFACE]);
}

function unencodable(field: string, problem: string): Fault {
  return new Fault("lldp.unencodable", `LLDP, ${field}: ${problem}`, { fault: "caller", retry: "never", facts: { field } });
}
