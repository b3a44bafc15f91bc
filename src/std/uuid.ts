/**
 * UUIDs as text and as the two orders of bytes that firmware knows. RFC 9562 writes every field with its most significant byte
 * first; EFI, and SMBIOS from 2.6 on, write the first three fields with the least significant byte first (SMBIOS §7.2.1).
 */
import { fromHex, toHex } from "./bytes.ts";

const EFI_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] as const;

/** `00112233-4455-6677-8899-aabbccddeeff` of sixteen bytes in the order of RFC 9562. */
export function formatUuid(bytes: Uint8Array): string {
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

/** Sixteen bytes in the order of RFC 9562, of text with hyphens in either case. */
export function parseUuid(text: string): Uint8Array | undefined {
  return /^[^-]{8}-[^-]{4}-[^-]{4}-[^-]{4}-[^-]{12}$/.test(text) ? fromHex(text.replaceAll("-", "")) : undefined;
}

/** From one order of bytes to the other; its own inverse. */
export function swapUuid(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(EFI_ORDER, (from) => bytes[from]!);
}
