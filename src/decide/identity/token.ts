/**
 * The token of one boot: what a boot script hands to the machine that asked for it, on the kernel's command line, and what is shown when the machine calls.
 * It says who asked, from where, what for and until when it counts; the seal says that this Sidero has issued it.
 */
import { formatIpv4, formatIpv6, formatMac, parseIpv4, parseIpv6, parseMac } from "#std/address.ts";
import { concat, readUint, uintBytes } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { formatUuid, parseUuid } from "#std/uuid.ts";

/**
 * `agent`: to say what a machine is, which opens no secret. `config`: to get the configuration of the allocation it was made for. `link`: to join SideroLink, also long
 * after its end: a machine boots from its disk with it.
 */
export type Purpose = "agent" | "config" | "link";

export interface BootToken {
  readonly purpose: Purpose;
  /** UUID of this boot's script; sightings of one boot have it in common. */
  readonly boot: string;
  /** What iPXE said of the machine when it asked; the agent may claim no other. */
  readonly uuid?: string;
  /** `52:54:00:12:34:56` */
  readonly mac?: string;
  readonly serial?: string;
  /** uid of the ServerBinding that the machine is installed for. */
  readonly binding?: string;
  /** IP address the script was asked for from, without zone; an IPv4 address that IPv6 carries comes back as IPv4. */
  readonly address: string;
  /** Milliseconds since 1970; kept in whole seconds, rounded up. */
  readonly expires: number;
}

/** Message authentication by a key of this installation (`io/seal.ts`, which this layer does not see). */
export interface Seal {
  mark(message: Uint8Array): Uint8Array;
  isMark(message: Uint8Array, mark: Uint8Array): boolean;
}

/** Byte 0: what the rest means. Also tells tokens apart from everything else that is sealed with the same key. */
const PURPOSES = { agent: 0xa1, config: 0xc1, link: 0xe1 } as const satisfies Record<Purpose, number>;
const HAS = { uuid: 1, mac: 2, serial: 4, ipv6: 8, binding: 16 } as const;
const MARK = 32;
/** Longer serial numbers are left out: they would not fit on a kernel's command line with everything else. */
const LONGEST_SERIAL = 64;
/** The longest token there can be, in characters. */
const LONGEST = 256;
const MAPPED = parseIpv6("::ffff:0.0.0.0")!.subarray(0, 12);

/**
 * About 120 characters of base64url (RFC 4648 §5), which need no quoting anywhere. The values must be well-formed: Fault
 * `decide.token` names the one that is not.
 */
export function encodeToken(token: BootToken, seal: Seal): string {
  const serial = new TextEncoder().encode(token.serial ?? "");
  const hasSerial = serial.length > 0 && serial.length <= LONGEST_SERIAL;
  const address = parseAddress(token.address);
  const flags =
    (token.uuid === undefined ? 0 : HAS.uuid) |
    (token.mac === undefined ? 0 : HAS.mac) |
    (hasSerial ? HAS.serial : 0) |
    (address?.length === 16 ? HAS.ipv6 : 0) |
    (token.binding === undefined ? 0 : HAS.binding);
  const message = concat([
    Uint8Array.of(PURPOSES[token.purpose], flags),
    uintBytes(Math.ceil(token.expires / 1000), 5),
    wellFormed("boot", parseUuid(token.boot)),
    wellFormed("address", address),
    ...(token.uuid === undefined ? [] : [wellFormed("uuid", parseUuid(token.uuid))]),
    ...(token.mac === undefined ? [] : [wellFormed("mac", parseMac(token.mac))]),
    ...(hasSerial ? [uintBytes(serial.length, 1), serial] : []),
    ...(token.binding === undefined ? [] : [wellFormed("binding", parseUuid(token.binding))]),
  ]);
  return toBase64Url(concat([message, seal.mark(message)]));
}

/** Fault `decide.token`: the text is no token, was not issued by us or for something else, or `now` (milliseconds since 1970) is past its end. */
export function decodeToken(text: string, seal: Seal, now: number, purpose: Purpose = "agent"): BootToken {
  const bytes = text.length > LONGEST ? undefined : fromBase64Url(text);
  if (bytes === undefined || bytes.length < 2 + MARK) throw refused("the token is malformed");
  const message = bytes.subarray(0, bytes.length - MARK);
  // What is read below has been written by us: the seal stands in for all checks of form.
  if (!seal.isMark(message, bytes.subarray(message.length))) throw refused("the token was not issued by this Sidero");
  if (message[0] !== PURPOSES[purpose]) throw refused("the token is for another purpose");
  const flags = message[1]!;
  let at = 2;
  const take = (length: number): Uint8Array => message.subarray(at, (at += length));
  const expires = readUint(take(5), 0, 5) * 1000;
  const boot = formatUuid(take(16));
  const address = flags & HAS.ipv6 ? formatIpv6(take(16)) : formatIpv4(take(4));
  const token: BootToken = {
    purpose,
    boot,
    address,
    expires,
    ...(flags & HAS.uuid ? { uuid: formatUuid(take(16)) } : {}),
    ...(flags & HAS.mac ? { mac: formatMac(take(6)) } : {}),
    ...(flags & HAS.serial ? { serial: new TextDecoder().decode(take(take(1)[0]!)) } : {}),
    ...(flags & HAS.binding ? { binding: formatUuid(take(16)) } : {}),
  };
  if (now >= expires) throw refused(`the token of boot ${boot} expired at ${new Date(expires).toISOString()}`);
  return token;
}

function refused(message: string): Fault {
  return new Fault("decide.token", message, { fault: "peer", retry: "never" });
}

function wellFormed(field: string, bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) {
    throw new Fault("decide.token", `a token cannot be made: ${field} is malformed`, { fault: "caller", retry: "never" });
  }
  return bytes;
}

/** Four or sixteen bytes. Sockets that serve both families say `::ffff:192.0.2.1` for an IPv4 peer. */
function parseAddress(text: string): Uint8Array | undefined {
  const bytes = parseIpv4(text) ?? parseIpv6(text.replace(/%.*$/s, ""));
  const isMapped = bytes?.length === 16 && MAPPED.every((byte, i) => bytes[i] === byte);
  return isMapped ? bytes.subarray(12) : bytes;
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Undefined unless the text is what {@link toBase64Url} writes, to the last bit: a token has one text only. */
function fromBase64Url(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  return toBase64Url(bytes) === text ? bytes : undefined;
}
