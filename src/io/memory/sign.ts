/** A signer without cryptography, the same for the same seed: tells every damage apart that is not made on purpose. */
import type { Signer, Verify } from "../sign.ts";
import { createMemorySeal } from "./seal.ts";

const HEADER = "-----BEGIN MEMORY KEY-----";

export function createMemorySigner(seed: number): Signer {
  const seal = createMemorySeal(seed);
  return {
    keyId: seed.toString(16).padStart(16, "0"),
    publicKey: `${HEADER}\n${seed}\n`,
    sign: (message) => {
      const mark = seal.mark(message);
      return Uint8Array.from({ length: 64 }, (_, i) => mark[i % mark.length]!);
    },
  };
}

export const verifyMemorySignature: Verify = (publicKey, message, signature) => {
  const [header, seed = ""] = publicKey.split("\n");
  if (header !== HEADER || signature.length !== 64) return false;
  return createMemorySigner(Number(seed))
    .sign(message)
    .every((byte, i) => byte === signature[i]);
};
