/** The values of LAN configuration parameters (IPMI 2.0 §23.2, table 23-4). Readers throw Fault `ipmi.malformed`. */
import { formatIpv4, formatIpv6, formatMac } from "#std/address.ts";
import { Reader } from "../reader.ts";

export const LAN_PARAMETER = {
  setInProgress: 0,
  authenticationSupport: 1,
  authenticationEnables: 2,
  address: 3,
  addressSource: 4,
  mac: 5,
  mask: 6,
  ipv4Header: 7,
  rmcpPort: 8,
  arpControl: 10,
  arpInterval: 11,
  gateway: 12,
  gatewayMac: 13,
  backupGateway: 14,
  backupGatewayMac: 15,
  community: 16,
  destinations: 17,
  vlan: 20,
  vlanPriority: 21,
  cipherSuiteCount: 22,
  cipherSuites: 23,
  cipherSuitePrivileges: 24,
  passwordThreshold: 26,
  ipSupport: 50,
  ipEnables: 51,
  ipv6Status: 55,
  ipv6Static: 56,
  ipv6Dynamic: 59,
} as const;

/** §23.2, parameter 4 */
export const ADDRESS_SOURCE = { unspecified: 0, static: 1, dhcp: 2, bios: 3, other: 4 } as const;
/** Parameter 51 */
export const IP_ENABLES = { ipv4: 0, ipv6: 1, both: 2 } as const;

/** Parameters 3, 6, 12, 14. */
export function readIpv4(data: Uint8Array): string {
  return formatIpv4(new Reader(data, "LAN parameter (IPv4 address)").bytes(4));
}

/** Parameters 5, 13, 15. */
export function readMac(data: Uint8Array): string {
  return formatMac(new Reader(data, "LAN parameter (MAC address)").bytes(6));
}

/** Parameter 4, as in ADDRESS_SOURCE. */
export function readAddressSource(data: Uint8Array): number {
  return new Reader(data, "LAN parameter (address source)").byte() & 0x0f;
}

/** Parameter 8. */
export function readPort(data: Uint8Array): number {
  return new Reader(data, "LAN parameter (port)").uint(2);
}

/** Parameter 20; undefined: untagged. */
export function readVlan(data: Uint8Array): number | undefined {
  const vlan = new Reader(data, "LAN parameter (VLAN)").uint(2);
  return (vlan & 0x8000) !== 0 ? vlan & 0x0fff : undefined;
}

export function encodeVlan(vlan: number | undefined): number[] {
  return vlan === undefined ? [0, 0] : [vlan & 0xff, 0x80 | ((vlan >> 8) & 0x0f)];
}

/** Parameter 23: the suites in the order of the privileges; `count` is parameter 22. */
export function readCipherEntries(data: Uint8Array, count: number): number[] {
  const reader = new Reader(data, "LAN parameter (cipher suites)");
  reader.skip(1);
  return [...reader.bytes(Math.min(count, 16, reader.left))];
}

/** Parameter 24: of each of the sixteen entries the most privilege it gives; 0: unused. */
export function readCipherPrivileges(data: Uint8Array): number[] {
  const reader = new Reader(data, "LAN parameter (privileges of cipher suites)");
  reader.skip(1);
  return [...reader.bytes(8)].flatMap((pair) => [pair & 0x0f, pair >> 4]);
}

export function encodeCipherPrivileges(privileges: readonly number[]): number[] {
  return [0, ...Array.from({ length: 8 }, (_, i) => (privileges[2 * i] ?? 0) | ((privileges[2 * i + 1] ?? 0) << 4))];
}

/** Parameter 55: how many there can be. */
export function readIpv6Status(data: Uint8Array): { readonly staticAddresses: number; readonly dynamicAddresses: number } {
  const reader = new Reader(data, "LAN parameter (IPv6 status)");
  return { staticAddresses: reader.byte(), dynamicAddresses: reader.byte() };
}

export interface Ipv6Address {
  readonly set: number;
  readonly address: string;
  readonly prefix: number;
  /** Static ones can be switched off; others are as they are. */
  readonly isEnabled: boolean;
  readonly source: "static" | "slaac" | "dhcp";
  /** It is in use: neither pending nor failed nor deprecated. */
  readonly isActive: boolean;
}

/** Parameters 56 (static) and 59 (dynamic, of which source 1 is SLAAC and 2 DHCPv6). */
export function readIpv6(data: Uint8Array, kind: "static" | "dynamic"): Ipv6Address {
  const reader = new Reader(data, "LAN parameter (IPv6 address)");
  const [set, source] = [reader.byte(), reader.byte()];
  const address = formatIpv6(reader.bytes(16));
  const prefix = reader.byte();
  // The status is read-only and some leave it out.
  const status = reader.left > 0 ? reader.byte() : 0;
  return {
    set,
    address,
    prefix,
    isEnabled: kind === "dynamic" || (source & 0x80) !== 0,
    source: kind === "static" ? "static" : (source & 0x0f) === 2 ? "dhcp" : "slaac",
    isActive: status === 0,
  };
}

/** Parameter 56, to set. `address`: sixteen bytes. */
export function encodeIpv6Static(set: number, address: Uint8Array, prefix: number, isEnabled = true): number[] {
  return [set, isEnabled ? 0x80 : 0, ...address, prefix, 0];
}
