/** The envelope of an IPMI 2.0 session (RMCP+), and of what is said to begin one (IPMI 2.0 §13.6, §13.28, §13.29). */
import { concat } from "#std/bytes.ts";
import { AUTHENTICATION, PAYLOAD } from "../constants.ts";
import { leastFirst, malformed, Reader } from "../reader.ts";
import type { Primitives, Random } from "./primitives.ts";
import { CLASS, decodeRmcp, encodeRmcp, RMCP_HEADER } from "./rmcp.ts";
import type { SessionKeys, Suite } from "./suite.ts";

export interface Packet20 {
  /** As in PAYLOAD. */
  readonly type: number;
  readonly isEncrypted: boolean;
  readonly isAuthenticated: boolean;
  /** 0: none yet. */
  readonly session: number;
  readonly sequence: number;
  /** Perhaps encrypted. */
  readonly payload: Uint8Array;
}

const NEXT_HEADER = 0x07;
const BLOCK = 16;

export function encode20({ type, isEncrypted, isAuthenticated, session, sequence, payload }: Packet20): Uint8Array {
  const kind = (isEncrypted ? 0x80 : 0) | (isAuthenticated ? 0x40 : 0) | type;
  const head = [
    AUTHENTICATION.plus,
    kind,
    ...leastFirst(session, 4),
    ...leastFirst(sequence, 4),
    ...leastFirst(payload.length, 2),
  ];
  return encodeRmcp(CLASS.ipmi, concat([Uint8Array.from(head), payload]));
}

/** Throws Fault `ipmi.malformed`. `end`: where in the datagram the payload ends. */
export function decode20(datagram: Uint8Array): Packet20 & { readonly end: number } {
  const rmcp = decodeRmcp(datagram);
  if (rmcp.class !== CLASS.ipmi) throw malformed("IPMI 2.0 packet", "another class of message");
  const reader = new Reader(rmcp.body, "IPMI 2.0 packet");
  if ((reader.byte() & 0x0f) !== AUTHENTICATION.plus) throw malformed("IPMI 2.0 packet", "this is IPMI 1.5");
  const kind = reader.byte();
  // Whose payload it is; nobody's here.
  if ((kind & 0x3f) === PAYLOAD.oem) reader.skip(6);
  const [session, sequence] = [reader.uint(4), reader.uint(4)];
  const payload = reader.bytes(reader.uint(2));
  return {
    type: kind & 0x3f,
    isEncrypted: (kind & 0x80) !== 0,
    isAuthenticated: (kind & 0x40) !== 0,
    session,
    sequence,
    payload,
    end: datagram.length - reader.left,
  };
}

/** What a session puts around payloads and takes off again. */
export class Protection {
  readonly #primitives: Primitives;
  readonly #random: Random;
  readonly #suite: Suite;
  readonly #keys: SessionKeys;

  constructor(primitives: Primitives, random: Random, suite: Suite, keys: SessionKeys) {
    this.#primitives = primitives;
    this.#random = random;
    this.#suite = suite;
    this.#keys = keys;
  }

  /** A datagram. */
  seal(packet: Pick<Packet20, "type" | "session" | "sequence" | "payload">): Uint8Array {
    const isEncrypted = this.#suite.confidentiality !== 0;
    const isAuthenticated = this.#suite.integrity !== 0;
    const payload = isEncrypted ? this.#encrypt(packet.payload) : packet.payload;
    const datagram = encode20({ ...packet, payload, isEncrypted, isAuthenticated });
    return isAuthenticated ? this.#sign(datagram) : datagram;
  }

  /**
   * What a datagram of this session holds; undefined when it is forged or damaged, or less protected than the suite promises. Throws
   * Fault `ipmi.malformed` when it is no packet at all.
   */
  open(datagram: Uint8Array): Packet20 | undefined {
    const packet = decode20(datagram);
    if (packet.isAuthenticated !== (this.#suite.integrity !== 0)) return undefined;
    if (packet.isEncrypted !== (this.#suite.confidentiality !== 0)) return undefined;
    if (packet.isAuthenticated && !this.#isGenuine(datagram, packet.end)) return undefined;
    if (!packet.isEncrypted) return packet;
    const payload = this.#decrypt(packet.payload);
    return payload && { ...packet, payload };
  }

  /** §13.28.4: padding to a multiple of four, its length, the next header, and the code over all but the RMCP header. */
  #sign(datagram: Uint8Array): Uint8Array {
    const length = datagram.length - RMCP_HEADER;
    const padding = -(length + 2) & 3;
    const signed = new Uint8Array(datagram.length + padding + 2);
    signed.set(datagram);
    signed.fill(0xff, datagram.length, datagram.length + padding);
    signed.set([padding, NEXT_HEADER], datagram.length + padding);
    return concat([signed, this.#code(signed)]);
  }

  #isGenuine(datagram: Uint8Array, payloadEnd: number): boolean {
    const codeAt = datagram.length - this.#suite.codeLength;
    // Padding's length and the next header at least.
    if (codeAt < payloadEnd + 2) return false;
    return this.#primitives.isEqual(this.#code(datagram.subarray(0, codeAt)), datagram.subarray(codeAt));
  }

  #code(signed: Uint8Array): Uint8Array {
    const { hash, codeLength } = this.#suite;
    return this.#primitives.hmac(hash!, this.#keys.integrity, signed.subarray(RMCP_HEADER)).subarray(0, codeLength);
  }

  /** §13.29: a random block, then the payload, 1, 2, 3…, and how many these are. */
  #encrypt(payload: Uint8Array): Uint8Array {
    const padding = -(payload.length + 1) & (BLOCK - 1);
    const plain = new Uint8Array(payload.length + padding + 1);
    plain.set(payload);
    for (let i = 1; i <= padding; i++) plain[payload.length + i - 1] = i;
    plain[plain.length - 1] = padding;
    const iv = this.#random(BLOCK);
    return concat([iv, this.#primitives.encryptAes128Cbc(this.#keys.confidentiality, iv, plain)]);
  }

  #decrypt(payload: Uint8Array): Uint8Array | undefined {
    if (payload.length < 2 * BLOCK || payload.length % BLOCK !== 0) return undefined;
    const [iv, sealed] = [payload.subarray(0, BLOCK), payload.subarray(BLOCK)];
    const plain = this.#primitives.decryptAes128Cbc(this.#keys.confidentiality, iv, sealed);
    const padding = plain[plain.length - 1]!;
    // Its bytes are not looked at: some BMCs fill it with what they have. The code has proven who sent it.
    return padding < plain.length ? plain.slice(0, plain.length - 1 - padding) : undefined;
  }
}
