/** The magic packet of Wake-on-LAN (README.md). Encoded to send it; decoded by tests and simulated network cards. */
import { formatMac, parseMac } from "#std/address.ts";
import { concat } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";

/** UDP, "discard": nothing that listens there is disturbed. */
export const WAKE_PORT = 9;

const SYNC = new Uint8Array(6).fill(0xff);
const TIMES = 16;
const LENGTH = SYNC.length + TIMES * 6;

/** 102 bytes that wake the network card of that MAC address. Throws `caller` Fault `wol.unencodable` for what is none. */
export function encodeMagic(mac: string): Uint8Array {
  const bytes = parseMac(mac);
  if (bytes === undefined) throw new Fault("wol.unencodable", `"${mac}" is no MAC address`, { fault: "caller", retry: "never" });
  return concat([SYNC, ...Array.from({ length: TIMES }, () => bytes)]);
}

/** The MAC address of a magic packet that begins anywhere in `bytes`; undefined when there is none. */
export function decodeMagic(bytes: Uint8Array): string | undefined {
  for (let at = 0; at + LENGTH <= bytes.length; at++) {
    if (!SYNC.every((byte, i) => bytes[at + i] === byte)) continue;
    const mac = bytes.subarray(at + SYNC.length, at + SYNC.length + 6);
    const repeats = bytes.subarray(at + SYNC.length, at + LENGTH).every((byte, i) => byte === mac[i % 6]);
    if (repeats) return formatMac(mac);
  }
  return undefined;
}
