/** Keys of WireGuard: X25519 (RFC 7748) in base64. */
import { createPrivateKey, createPublicKey } from "node:crypto";
import type { WireguardKeys } from "../tunnel.ts";

/** PKCS #8 of an X25519 key (RFC 8410 §7), up to its 32 bytes. */
const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");

/** `bytes`: 32, or base64 of them. */
export function wireguardKeys(bytes: Uint8Array | string): WireguardKeys {
  const secret = typeof bytes === "string" ? Buffer.from(bytes, "base64") : Buffer.from(bytes);
  if (secret.length !== 32) throw new TypeError("a WireGuard key has 32 bytes");
  // As `wg genkey` writes it; X25519 does the same to what it is given.
  secret[0]! &= 248;
  secret[31] = (secret[31]! & 127) | 64;
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return { privateKey: secret.toString("base64"), publicKey: spki.subarray(-32).toString("base64") };
}
