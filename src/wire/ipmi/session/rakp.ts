/** The messages that begin an IPMI 2.0 session (IPMI 2.0 §13.17 to §13.24). */
import { concat } from "#std/bytes.ts";
import { leastFirst, malformed, Reader } from "../reader.ts";

/** §13.24, table 13-15 */
export const STATUS = {
  ok: 0x00,
  insufficientResources: 0x01,
  invalidSession: 0x02,
  invalidAuthentication: 0x04,
  invalidIntegrity: 0x05,
  noAuthenticationMatch: 0x06,
  noIntegrityMatch: 0x07,
  inactiveSession: 0x08,
  invalidRole: 0x09,
  unauthorizedRole: 0x0a,
  insufficientResourcesForRole: 0x0b,
  invalidNameLength: 0x0c,
  unauthorizedName: 0x0d,
  invalidCheck: 0x0f,
  invalidConfidentiality: 0x10,
  noSuiteMatch: 0x11,
  illegalParameter: 0x12,
} as const;

export interface Algorithms {
  readonly authentication: number;
  readonly integrity: number;
  readonly confidentiality: number;
}

export interface OpenSessionRequest extends Algorithms {
  readonly tag: number;
  /** 0: the most that the suite gives. */
  readonly privilege: number;
  readonly remoteSession: number;
}

/** §13.17 */
export function encodeOpenRequest({ tag, privilege, remoteSession, ...algorithms }: OpenSessionRequest): Uint8Array {
  return Uint8Array.of(tag, privilege, 0, 0, ...leastFirst(remoteSession, 4), ...encodeAlgorithms(algorithms));
}

/** Throws Fault `ipmi.malformed`, as the other decoders here. */
export function decodeOpenRequest(bytes: Uint8Array): OpenSessionRequest {
  const reader = new Reader(bytes, "Open Session Request");
  const [tag, privilege] = [reader.byte(), reader.byte() & 0x0f];
  reader.skip(2);
  const remoteSession = reader.uint(4);
  return { tag, privilege, remoteSession, ...decodeAlgorithms(reader) };
}

/** What only a message with status 0 has is undefined otherwise. */
export interface OpenSessionResponse {
  readonly tag: number;
  readonly status: number;
  readonly remoteSession: number;
  readonly granted?: Algorithms & { readonly privilege: number; readonly bmcSession: number };
}

/** §13.18 */
export function encodeOpenResponse({ tag, status, remoteSession, granted }: OpenSessionResponse): Uint8Array {
  const head = [tag, status, granted?.privilege ?? 0, 0, ...leastFirst(remoteSession, 4)];
  if (granted === undefined) return Uint8Array.from(head);
  return Uint8Array.of(...head, ...leastFirst(granted.bmcSession, 4), ...encodeAlgorithms(granted));
}

export function decodeOpenResponse(bytes: Uint8Array): OpenSessionResponse {
  const reader = new Reader(bytes, "Open Session Response");
  const [tag, status] = [reader.byte(), reader.byte()];
  // Some leave out all that follows when they refuse.
  if (status !== STATUS.ok) return { tag, status, remoteSession: readSession(reader) };
  const privilege = reader.byte() & 0x0f;
  reader.skip(1);
  const [remoteSession, bmcSession] = [reader.uint(4), reader.uint(4)];
  return { tag, status, remoteSession, granted: { privilege, bmcSession, ...decodeAlgorithms(reader) } };
}

export interface Rakp1 {
  readonly tag: number;
  readonly bmcSession: number;
  readonly random: Uint8Array;
  /** Level, and bit 4: the name alone says which user it is. */
  readonly role: number;
  readonly user: Uint8Array;
}

/** Looked up by the name alone, not by name and level (§13.20). */
export const NAME_ONLY = 0x10;

/** §13.20 */
export function encodeRakp1({ tag, bmcSession, random, role, user }: Rakp1): Uint8Array {
  return Uint8Array.of(tag, 0, 0, 0, ...leastFirst(bmcSession, 4), ...random, role, 0, 0, user.length, ...user);
}

export function decodeRakp1(bytes: Uint8Array): Rakp1 {
  const reader = new Reader(bytes, "RAKP message 1");
  const tag = reader.byte();
  reader.skip(3);
  const bmcSession = reader.uint(4);
  const [random, role] = [reader.bytes(16), reader.byte()];
  reader.skip(2);
  const length = reader.byte();
  return { tag, bmcSession, random, role, user: reader.bytes(length) };
}

export interface Rakp2 {
  readonly tag: number;
  readonly status: number;
  readonly remoteSession: number;
  readonly granted?: { readonly random: Uint8Array; readonly guid: Uint8Array; readonly code: Uint8Array };
}

/** §13.21 */
export function encodeRakp2({ tag, status, remoteSession, granted }: Rakp2): Uint8Array {
  const head = Uint8Array.of(tag, status, 0, 0, ...leastFirst(remoteSession, 4));
  return granted === undefined ? head : concat([head, granted.random, granted.guid, granted.code]);
}

export function decodeRakp2(bytes: Uint8Array): Rakp2 {
  const reader = new Reader(bytes, "RAKP message 2");
  const [tag, status] = [reader.byte(), reader.byte()];
  if (status !== STATUS.ok) return { tag, status, remoteSession: readSession(reader) };
  reader.skip(2);
  const remoteSession = reader.uint(4);
  return { tag, status, remoteSession, granted: { random: reader.bytes(16), guid: reader.bytes(16), code: reader.rest() } };
}

/** RAKP message 3 (§13.22), to the BMC's session; and 4 (§13.23), to the other one. */
export interface RakpProof {
  readonly tag: number;
  readonly status: number;
  readonly session: number;
  readonly code: Uint8Array;
}

export function encodeProof({ tag, status, session, code }: RakpProof): Uint8Array {
  return Uint8Array.of(tag, status, 0, 0, ...leastFirst(session, 4), ...code);
}

export function decodeProof(bytes: Uint8Array): RakpProof {
  const reader = new Reader(bytes, "RAKP message 3 or 4");
  const [tag, status] = [reader.byte(), reader.byte()];
  const session = readSession(reader);
  if (status === STATUS.ok && session === 0) throw malformed("RAKP message 3 or 4", "it names no session");
  return { tag, status, session, code: reader.rest() };
}

/** 0 where a refusal has none. */
function readSession(reader: Reader): number {
  if (reader.left < 6) return 0;
  reader.skip(2);
  return reader.uint(4);
}

const ALGORITHM = 8;

/** Three records of type, length and number. */
function encodeAlgorithms({ authentication, integrity, confidentiality }: Algorithms): number[] {
  return [authentication, integrity, confidentiality].flatMap((number, type) => [type, 0, 0, ALGORITHM, number, 0, 0, 0]);
}

function decodeAlgorithms(reader: Reader): Algorithms {
  const found = [0, 1, 2].map((expected) => {
    const record = reader.bytes(ALGORITHM);
    // Length 0 in a request: the BMC may choose, and it chooses what it has as number 0.
    if (record[0] !== expected) throw malformed("algorithms of a session", `type ${record[0]} where ${expected} has to be`);
    return record[4]! & 0x3f;
  });
  return { authentication: found[0]!, integrity: found[1]!, confidentiality: found[2]! };
}
