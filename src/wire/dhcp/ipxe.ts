/** Option 175, what iPXE says of itself and takes from a server: the numbers are those of its `features.h` and `dhcp.h`. */
import { readUint, toHex } from "#std/bytes.ts";
import type { RawOption } from "./packet.ts";

/** Sub-options that carry something else than a feature. */
export const IPXE = {
  /** One byte, 1: do not wait for a proxy's offer; saves 3 s where there is none. */
  noProxyDhcp: 176,
  busId: 177,
  version: 235,
} as const;

const FEATURES = new Map([
  [0x10, "pxe-ext"],
  [0x11, "iscsi"],
  [0x12, "aoe"],
  [0x13, "http"],
  [0x14, "https"],
  [0x15, "tftp"],
  [0x16, "ftp"],
  [0x17, "dns"],
  [0x18, "bzimage"],
  [0x19, "multiboot"],
  [0x1a, "slam"],
  [0x1b, "srp"],
  [0x20, "nbi"],
  [0x21, "pxe"],
  [0x22, "elf"],
  [0x23, "comboot"],
  [0x24, "efi"],
  [0x25, "fcoe"],
  [0x26, "vlan"],
  [0x27, "menu"],
  [0x28, "sdi"],
  [0x29, "nfs"],
]);

export interface Ipxe {
  /** `1.0.0`. */
  readonly version?: string;
  /** Names of what was built in, by number: `http`, `https`, `bzimage`, `menu`… */
  readonly features: readonly string[];
  /** The network card by its PCI identifiers, four hexadecimal digits each. */
  readonly nic?: { readonly vendor: string; readonly device: string };
}

/** What the sub-options say; those it does not know are passed over. */
export function decodeIpxe(subOptions: readonly RawOption[]): Ipxe {
  const values = new Map(subOptions.map(({ code, value }) => [code, value]));
  const version = values.get(IPXE.version);
  const busId = values.get(IPXE.busId);
  const isBuiltIn = (code: number): boolean => readUint(values.get(code) ?? new Uint8Array(), 0, 1) !== 0;
  return {
    ...(version?.length === 3 ? { version: version.join(".") } : {}),
    features: Array.from(FEATURES).flatMap(([code, name]) => (isBuiltIn(code) ? [name] : [])),
    ...(busId?.length === 5 && busId[0] === 1
      ? { nic: { vendor: toHex(busId.slice(1, 3)), device: toHex(busId.slice(3, 5)) } }
      : {}),
  };
}
