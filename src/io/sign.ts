/** The door to signatures that anybody can check: what bears one was written by this installation, and has not been changed since. */
export interface Signer {
  /** What tells this key from others of the installation: 16 hexadecimal digits. */
  readonly keyId: string;
  /** PEM (SubjectPublicKeyInfo, RFC 5280 §4.1.2.7). */
  readonly publicKey: string;
  /** 64 bytes: Ed25519 (RFC 8032). */
  sign(message: Uint8Array): Uint8Array;
}

/** Whether `signature` was made over `message` by the holder of the private half of `publicKey` (PEM). False for anything malformed. */
export type Verify = (publicKey: string, message: Uint8Array, signature: Uint8Array) => boolean;
