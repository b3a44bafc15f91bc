import { createCipheriv, createDecipheriv, createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Crypto } from "#io/crypto.ts";

export const systemCrypto: Crypto = {
  md5: (data) => createHash("md5").update(data).digest(),
  hmac: (hash, key, data) => createHmac(hash, key).update(data).digest(),
  encryptAes128Cbc: (key, iv, data) => createCipheriv("aes-128-cbc", key, iv).setAutoPadding(false).update(data),
  decryptAes128Cbc: (key, iv, data) => createDecipheriv("aes-128-cbc", key, iv).setAutoPadding(false).update(data),
  isEqual: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};
