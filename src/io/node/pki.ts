/** Keys by OpenSSL, certificates by @peculiar/x509. */
import "reflect-metadata";
import { createPrivateKey, createPublicKey, generateKeyPair, randomBytes, X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { promisify } from "node:util";
import * as x509 from "@peculiar/x509";
import { Fault } from "#std/fault.ts";
import type { CertificateOrder, KeyAlgorithm, KeyPair, Pki } from "../pki.ts";

const ED25519 = "ED25519 PRIVATE KEY";
const generate = promisify(generateKeyPair);

export const systemPki: Pki = {
  generateKey: async (algorithm) => pemOf(await makeKey(algorithm)),
  issue,
  flawOf: async ({ certificate, key }) => {
    try {
      if (!new X509Certificate(certificate).checkPrivateKey(readPrivateKey(key))) return "the key is another certificate's";
      return undefined;
    } catch {
      return "the certificate or its key does not parse";
    }
  },
  keyFlawOf: async (key) => {
    try {
      readPrivateKey(key);
      return undefined;
    } catch {
      return "the key does not parse";
    }
  },
  endOf: (certificate) => {
    try {
      return new X509Certificate(certificate).validToDate.getTime();
    } catch {
      return undefined;
    }
  },
};

/** Any private key in PEM, Talos' label for Ed25519 included. Throws what OpenSSL throws. */
export function readPrivateKey(pem: string): KeyObject {
  return createPrivateKey(standardKey(pem));
}

/** The PEM under the label that everybody else uses. */
export function standardKey(pem: string): string {
  return pem.replaceAll(ED25519, "PRIVATE KEY");
}

async function makeKey(algorithm: KeyAlgorithm): Promise<KeyObject> {
  if (algorithm === "ed25519") return (await generate("ed25519")).privateKey;
  if (algorithm === "ecdsa-p256") return (await generate("ec", { namedCurve: "P-256" })).privateKey;
  return (await generate("rsa", { modulusLength: algorithm === "rsa-2048" ? 2048 : 4096, publicExponent: 65_537 })).privateKey;
}

function pemOf(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case "ec":
      return String(key.export({ type: "sec1", format: "pem" }));
    case "rsa":
      return String(key.export({ type: "pkcs1", format: "pem" }));
    default:
      return String(key.export({ type: "pkcs8", format: "pem" })).replaceAll(" PRIVATE KEY", ` ${ED25519}`);
  }
}

async function issue(order: CertificateOrder, issuer?: KeyPair): Promise<KeyPair> {
  const key = await makeKey(order.algorithm);
  const authority = issuer === undefined ? undefined : readIssuer(issuer);
  const subject = order.subject.map(({ type, value }) => ({ [type]: [value] }));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject,
    issuer: authority === undefined ? subject : authority.certificate.subjectName.toJSON(),
    notBefore: wholeSecond(order.notBefore),
    notAfter: wholeSecond(order.notAfter),
    publicKey: await webKey(createPublicKey(key), "verify"),
    signingKey: await webKey(authority?.key ?? key, "sign"),
    ...signatureOf(authority?.key ?? key),
    extensions: extensionsOf(order, authority?.certificate),
  });
  return { certificate: `${certificate.toString("pem")}\n`, key: pemOf(key) };
}

function readIssuer({ certificate, key }: KeyPair): { certificate: x509.X509Certificate; key: KeyObject } {
  try {
    return { certificate: new x509.X509Certificate(certificate), key: readPrivateKey(key) };
  } catch (cause) {
    throw new Fault("io.format", "the authority's certificate or key does not parse", { fault: "caller", retry: "never", cause });
  }
}

/** RFC 5280 §4.1.2.2: positive. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0]! &= 0x7f;
  return bytes.toString("hex");
}

function wholeSecond(time: number): Date {
  return new Date(Math.floor(time / 1000) * 1000);
}

/** Of the authority's certificate ours refer to by its identifier, where it has one (RFC 5280 §4.2.1.1). */
function extensionsOf(order: CertificateOrder, authority: x509.X509Certificate | undefined): x509.Extension[] {
  const { digitalSignature, keyCertSign } = x509.KeyUsageFlags;
  const usages = order.usages.map((usage) =>
    usage === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
  );
  const identifier = authority?.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  return [
    new x509.KeyUsagesExtension(digitalSignature | (order.isAuthority ? keyCertSign : 0), true),
    ...(usages.length > 0 ? [new x509.ExtendedKeyUsageExtension(usages)] : []),
    new x509.BasicConstraintsExtension(order.isAuthority, undefined, true),
    ...(order.isAuthority ? [new x509.SubjectKeyIdentifierExtension(randomBytes(20).toString("hex"))] : []),
    ...(identifier === undefined ? [] : [new x509.AuthorityKeyIdentifierExtension(identifier)]),
    ...(order.names === undefined || order.names.length === 0 ? [] : [alternativeNames(order.names)]),
  ];
}

function alternativeNames(names: readonly string[]): x509.SubjectAlternativeNameExtension {
  const isAddress = (name: string): boolean => name.includes(":") || /^[\d.]+$/.test(name);
  return new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isAddress(value) ? "ip" : "dns", value })));
}

type WebAlgorithm = { name: "Ed25519" } | { name: "ECDSA"; namedCurve: string } | { name: "RSASSA-PKCS1-v1_5"; hash: string };

const CURVES: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };

function webAlgorithm(key: KeyObject): WebAlgorithm {
  if (key.asymmetricKeyType === "ed25519") return { name: "Ed25519" };
  if (key.asymmetricKeyType === "rsa") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (key.asymmetricKeyType === "ec" && curve !== undefined) return { name: "ECDSA", namedCurve: curve };
  throw new Fault("io.format", "a key of a kind that cannot sign certificates", { fault: "caller", retry: "never" });
}

function signatureOf(key: KeyObject): { signingAlgorithm: { name: string; hash?: string } } {
  const algorithm = webAlgorithm(key);
  if (algorithm.name !== "ECDSA") return { signingAlgorithm: algorithm };
  const hash = { "P-384": "SHA-384", "P-521": "SHA-512" }[algorithm.namedCurve] ?? "SHA-256";
  return { signingAlgorithm: { name: "ECDSA", hash } };
}

function webKey(key: KeyObject, usage: "sign" | "verify"): Promise<CryptoKey> {
  const format = usage === "sign" ? "pkcs8" : "spki";
  const der = key.export({ type: format as "spki", format: "der" });
  return crypto.subtle.importKey(format, der, webAlgorithm(key), true, [usage]);
}
