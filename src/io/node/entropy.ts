import { randomBytes, randomUUID } from "node:crypto";
import type { Entropy } from "#io/entropy.ts";

/** The operating system's randomness, fit for keys. */
export const systemEntropy: Entropy = {
  bytes: (length) => new Uint8Array(randomBytes(length)),
  uuid: () => randomUUID(),
};
