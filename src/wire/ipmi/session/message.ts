/** The innermost envelope: a command or its answer with addresses and two checksums (IPMI 2.0 §13.8). */
import { malformed } from "../reader.ts";

/** Of the BMC, and of a program that is not on the bus (§5.5). */
export const BMC_ADDRESS = 0x20;
export const REMOTE_ADDRESS = 0x81;

export interface Message {
  readonly to: number;
  readonly toLun: number;
  /** Odd in answers. */
  readonly netFn: number;
  readonly from: number;
  readonly fromLun: number;
  /** Six bits: which answer belongs to which command. */
  readonly sequence: number;
  readonly command: number;
  /** Of an answer: the completion code and what follows. */
  readonly data: Uint8Array;
}

const OVERHEAD = 7;

export function encodeMessage({ to, toLun, netFn, from, fromLun, sequence, command, data }: Message): Uint8Array {
  const bytes = new Uint8Array(OVERHEAD + data.length);
  bytes[0] = to;
  bytes[1] = (netFn << 2) | toLun;
  bytes[2] = checksum(bytes, 0, 2);
  bytes[3] = from;
  bytes[4] = (sequence << 2) | fromLun;
  bytes[5] = command;
  bytes.set(data, 6);
  bytes[bytes.length - 1] = checksum(bytes, 3, bytes.length - 1);
  return bytes;
}

/** Throws Fault `ipmi.malformed`. */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length < OVERHEAD) throw malformed("IPMI message", `${bytes.length} bytes are too few`);
  const end = bytes.length - 1;
  if (checksum(bytes, 0, 2) !== bytes[2] || checksum(bytes, 3, end) !== bytes[end]) {
    throw malformed("IPMI message", "a checksum is wrong");
  }
  return {
    to: bytes[0]!,
    toLun: bytes[1]! & 0x03,
    netFn: bytes[1]! >> 2,
    from: bytes[3]!,
    fromLun: bytes[4]! & 0x03,
    sequence: bytes[4]! >> 2,
    command: bytes[5]!,
    data: bytes.slice(6, end),
  };
}

/** What makes the sum 0. */
function checksum(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += bytes[i]!;
  return -sum & 0xff;
}
