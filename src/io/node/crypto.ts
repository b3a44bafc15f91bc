import { createCipheriv, createDecipheriv, createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Crypto } from "#io/crypto.ts";

export const systemCrypto: Crypto = {
  md5: (data) => plain(createHash("md5").update(data).digest()),
  hmac: (hash, key, data) => plain(createHmac(hash, key).update(data).digest()),
  encryptAes128Cbc: (key, iv, data) => plain(createCipheriv("aes-128-cbc", key, iv).setAutoPadding(false).update(data)),
  decryptAes128Cbc: (key, iv, data) => plain(createDecipheriv("aes-128-cbc", key, iv).setAutoPadding(false).update(data)),
  isEqual: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};

/** No Buffer: its `slice` is no copy. */
function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
