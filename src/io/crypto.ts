/** The door to symmetric cryptography, as far as the protocols of BMCs have it. A door because pure layers see no `node:crypto`. */
export interface Crypto {
  /** RFC 1321; 16 bytes. For IPMI 1.5, which has nothing better. */
  md5(data: Uint8Array): Uint8Array;
  /** RFC 2104; 20 or 32 bytes. */
  hmac(hash: "sha1" | "sha256", key: Uint8Array, data: Uint8Array): Uint8Array;
  /** NIST SP 800-38A §6.2 with AES-128: whole blocks of 16 bytes, no padding. */
  encryptAes128Cbc(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  decryptAes128Cbc(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  /** In constant time for equal lengths. */
  isEqual(a: Uint8Array, b: Uint8Array): boolean;
}
