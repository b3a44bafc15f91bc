/** Network addresses between bytes and their one canonical text. The parsers take what people write and give bytes or undefined. */
import { concat, fromHex, readUint, toHex } from "./bytes.ts";

/** `192.0.2.1` of the four bytes at `at`. */
export function formatIpv4(bytes: Uint8Array, at = 0): string {
  return bytes.subarray(at, at + 4).join(".");
}

/** Four bytes of a dotted quad in decimal without leading zeros. */
export function parseIpv4(text: string): Uint8Array | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const parts = match?.slice(1) ?? [];
  if (match === null || parts.some((part) => Number(part) > 255 || String(Number(part)) !== part)) return undefined;
  return Uint8Array.from(parts, Number);
}

/** The canonical text of the sixteen bytes at `at`: lower case, the longest run of two or more zero groups as `::` (RFC 5952 §4). */
export function formatIpv6(bytes: Uint8Array, at = 0): string {
  const groups = Array.from({ length: 8 }, (_, i) => readUint(bytes, at + 2 * i, 2));
  let [start, length] = [0, 1];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) [start, length] = [i, end - i];
  }
  const text = groups.map((group) => group.toString(16));
  if (length < 2) return text.join(":");
  return `${text.slice(0, start).join(":")}::${text.slice(start + length).join(":")}`;
}

/** Sixteen bytes of any text form of RFC 4291 §2.2, without zone; `::ffff:192.0.2.1` included. */
export function parseIpv6(text: string): Uint8Array | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = [parseGroups(halves[0]!), parseGroups(halves[1] ?? "")];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  if (halves.length === 2 && halves[0]!.includes(".")) return undefined;
  return concat([head, new Uint8Array(missing), tail]);
}

/** The groups of one side of `::`; a dotted quad may stand for the last two. */
function parseGroups(text: string): Uint8Array | undefined {
  if (text === "") return new Uint8Array();
  const groups = text.split(":");
  const parts = groups.map((group, i) => {
    if (i === groups.length - 1 && group.includes(".")) return parseIpv4(group);
    return group.length > 0 && group.length <= 4 ? fromHex(group.padStart(4, "0")) : undefined;
  });
  return parts.every((part) => part !== undefined) ? concat(parts) : undefined;
}

/** `52:54:00:12:34:56`: a link-layer address of any length, lower case with colons. */
export function formatMac(bytes: Uint8Array): string {
  return toHex(bytes, ":");
}

/** Six bytes of `52:54:00:12:34:56`, with `-` for `:`, in either case. */
export function parseMac(text: string): Uint8Array | undefined {
  const isPairs = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text) || /^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/i.test(text);
  return isPairs ? fromHex(text.replaceAll(/[:-]/g, "")) : undefined;
}
