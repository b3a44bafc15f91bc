/** X.509 certificates (RFC 5280) as an API server and its clients need them: ECDSA on P-256, in PEM. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { Fault } from "#std/fault.ts";

/** A certificate and its private key (PKCS #8), both PEM. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate is for. */
export type Purpose =
  | { readonly kind: "authority" }
  /** DNS names and IP addresses. */
  | { readonly kind: "server"; readonly names: readonly string[] }
  | { readonly kind: "client" };

export interface CertificateRequest {
  readonly purpose: Purpose;
  /** CN, and the groups (O) of a client. */
  readonly name: string;
  readonly groups?: readonly string[];
  /** Milliseconds since 1970; a certificate is valid from five minutes before, for clocks that are behind. */
  readonly now: number;
  readonly lifetime: number;
  /** 16 random bytes. */
  readonly serial: Uint8Array;
}

const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;
const SKEW = 5 * 60_000;

/** Signed by `issuer`, or by itself when there is none. */
export async function issue(request: CertificateRequest, issuer?: Pair): Promise<Pair> {
  const keys = await crypto.subtle.generateKey(CURVE, true, ["sign", "verify"]);
  const authority = issuer === undefined ? undefined : new x509.X509Certificate(issuer.certificate);
  const signingKey = issuer === undefined ? keys.privateKey : await importKey(issuer.key);
  const subject = subjectOf(request);
  const certificate = await x509.X509CertificateGenerator.create({
    // RFC 5280 §4.1.2.2: positive and at most 20 octets.
    serialNumber: Buffer.from([0x01, ...request.serial]).toString("hex"),
    subject,
    issuer: authority?.subjectName.toJSON() ?? subject,
    notBefore: new Date(request.now - SKEW),
    notAfter: new Date(request.now + request.lifetime),
    signingAlgorithm: SIGNING,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      ...extensionsOf(request.purpose),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority?.publicKey ?? keys.publicKey),
    ],
  });
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { certificate: `${certificate.toString("pem")}\n`, key: `${x509.PemConverter.encode(key, "PRIVATE KEY")}\n` };
}

function subjectOf({ name, groups = [] }: CertificateRequest): x509.JsonName {
  return [...groups.map((group) => ({ O: [group] })), { CN: [name] }];
}

function extensionsOf(purpose: Purpose): x509.Extension[] {
  const { digitalSignature, keyCertSign, cRLSign } = x509.KeyUsageFlags;
  if (purpose.kind === "authority") {
    return [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(digitalSignature | keyCertSign | cRLSign, true),
    ];
  }
  const usage = purpose.kind === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([usage]),
    ...(purpose.kind === "server" ? [alternativeNames(purpose.names)] : []),
  ];
}

function alternativeNames(names: readonly string[]): x509.SubjectAlternativeNameExtension {
  return new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isAddress(value) ? "ip" : "dns", value })));
}

/** Names hold letters, never a colon, and no name ends in a label of digits (RFC 1123 §2.1). */
function isAddress(name: string): boolean {
  return name.includes(":") || /^[\d.]+$/.test(name);
}

function importKey(pem: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("pkcs8", x509.PemConverter.decodeFirst(pem), CURVE, true, ["sign"]);
}

/**
 * Why a pair cannot serve, in words; undefined when it can: it parses, its parts belong together, it is for these names, `issuer`
 * signed it, and at `now` (ms) it is valid for another `spare` ms.
 */
export async function flawOf(
  pair: Pair,
  issuer: Pair,
  now: number,
  spare: number,
  names?: readonly string[],
): Promise<string | undefined> {
  try {
    const certificate = new x509.X509Certificate(pair.certificate);
    if (!(await belongTogether(certificate, pair.key))) return "the key is another certificate's";
    const authority = new x509.X509Certificate(issuer.certificate);
    if (!(await certificate.verify({ publicKey: authority.publicKey, signatureOnly: true })))
      return "another authority signed it";
    if (now < certificate.notBefore.getTime()) return "it is not valid yet";
    if (now + spare > certificate.notAfter.getTime()) return "it is valid until only " + certificate.notAfter.toISOString();
    if (names === undefined) return undefined;
    const has = certificate.getExtension(x509.SubjectAlternativeNameExtension);
    const same = has !== null && Buffer.from(has.value).equals(Buffer.from(alternativeNames(names).value));
    return same ? undefined : "it is for other names";
  } catch (error) {
    return `it cannot be read: ${Fault.from(error).message}`;
  }
}

async function belongTogether(certificate: x509.X509Certificate, key: string): Promise<boolean> {
  const ours = await crypto.subtle.exportKey("jwk", await importKey(key));
  const theirs = await crypto.subtle.exportKey("jwk", await certificate.publicKey.export(CURVE, ["verify"]));
  return ours.x === theirs.x && ours.y === theirs.y;
}
