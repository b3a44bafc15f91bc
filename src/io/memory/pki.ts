/** Keys and certificates without cryptography: texts of the right shape, the same for the same order of calls. Only simulations trust them. */
import { Fault } from "#std/fault.ts";
import type { CertificateOrder, KeyAlgorithm, KeyPair, Pki } from "../pki.ts";

const LABELS: Readonly<Record<KeyAlgorithm, string>> = {
  "ecdsa-p256": "EC PRIVATE KEY",
  ed25519: "ED25519 PRIVATE KEY",
  "rsa-2048": "RSA PRIVATE KEY",
  "rsa-4096": "RSA PRIVATE KEY",
};

interface Contents {
  readonly number: number;
  readonly subject: string;
  readonly issuer: string;
  /** Number of the certificate whose key signed it. */
  readonly signer: number;
  readonly notAfter: number;
}

/** What a TLS handshake takes from a client's certificate. */
export interface Shown {
  /** Organisations of its subject. */
  readonly organizations: readonly string[];
  readonly commonName: string;
}

/**
 * Who shows this certificate and has its key, if `authority` (PEM) signed it and it has not ended at `now` (milliseconds since 1970);
 * undefined: nobody that such an authority vouches for. All three must come from one twin.
 */
export function verifyMemoryPair(
  { certificate, key }: KeyPair,
  { authority, now }: { readonly authority: string; readonly now: number },
): Shown | undefined {
  try {
    const { number, signer, subject, notAfter } = read(certificate);
    if (read(key).number !== number || read(authority).number !== signer || now > notAfter) return undefined;
    const parts = subject.split(",").map((part) => part.split("=") as [string, string]);
    const of = (type: string): string[] => parts.flatMap(([name, value]) => (name === type ? [value] : []));
    return { organizations: of("O"), commonName: of("CN")[0] ?? "" };
  } catch {
    return undefined;
  }
}

export function createMemoryPki(): Pki {
  let made = 0;
  const keyOf = (algorithm: KeyAlgorithm, number: number): string => pem(LABELS[algorithm], { number, algorithm });
  return {
    generateKey: async (algorithm) => keyOf(algorithm, ++made),
    issue: async (order: CertificateOrder, issuer?: KeyPair) => {
      const number = ++made;
      const subject = order.subject.map(({ type, value }) => `${type}=${value}`).join(",");
      const signer = issuer === undefined ? subject : read(issuer.certificate).subject;
      const by = issuer === undefined ? number : read(issuer.key).number;
      const contents: Contents = { number, subject, issuer: signer, signer: by, notAfter: order.notAfter };
      return { certificate: pem("CERTIFICATE", contents), key: keyOf(order.algorithm, number) };
    },
    flawOf: async ({ certificate, key }) =>
      quietly(() => (read(certificate).number === read(key).number ? undefined : "the key is another certificate's")),
    keyFlawOf: async (key) => quietly(() => void read(key)),
    endOf: (certificate) => {
      try {
        return read(certificate).notAfter;
      } catch {
        return undefined;
      }
    },
  };
}

function quietly(act: () => string | undefined): string | undefined {
  try {
    return act();
  } catch {
    return "the certificate or its key does not parse";
  }
}

function pem(label: string, contents: object): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(JSON.stringify(contents)).toString("base64")}\n-----END ${label}-----\n`;
}

function read(text: string): Contents {
  const body = /^-----BEGIN ([A-Z0-9 ]+)-----\n([A-Za-z0-9+/=]+)\n-----END \1-----\n$/.exec(text)?.[2];
  if (body === undefined) throw new Fault("io.format", "no PEM of the memory twin", { fault: "caller", retry: "never" });
  return JSON.parse(Buffer.from(body, "base64").toString()) as Contents;
}
