/** What a session needs and pure code does not have; `io/crypto.ts` and `io/entropy.ts` fit. */

export interface Primitives {
  md5(data: Uint8Array): Uint8Array;
  hmac(hash: "sha1" | "sha256", key: Uint8Array, data: Uint8Array): Uint8Array;
  /** Whole blocks of 16 bytes, no padding. */
  encryptAes128Cbc(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  decryptAes128Cbc(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  /** In constant time for equal lengths. */
  isEqual(a: Uint8Array, b: Uint8Array): boolean;
}

/** So many random bytes, fit for keys. */
export type Random = (length: number) => Uint8Array;
