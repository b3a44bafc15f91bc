/** Cipher suites (IPMI 2.0 §22.15.2, table 22-20) and the keys of a session (§13.31, §13.32). */
import { concat } from "#std/bytes.ts";
import type { Primitives } from "./primitives.ts";

export interface Suite {
  readonly id: number;
  /** Numbers of the three algorithms (§13.28). */
  readonly authentication: number;
  readonly integrity: number;
  readonly confidentiality: number;
  /** Of the keyed hash; undefined: nobody is authenticated. */
  readonly hash: "sha1" | "sha256" | undefined;
  /** Bytes of the code that proves a packet, and the last message of a login. */
  readonly codeLength: number;
}

/** Those that are spoken here. 3 and 17 have all three of authentication, integrity and confidentiality; 0 has nothing. */
export const SUITES: ReadonlyMap<number, Suite> = new Map(
  [
    { id: 0, authentication: 0, integrity: 0, confidentiality: 0, hash: undefined, codeLength: 0 },
    { id: 3, authentication: 1, integrity: 1, confidentiality: 1, hash: "sha1", codeLength: 12 } as const,
    { id: 17, authentication: 3, integrity: 4, confidentiality: 1, hash: "sha256", codeLength: 16 } as const,
  ].map((suite) => [suite.id, suite]),
);

/** What both sides said while they got to know each other. */
export interface Introduction {
  /** Numbers of the session: the one of who asks, the one of the BMC. */
  readonly remoteSession: Uint8Array;
  readonly bmcSession: Uint8Array;
  /** Sixteen bytes each. */
  readonly remoteRandom: Uint8Array;
  readonly bmcRandom: Uint8Array;
  readonly guid: Uint8Array;
  /** The byte of RAKP message 1: level and way of looking up the name. */
  readonly role: number;
  readonly user: Uint8Array;
}

/** §13.31 */
export class Rakp {
  readonly #primitives: Primitives;
  readonly #suite: Suite;
  readonly #introduction: Introduction;

  constructor(primitives: Primitives, suite: Suite, introduction: Introduction) {
    this.#primitives = primitives;
    this.#suite = suite;
    this.#introduction = introduction;
  }

  /** The BMC proves that it knows the password. */
  code2(password: Uint8Array): Uint8Array {
    const { remoteSession, bmcSession, remoteRandom, bmcRandom, guid } = this.#introduction;
    return this.#hmac(password, [remoteSession, bmcSession, remoteRandom, bmcRandom, guid, this.#who()]);
  }

  /** Who asks proves it. */
  code3(password: Uint8Array): Uint8Array {
    const { bmcRandom, remoteSession } = this.#introduction;
    return this.#hmac(password, [bmcRandom, remoteSession, this.#who()]);
  }

  /** The BMC proves that it has the key of the session. */
  code4(sik: Uint8Array): Uint8Array {
    const { remoteRandom, bmcSession, guid } = this.#introduction;
    return this.#hmac(sik, [remoteRandom, bmcSession, guid]).subarray(0, this.#suite.codeLength);
  }

  /** The session integrity key. `key`: the BMC's own, or the password when it has none. */
  sik(key: Uint8Array): Uint8Array {
    const { remoteRandom, bmcRandom } = this.#introduction;
    return this.#hmac(key, [remoteRandom, bmcRandom, this.#who()]);
  }

  #who(): Uint8Array {
    const { role, user } = this.#introduction;
    return Uint8Array.of(role, user.length, ...user);
  }

  #hmac(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
    const { hash } = this.#suite;
    return hash === undefined ? new Uint8Array() : this.#primitives.hmac(hash, key, concat(parts));
  }
}

export interface SessionKeys {
  readonly integrity: Uint8Array;
  /** Sixteen bytes. */
  readonly confidentiality: Uint8Array;
}

/** The constants of §13.32 are 20 bytes long, with SHA-256 too. */
const CONSTANT = 20;
const AES_KEY = 16;

export function sessionKeys({ hmac }: Primitives, { hash }: Suite, sik: Uint8Array): SessionKeys {
  if (hash === undefined) return { integrity: new Uint8Array(), confidentiality: new Uint8Array(AES_KEY) };
  const derive = (constant: number): Uint8Array => hmac(hash, sik, new Uint8Array(CONSTANT).fill(constant));
  return { integrity: derive(1), confidentiality: derive(2).slice(0, AES_KEY) };
}
