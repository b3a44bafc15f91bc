/** A seal without cryptography, the same for the same seed. Tells every damage apart that is not made on purpose; keeps nobody out. */
import type { Seal } from "../seal.ts";

const MARK = 32;

export function createMemorySeal(seed: number): Seal {
  const mark = (message: Uint8Array): Uint8Array => {
    const words = Uint32Array.from({ length: MARK / 4 }, (_, i) => Math.imul(seed + i + 1, 0x9e3779b9));
    for (const [at, byte] of message.entries()) {
      for (let i = 0; i < words.length; i++) words[i] = mixed(words[i]! ^ byte ^ (at << 8));
    }
    return Uint8Array.from({ length: MARK }, (_, i) => mixed(words[i >> 2]! ^ message.length) >>> (8 * (i & 3)));
  };
  return {
    mark,
    isMark: (message, claimed) => claimed.length === MARK && mark(message).every((byte, i) => byte === claimed[i]),
  };
}

/** The finisher of MurmurHash3: each bit of the word moves half of the result's. */
function mixed(word: number): number {
  let bits = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
