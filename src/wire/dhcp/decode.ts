import { formatIpv4 } from "#std/address.ts";
import { readUint, toLatin1 } from "#std/bytes.ts";
import { HEADER, MAGIC_COOKIE, MAX_MESSAGE_LENGTH, OVERLOAD } from "./constants.ts";
import { peerFault } from "./fault.ts";
import { frame, join } from "./frame.ts";
import { OPTIONS } from "./option.ts";
import type { FramedOption } from "./option-set.ts";
import type { Packet } from "./packet.ts";

const OPS = new Map([
  [1, "request"],
  [2, "reply"],
] as const);

/**
 * The packet of a UDP payload (RFC 2131 §2); it shares no memory with `bytes`. Options of several instances are joined, also
 * those in `file` and `sname` (RFC 3396, RFC 2132 §9.3). A `peer` Fault (`dhcp.…`) says which byte is wrong. Linear in the
 * length of `bytes`.
 */
export function decode(bytes: Uint8Array): Packet {
  if (bytes.length > MAX_MESSAGE_LENGTH) {
    throw peerFault(
      "dhcp.too-long",
      MAX_MESSAGE_LENGTH,
      `the message has ${bytes.length} bytes, the limit is ${MAX_MESSAGE_LENGTH}`,
    );
  }
  if (bytes.length < HEADER.options) {
    throw peerFault("dhcp.truncated", bytes.length, `the message ends before its header of ${HEADER.options} bytes does`);
  }
  const op = OPS.get(bytes[HEADER.op] as 1 | 2);
  if (op === undefined) throw peerFault("dhcp.not-dhcp", HEADER.op, `operation ${bytes[HEADER.op]} is neither 1 nor 2`);
  if (readUint(bytes, HEADER.cookie, 4) !== MAGIC_COOKIE) {
    throw peerFault("dhcp.not-dhcp", HEADER.cookie, "no magic cookie: BOOTP or something else");
  }
  const hlen = bytes[HEADER.hlen]!;
  if (hlen > HEADER.sname - HEADER.chaddr) {
    throw peerFault("dhcp.malformed", HEADER.hlen, `a hardware address of ${hlen} bytes, where 16 have room`);
  }
  const outer = frame(bytes, HEADER.options, bytes.length);
  const overload = overloadOf(outer);
  const inFile = overload.file ? frame(bytes, HEADER.file, HEADER.cookie) : [];
  const inSname = overload.sname ? frame(bytes, HEADER.sname, HEADER.file) : [];
  const options = [...outer, ...inFile, ...inSname].filter(({ code }) => code !== OVERLOAD);
  return {
    op,
    htype: bytes[HEADER.htype]!,
    hops: bytes[HEADER.hops]!,
    xid: readUint(bytes, HEADER.xid, 4),
    secs: readUint(bytes, HEADER.secs, 2),
    flags: readUint(bytes, HEADER.flags, 2),
    ciaddr: formatIpv4(bytes, HEADER.ciaddr),
    yiaddr: formatIpv4(bytes, HEADER.yiaddr),
    siaddr: formatIpv4(bytes, HEADER.siaddr),
    giaddr: formatIpv4(bytes, HEADER.giaddr),
    chaddr: bytes.slice(HEADER.chaddr, HEADER.chaddr + hlen),
    sname: overload.sname ? "" : untilNul(bytes.subarray(HEADER.sname, HEADER.file)),
    file: overload.file ? "" : untilNul(bytes.subarray(HEADER.file, HEADER.cookie)),
    ...OPTIONS.read(join(options)),
  };
}

/** Which header fields carry options: bit 0 says `file`, bit 1 `sname` (RFC 2132 §9.3). */
function overloadOf(framed: readonly FramedOption[]): { file: boolean; sname: boolean } {
  const option = framed.find(({ code }) => code === OVERLOAD);
  const value = option === undefined ? 0 : option.value[0]!;
  if (option !== undefined && (option.value.length !== 1 || value < 1 || value > 3)) {
    throw peerFault("dhcp.malformed", option.offset, "option 52 (overload) is not 1, 2 or 3");
  }
  return { file: (value & 1) !== 0, sname: (value & 2) !== 0 };
}

function untilNul(field: Uint8Array): string {
  const end = field.indexOf(0);
  return toLatin1(end < 0 ? field : field.subarray(0, end));
}
