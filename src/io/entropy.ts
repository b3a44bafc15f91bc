/** The door to randomness; the memory twin is seeded so that a failing run can be repeated. */
export interface Entropy {
  bytes(length: number): Uint8Array;
  /** RFC 9562 version 4, lower case. */
  uuid(): string;
}

/** A number in [0, 1) with 32 random bits. */
export function fraction(entropy: Entropy): number {
  const bytes = entropy.bytes(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32;
}
