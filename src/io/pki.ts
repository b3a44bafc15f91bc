/**
 * The door to keys and certificates (RFC 5280), as clusters have them. Everything is PEM. Keys have the labels that Talos gives them:
 * `EC PRIVATE KEY` (RFC 5915), `RSA PRIVATE KEY` (RFC 8017 §A.1.2), and `ED25519 PRIVATE KEY`, which is PKCS #8 (RFC 8410) by another name.
 */
export type KeyAlgorithm = "ecdsa-p256" | "ed25519" | "rsa-2048" | "rsa-4096";

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateOrder {
  readonly algorithm: KeyAlgorithm;
  /** In order; may be empty. */
  readonly subject: readonly { readonly type: "O" | "CN"; readonly value: string }[];
  /** Milliseconds since 1970; a certificate counts in whole seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly isAuthority: boolean;
  readonly usages: readonly ("server" | "client")[];
  /** DNS names and IP addresses. */
  readonly names?: readonly string[];
}

export interface Pki {
  generateKey(algorithm: KeyAlgorithm): Promise<string>;
  /** A new key and its certificate, signed by `issuer`, or by itself. Rejects when the issuer's pair does not parse. */
  issue(order: CertificateOrder, issuer?: KeyPair): Promise<KeyPair>;
  /** Why the pair cannot be used, in words that tell nothing of it: undefined when both parse and belong together. */
  flawOf(pair: KeyPair): Promise<string | undefined>;
  /** The same for a key alone. */
  keyFlawOf(key: string): Promise<string | undefined>;
  /** When a certificate ends, in milliseconds since 1970; undefined when it does not parse. */
  endOf(certificate: string): number | undefined;
}
