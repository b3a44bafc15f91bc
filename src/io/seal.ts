/** The door to message authentication (HMAC-SHA-256, RFC 2104, with a key that survives restarts): what bears the mark was issued by this Sidero. */
export interface Seal {
  /** 32 bytes. */
  mark(message: Uint8Array): Uint8Array;
  /** In constant time. */
  isMark(message: Uint8Array, mark: Uint8Array): boolean;
}
