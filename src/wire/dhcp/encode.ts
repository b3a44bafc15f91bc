import { parseIpv4 } from "#std/address.ts";
import { concat, fromLatin1, uintBytes } from "#std/bytes.ts";
import { END, ETHERNET_MTU, HEADER, IP_UDP_LENGTH, MAGIC_COOKIE, MESSAGE_TYPE, MIN_MAX_MESSAGE_SIZE } from "./constants.ts";
import { MIN_MESSAGE_LENGTH, OVERLOAD, PAD, RELAY_AGENT } from "./constants.ts";
import { callerFault } from "./fault.ts";
import { MAX_VALUE_LENGTH, writeOption } from "./frame.ts";
import { OPTIONS } from "./option.ts";
import type { Packet, RawOption } from "./packet.ts";

/** A field that takes whole options: the options field itself, then `file`, then `sname` (RFC 3396 §5). */
interface Area {
  room: number;
  readonly parts: Uint8Array[];
}

const FILE_LENGTH = HEADER.cookie - HEADER.file;
const SNAME_LENGTH = HEADER.file - HEADER.sname;
const OVERLOAD_LENGTH = 3;

/**
 * The UDP payload of `packet`, at least 300 bytes. `maxMessageSize` is what the receiver takes (its option 57), held
 * between 576 and 1500. Options that are too many for it go into `file` and `sname`, where the packet leaves those empty
 * (RFC 2132 §9.3), and ones of over 255 bytes into several (RFC 3396). The message type comes first, because old firmware looks
 * for it there, the relay's option last (RFC 3046 §2.1), the others by code. A `caller` Fault, `dhcp.unencodable` or
 * `dhcp.no-room`, names what cannot be written.
 */
export function encode(packet: Packet, maxMessageSize = MIN_MAX_MESSAGE_SIZE): Uint8Array {
  const size = Math.min(Math.max(maxMessageSize, MIN_MAX_MESSAGE_SIZE), ETHERNET_MTU) - IP_UDP_LENGTH;
  const options = OPTIONS.write(packet.options, packet.others);
  if (options.some(({ code }) => code === OVERLOAD || code === END || code === PAD)) {
    throw callerFault("dhcp.unencodable", "others", "options 0, 52 and 255 are the encoder's own");
  }
  const [main, file, sname] = layOut(options.toSorted(byPlace), size - HEADER.options, packet);
  const message = new Uint8Array(Math.max(MIN_MESSAGE_LENGTH, HEADER.options + main.length));
  writeHeader(message, packet);
  message.set(main, HEADER.options);
  message.set(file, HEADER.file);
  message.set(sname, HEADER.sname);
  return message;
}

function byPlace(a: RawOption, b: RawOption): number {
  return place(a.code) - place(b.code);
}

function place(code: number): number {
  if (code === MESSAGE_TYPE) return 0;
  return code === RELAY_AGENT ? END : code;
}

/** The bytes of the options field, `file` and `sname`; the latter two only where they hold options or text. */
function layOut(options: readonly RawOption[], room: number, packet: Packet): [Uint8Array, Uint8Array, Uint8Array] {
  const file = headerText("file", packet.file, FILE_LENGTH);
  const sname = headerText("sname", packet.sname, SNAME_LENGTH);
  const plain = options.flatMap(split);
  if (lengthOf(plain) + 1 <= room) return [concat([...plain, Uint8Array.of(END)]), file, sname];

  // A relay takes its option out of the options field and looks nowhere else, so that room is kept first.
  const relay = options.filter(({ code }) => code === RELAY_AGENT).flatMap(split);
  const main: Area = { room: room - 1 - OVERLOAD_LENGTH - lengthOf(relay), parts: [] };
  const inFile: Area = { room: packet.file === "" ? FILE_LENGTH - 1 : 0, parts: [] };
  const inSname: Area = { room: packet.sname === "" ? SNAME_LENGTH - 1 : 0, parts: [] };
  for (const option of options) if (option.code !== RELAY_AGENT) put(option, [main, inFile, inSname]);
  if (main.room < 0) throw noRoom(RELAY_AGENT);
  const overload = (inFile.parts.length > 0 ? 1 : 0) | (inSname.parts.length > 0 ? 2 : 0);
  const mark = overload === 0 ? [] : [Uint8Array.of(OVERLOAD, 1, overload)];
  return [
    concat([...main.parts, ...mark, ...relay, Uint8Array.of(END)]),
    overload & 1 ? concat([...inFile.parts, Uint8Array.of(END)]) : file,
    overload & 2 ? concat([...inSname.parts, Uint8Array.of(END)]) : sname,
  ];
}

/**
 * Whole into the first area with room, because much firmware joins nothing; only an option that has room nowhere is divided.
 * Its parts keep the order in which areas are read.
 */
function put(option: RawOption, areas: readonly Area[]): void {
  const whole = split(option);
  const home = areas.find(({ room }) => lengthOf(whole) <= room);
  if (home !== undefined) {
    home.parts.push(...whole);
    home.room -= lengthOf(whole);
    return;
  }
  let rest = option.value;
  for (const area of areas) {
    while (rest.length > 0 && area.room > 2) {
      const length = Math.min(rest.length, area.room - 2, MAX_VALUE_LENGTH);
      area.parts.push(writeOption({ code: option.code, value: rest.subarray(0, length) }));
      area.room -= length + 2;
      rest = rest.subarray(length);
    }
  }
  if (rest.length > 0 || option.value.length === 0) throw noRoom(option.code);
}

/** RFC 3396 §5: as few instances as possible, all but the last full. */
function split({ code, value }: RawOption): Uint8Array[] {
  const count = Math.max(1, Math.ceil(value.length / MAX_VALUE_LENGTH));
  return Array.from({ length: count }, (_, i) => {
    return writeOption({ code, value: value.subarray(i * MAX_VALUE_LENGTH, (i + 1) * MAX_VALUE_LENGTH) });
  });
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((length, part) => length + part.length, 0);
}

function noRoom(code: number): Error {
  return callerFault("dhcp.no-room", `option ${code}`, "the options do not fit into the largest message the receiver takes");
}

function writeHeader(message: Uint8Array, packet: Packet): void {
  if (packet.chaddr.length > HEADER.sname - HEADER.chaddr) {
    throw callerFault("dhcp.unencodable", "chaddr", `${packet.chaddr.length} bytes, where 16 have room`);
  }
  message[HEADER.op] = packet.op === "request" ? 1 : 2;
  message[HEADER.hlen] = packet.chaddr.length;
  message.set(packet.chaddr, HEADER.chaddr);
  message.set(uintBytes(MAGIC_COOKIE, 4), HEADER.cookie);
  for (const [field, width] of [
    ["htype", 1],
    ["hops", 1],
    ["xid", 4],
    ["secs", 2],
    ["flags", 2],
  ] as const) {
    const value = packet[field];
    if (!Number.isInteger(value) || value < 0 || value >= 256 ** width) {
      throw callerFault("dhcp.unencodable", field, `${value} is not a number of ${width * 8} bits`);
    }
    message.set(uintBytes(value, width), HEADER[field]);
  }
  for (const field of ["ciaddr", "yiaddr", "siaddr", "giaddr"] as const) {
    const address = parseIpv4(packet[field]);
    if (address === undefined) throw callerFault("dhcp.unencodable", field, "the value is not an IPv4 address");
    message.set(address, HEADER[field]);
  }
}

/** A field of the header that a NUL must end. */
function headerText(field: string, value: string, width: number): Uint8Array {
  const bytes = fromLatin1(value);
  if (bytes === undefined || bytes.length >= width || bytes.includes(0)) {
    throw callerFault("dhcp.unencodable", field, `not a text of at most ${width - 1} bytes`);
  }
  return bytes;
}
