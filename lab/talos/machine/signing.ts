/** Certificate requests (PKCS #10, RFC 2986) and what answers them: how machines without an authority's key get certificates of it. */
import "reflect-metadata";
import { createPublicKey, X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { readPrivateKey, systemPki } from "#io/node/pki.ts";
import type { KeyPair } from "#talos/pki.ts";

const HOUR = 3_600_000;
/** RFC 5280 §4.2.1.6. */
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const CURVE = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export interface Request {
  /** PEM. */
  readonly csr: string;
  readonly key: string;
}

export interface Wanted {
  readonly subject: readonly { readonly type: "O" | "CN"; readonly value: string }[];
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
}

export async function createRequest({ subject, names }: Wanted): Promise<Request> {
  const keys = await crypto.subtle.generateKey(CURVE, true, ["sign", "verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject.map(({ type, value }) => ({ [type]: [value] })),
    keys,
    signingAlgorithm: CURVE,
    extensions: names.length === 0 ? [] : [alternativeNames(names)],
  });
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { csr: `${request.toString("pem")}\n`, key: `${x509.PemConverter.encode(key, "PRIVATE KEY")}\n` };
}

export interface Granted {
  readonly usage: "server" | "client";
  /** Milliseconds. */
  readonly lifetime: number;
}

/** What a request asks for, proven to be of whoever has its key. Throws for what is no request. */
export async function readRequest(
  pem: string,
): Promise<{ groups: string[]; name: string; request: x509.Pkcs10CertificateRequest }> {
  const request = new x509.Pkcs10CertificateRequest(pem);
  if (!(await request.verify())) throw new Error("the request is not signed with its own key");
  const [name = ""] = request.subjectName.getField("CN");
  return { groups: request.subjectName.getField("O"), name, request };
}

/** PEM. The subject and the names are those of the request: whoever signs has looked at them. */
export async function sign(
  request: x509.Pkcs10CertificateRequest,
  authority: KeyPair,
  { usage, lifetime }: Granted,
): Promise<string> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const now = Date.now();
  const names = request.extensions.find(({ type }) => type === SUBJECT_ALTERNATIVE_NAME);
  const identifier = issuer.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: Buffer.from(crypto.getRandomValues(new Uint8Array(16)).with(0, 1)).toString("hex"),
    subject: request.subjectName.toJSON(),
    issuer: issuer.subjectName.toJSON(),
    notBefore: new Date(now - HOUR),
    notAfter: new Date(now + lifetime),
    publicKey: request.publicKey,
    ...(await signingKey(authority.key)),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        usage === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
      ]),
      ...(identifier === undefined ? [] : [new x509.AuthorityKeyIdentifierExtension(identifier)]),
      ...(names === undefined ? [] : [names]),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

/** A server's own certificate where the authority's key is at hand. */
export function issueServer(
  authority: KeyPair | undefined,
  algorithm: "ed25519" | "ecdsa-p256",
  names: readonly string[],
): Promise<KeyPair> {
  const now = Date.now();
  const order = {
    algorithm,
    notBefore: now - HOUR,
    notAfter: now + 24 * 365 * HOUR,
    isAuthority: false,
    usages: ["server"],
  } as const;
  return systemPki.issue({ ...order, subject: [{ type: "CN", value: names[0] ?? "machine" }], names }, authority);
}

async function signingKey(pem: string): Promise<{ signingKey: CryptoKey; signingAlgorithm: { name: string; hash?: string } }> {
  const key = readPrivateKey(pem);
  const algorithm = key.asymmetricKeyType === "ed25519" ? { name: "Ed25519" } : CURVE;
  const signing = await crypto.subtle.importKey("pkcs8", key.export({ type: "pkcs8", format: "der" }), algorithm, false, [
    "sign",
  ]);
  return { signingKey: signing, signingAlgorithm: algorithm };
}

function alternativeNames(names: readonly string[]): x509.SubjectAlternativeNameExtension {
  const isAddress = (name: string): boolean => name.includes(":") || /^[\d.]+$/.test(name);
  return new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isAddress(value) ? "ip" : "dns", value })));
}

/** The authority has signed it, it is in force, and it belongs to that key. */
export function isGood({ certificate, key }: KeyPair, authority: string, now: number): boolean {
  try {
    const parsed = new X509Certificate(certificate);
    const inForce = parsed.validFromDate.getTime() <= now && now < parsed.validToDate.getTime();
    return inForce && parsed.checkPrivateKey(readPrivateKey(key)) && parsed.verify(createPublicKey(authority));
  } catch {
    return false;
  }
}
