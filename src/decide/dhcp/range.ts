/** Arithmetic on IPv4 and IPv6 addresses: networks, ranges and what lies in them. */
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "#std/address.ts";

/** Addresses from `first` to `last`, both included, as numbers of 32 or 128 bits. */
export interface Range {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

export interface Network extends Range {
  /** Bits of the prefix. */
  readonly prefix: number;
}

export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

const WIDTH = { 4: 32, 6: 128 } as const;

/** Undefined for a text that is no address. */
export function parseAddress(text: string): Address | undefined {
  const family = text.includes(":") ? 6 : 4;
  const bytes = family === 4 ? parseIpv4(text) : parseIpv6(text);
  return bytes && { family, value: bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) };
}

/** The canonical text. */
export function formatAddress({ family, value }: Address): string {
  const length = WIDTH[family] / 8;
  const bytes = Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn));
  return family === 4 ? formatIpv4(bytes) : formatIpv6(bytes);
}

/** `10.0.0.0/24`, `fd77::/64`; undefined also when bits after the prefix are set. */
export function parseNetwork(text: string): Network | undefined {
  const [base, bits, ...rest] = text.split("/");
  const address = parseAddress(base ?? "");
  if (address === undefined || bits === undefined || rest.length > 0 || !/^\d{1,3}$/.test(bits)) return undefined;
  const prefix = Number(bits);
  if (prefix > WIDTH[address.family]) return undefined;
  const network = networkOf(address, prefix);
  return network.first === address.value ? network : undefined;
}

/** The network that an address with a prefix length is in. */
export function networkOf({ family, value }: Address, prefix: number): Network {
  const hosts = (1n << BigInt(WIDTH[family] - prefix)) - 1n;
  const first = (value | hosts) ^ hosts;
  return { family, prefix, first, last: first + hosts };
}

/** `10.0.0.50-10.0.0.99`, one address, or a network. */
export function parseRange(text: string): Range | undefined {
  if (text.includes("/")) return parseNetwork(text);
  const ends = text.split("-").map((end) => parseAddress(end.trim()));
  const [first, last = first] = ends;
  if (ends.length > 2 || ends.includes(undefined) || first === undefined || last === undefined) return undefined;
  if (first.family !== last.family || first.value > last.value) return undefined;
  return { family: first.family, first: first.value, last: last.value };
}

export function includes(range: Range, address: Address): boolean {
  return range.family === address.family && address.value >= range.first && address.value <= range.last;
}

/** Whether every address of `inner` is one of `outer`. */
export function contains(outer: Range, inner: Range): boolean {
  return outer.family === inner.family && inner.first >= outer.first && inner.last <= outer.last;
}

export function overlap(a: Range, b: Range): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** `255.255.255.0` of an IPv4 network. */
export function maskOf({ prefix }: Network): string {
  return formatAddress({ family: 4, value: (0xffffffffn << BigInt(32 - prefix)) & 0xffffffffn });
}

/** `10.0.0.255` of an IPv4 network; undefined where there is none (RFC 3021: /31, and /32). */
export function broadcastOf({ prefix, last }: Network): string | undefined {
  return prefix > 30 ? undefined : formatAddress({ family: 4, value: last });
}
