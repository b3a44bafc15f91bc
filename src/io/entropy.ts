/** The door to randomness; the memory twin is seeded so that a failing run can be repeated. */
export interface Entropy {
  bytes(length: number): Uint8Array;
  /** RFC 9562 version 4, lower case. */
  uuid(): string;
}
