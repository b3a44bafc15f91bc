/** Seals by HMAC-SHA-256 with a key in a file. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Fault } from "#std/fault.ts";
import type { Disk } from "../disk.ts";
import type { Entropy } from "../entropy.ts";
import type { Seal } from "../seal.ts";

/** Bytes; as long as the hash (RFC 2104 §3). */
const KEY = 32;

export interface SealOptions {
  readonly disk: Disk;
  readonly entropy: Entropy;
  /** File of the key, made with mode 0600 if it is missing; its directory must be there. */
  readonly path: string;
}

/** Whoever has the file can issue what this seal marks. Rejects with Fault `io.format` when it holds no key, and as the disk does. */
export async function openSeal({ disk, entropy, path }: SealOptions): Promise<Seal> {
  let key = await disk.read(path, 4096);
  if (key === undefined) {
    key = entropy.bytes(KEY);
    await disk.writeAtomic(path, key, 0o600);
  }
  if (key.length !== KEY) {
    const message = `${path} has ${key.length} bytes instead of the ${KEY} of a key; remove it to have a new one made`;
    throw new Fault("io.format", message, { fault: "world", retry: "never" });
  }
  return createSeal(key);
}

/** A seal with this key of 32 bytes. */
export function createSeal(key: Uint8Array): Seal {
  const mark = (message: Uint8Array): Uint8Array => createHmac("sha256", key).update(message).digest();
  return {
    mark,
    isMark: (message, claimed) => claimed.length === KEY && timingSafeEqual(mark(message), claimed),
  };
}
