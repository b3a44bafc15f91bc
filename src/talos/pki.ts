/** Keys and certificates, as this layer needs them: the door is `io/pki.ts`, which it does not see. */
export type KeyAlgorithm = "ecdsa-p256" | "ed25519" | "rsa-2048" | "rsa-4096";

/** PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateOrder {
  readonly algorithm: KeyAlgorithm;
  readonly subject: readonly { readonly type: "O" | "CN"; readonly value: string }[];
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly isAuthority: boolean;
  readonly usages: readonly ("server" | "client")[];
  readonly names?: readonly string[];
}

export interface Pki {
  generateKey(algorithm: KeyAlgorithm): Promise<string>;
  issue(order: CertificateOrder, issuer?: KeyPair): Promise<KeyPair>;
  flawOf(pair: KeyPair): Promise<string | undefined>;
  keyFlawOf(key: string): Promise<string | undefined>;
}

/** Milliseconds that client certificates are valid before they are made: for clocks of machines that are behind. */
export const SKEW = 5 * 60_000;

/** What making secrets takes from outside. */
export interface Minting {
  readonly pki: Pki;
  readonly entropy: { bytes(length: number): Uint8Array };
  /** Milliseconds since 1970. */
  readonly now: number;
}
