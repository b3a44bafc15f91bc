/** The envelope of an IPMI 1.5 session, and of messages without one (IPMI 2.0 §13.6, §22.17.1). */
import { concat } from "#std/bytes.ts";
import { AUTHENTICATION } from "../constants.ts";
import { leastFirst, malformed, Reader } from "../reader.ts";
import type { Primitives } from "./primitives.ts";
import { CLASS, decodeRmcp, encodeRmcp } from "./rmcp.ts";

export interface Packet15 {
  /** As in AUTHENTICATION. */
  readonly type: number;
  readonly sequence: number;
  /** 0: none. */
  readonly session: number;
  /** Sixteen bytes; of no length without authentication. */
  readonly code: Uint8Array;
  readonly payload: Uint8Array;
}

const CODE = 16;

export function encode15({ type, sequence, session, code, payload }: Packet15): Uint8Array {
  const head = Uint8Array.of(type, ...leastFirst(sequence, 4), ...leastFirst(session, 4));
  return encodeRmcp(CLASS.ipmi, concat([head, code, Uint8Array.of(payload.length), payload]));
}

/** Throws Fault `ipmi.malformed`. */
export function decode15(datagram: Uint8Array): Packet15 {
  const rmcp = decodeRmcp(datagram);
  if (rmcp.class !== CLASS.ipmi) throw malformed("IPMI 1.5 packet", "another class of message");
  const reader = new Reader(rmcp.body, "IPMI 1.5 packet");
  const type = reader.byte() & 0x0f;
  if (type === AUTHENTICATION.plus) throw malformed("IPMI 1.5 packet", "this is IPMI 2.0");
  const [sequence, session] = [reader.uint(4), reader.uint(4)];
  const code = reader.bytes(type === AUTHENTICATION.none ? 0 : CODE);
  // Padding may follow: network controllers of old did not like some lengths.
  return { type, sequence, session, code, payload: reader.bytes(reader.byte()) };
}

/** The code that proves who sent it (§22.17.1). `password`: sixteen bytes. */
export function authenticate15(
  { md5 }: Primitives,
  password: Uint8Array,
  { type, sequence, session, payload }: Omit<Packet15, "code">,
): Uint8Array {
  switch (type) {
    case AUTHENTICATION.md5:
      return md5(
        concat([password, Uint8Array.from(leastFirst(session, 4)), payload, Uint8Array.from(leastFirst(sequence, 4)), password]),
      );
    case AUTHENTICATION.password:
      return password;
    default:
      return new Uint8Array();
  }
}
