/** The outermost envelope (IPMI 2.0 §13.1.3, ASF 2.0 §3.2.2), and the question whether somebody is there (ASF §3.2.4.2, §3.2.4.3). */
import { readUint } from "#std/bytes.ts";
import { malformed } from "../reader.ts";

const VERSION = 0x06;
/** No acknowledgement wanted. IPMI wants none. */
const UNNUMBERED = 0xff;
export const CLASS = { asf: 0x06, ipmi: 0x07 } as const;
/** Of ASF among the enterprises of IANA. */
const ASF_ENTERPRISE = 4542;
const ASF_TYPE = { ping: 0x80, pong: 0x40 } as const;

export const RMCP_HEADER = 4;

export function encodeRmcp(messageClass: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RMCP_HEADER + body.length);
  bytes.set([VERSION, 0, UNNUMBERED, messageClass]);
  bytes.set(body, RMCP_HEADER);
  return bytes;
}

export interface Rmcp {
  /** As in CLASS. */
  readonly class: number;
  readonly body: Uint8Array;
}

/** Throws Fault `ipmi.malformed`, also for a mere acknowledgement. */
export function decodeRmcp(datagram: Uint8Array): Rmcp {
  if (datagram.length <= RMCP_HEADER || datagram[0] !== VERSION || (datagram[3]! & 0x80) !== 0)
    throw malformed("RMCP", "no RMCP message");
  return { class: datagram[3]!, body: datagram.subarray(RMCP_HEADER) };
}

export type Asf =
  | { readonly kind: "ping"; readonly tag: number }
  | { readonly kind: "pong"; readonly tag: number; readonly speaksIpmi: boolean };

export function encodeAsf(message: Asf): Uint8Array {
  const head = [0, 0, ASF_ENTERPRISE >> 8, ASF_ENTERPRISE & 0xff];
  const pong = [...head, 0, 0, 0, 0, message.kind === "pong" && message.speaksIpmi ? 0x81 : 0x01, 0, 0, 0, 0, 0, 0, 0];
  const data = message.kind === "pong" ? pong : [];
  return encodeRmcp(CLASS.asf, Uint8Array.of(...head, ASF_TYPE[message.kind], message.tag, 0, data.length, ...data));
}

/** Of the body of an RMCP message. Throws Fault `ipmi.malformed`. */
export function decodeAsf(body: Uint8Array): Asf {
  if (body.length < 8 || readUint(body, 0, 4) !== ASF_ENTERPRISE) throw malformed("ASF", "no ASF message");
  const [type, tag] = [body[4], body[5]!];
  if (type === ASF_TYPE.ping) return { kind: "ping", tag };
  if (type !== ASF_TYPE.pong || body.length < 17) throw malformed("ASF", "neither ping nor pong");
  return { kind: "pong", tag, speaksIpmi: (body[16]! & 0x80) !== 0 };
}
