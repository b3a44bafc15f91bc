/** The secrets of a cluster, that all its machines are configured from (facts §5.1). */
import { encodeBase64 } from "#std/base64.ts";
import { toLatin1 } from "#std/bytes.ts";
import type { Contract } from "./contract.ts";
import { refusal } from "./fault.ts";
import type { KeyPair, Minting } from "./pki.ts";

export interface Secrets {
  readonly cluster: {
    /** Opaque. */
    readonly id: string;
    /** 32 bytes in base64: the key that members find each other with. */
    readonly secret: string;
  };
  /** `abcdef.0123456789abcdef`. */
  readonly bootstrapToken: string;
  readonly trustdToken: string;
  /** What Secrets are encrypted with at rest: exactly one of them. */
  readonly secretboxEncryptionSecret?: string;
  readonly aescbcEncryptionSecret?: string;
  readonly certs: {
    readonly etcd: KeyPair;
    readonly k8s: KeyPair;
    readonly k8sAggregator: KeyPair;
    /** PEM. */
    readonly k8sServiceAccountKey: string;
    readonly os: KeyPair;
  };
}

const HOUR = 3_600_000;
const AUTHORITY_LIFETIME = 87_600 * HOUR;

/** New secrets, as `talosctl gen secrets` makes them for a version of Talos. Takes about a second: an RSA key of 4,096 bits. */
export async function makeSecrets(contract: Contract, minting: Minting): Promise<Secrets> {
  return {
    ...makeTokens(contract, minting),
    certs: {
      etcd: await authority(minting, "ecdsa-p256", "etcd"),
      k8s: await authority(minting, "ecdsa-p256", "kubernetes"),
      k8sAggregator: await authority(minting, "ecdsa-p256", ""),
      k8sServiceAccountKey: await minting.pki.generateKey(contract.minor >= 7 ? "rsa-4096" : "ecdsa-p256"),
      os: await authority(minting, "ed25519", "talos"),
    },
  };
}

function makeTokens({ minor }: Contract, { entropy }: Minting): Omit<Secrets, "certs"> {
  const random = (): string => base64(entropy.bytes(32));
  const id = random();
  return {
    cluster: { id: minor < 14 ? id.replaceAll("+", "-").replaceAll("/", "_") : id, secret: random() },
    bootstrapToken: token(entropy),
    trustdToken: token(entropy),
    secretboxEncryptionSecret: random(),
  };
}

/** An authority of ten years. Without an organisation its subject is empty, as the aggregator's is. */
function authority({ pki, now }: Minting, algorithm: "ecdsa-p256" | "ed25519", organization: string): Promise<KeyPair> {
  return pki.issue({
    algorithm,
    subject: organization === "" ? [] : [{ type: "O", value: organization }],
    notBefore: now,
    notAfter: now + AUTHORITY_LIFETIME,
    isAuthority: true,
    usages: ["server", "client"],
  });
}

const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

/** Like kubeadm's. */
function token(entropy: Minting["entropy"]): string {
  return `${letters(entropy, 6)}.${letters(entropy, 16)}`;
}

/** Bytes of 252 and more would make the first letters likelier than the others. */
function letters(entropy: Minting["entropy"], length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of entropy.bytes(length)) if (byte < 252 && text.length < length) text += ALPHABET[byte % 36]!;
  }
  return text;
}

function base64(bytes: Uint8Array): string {
  return btoa(toLatin1(bytes));
}

/** Files of a PKI that kubeadm made, by their paths in its directory; PEM. */
export interface KubeadmFiles {
  readonly "ca.crt": string;
  readonly "ca.key": string;
  readonly "etcd/ca.crt": string;
  readonly "etcd/ca.key": string;
  readonly "front-proxy-ca.crt": string;
  readonly "front-proxy-ca.key": string;
  readonly "sa.key": string;
}

export const KUBEADM_FILES: readonly (keyof KubeadmFiles)[] = [
  "ca.crt",
  "ca.key",
  "etcd/ca.crt",
  "etcd/ca.key",
  "front-proxy-ca.crt",
  "front-proxy-ca.key",
  "sa.key",
];

/** New secrets around the authorities of a cluster that kubeadm made. `bootstrapToken` is that cluster's, where it has one. */
export async function secretsOfKubeadm(
  contract: Contract,
  files: KubeadmFiles,
  minting: Minting,
  bootstrapToken?: string,
): Promise<Secrets> {
  const tokens = makeTokens(contract, minting);
  const secrets: Secrets = {
    ...tokens,
    bootstrapToken: bootstrapToken ?? tokens.bootstrapToken,
    certs: {
      etcd: { certificate: files["etcd/ca.crt"], key: files["etcd/ca.key"] },
      k8s: { certificate: files["ca.crt"], key: files["ca.key"] },
      k8sAggregator: { certificate: files["front-proxy-ca.crt"], key: files["front-proxy-ca.key"] },
      k8sServiceAccountKey: files["sa.key"],
      os: await authority(minting, "ed25519", "talos"),
    },
  };
  await checkSecrets(secrets, minting);
  return secrets;
}

/** Throws Fault `talos.secrets` that names what is missing or does not parse. */
export async function checkSecrets(secrets: Secrets, { pki }: Pick<Minting, "pki">): Promise<void> {
  const problem = problemOf(secrets) ?? (await flawOf(secrets, pki));
  if (problem !== undefined) throw refusal("talos.secrets", problem);
}

const TOKEN = /^[a-z0-9]{6}\.[a-z0-9]{16}$/;

function problemOf(secrets: Secrets): string | undefined {
  const { cluster, bootstrapToken, trustdToken, secretboxEncryptionSecret, aescbcEncryptionSecret } = secrets;
  // Old bundles have no identity at all.
  const isAnonymous = cluster.id === "" && cluster.secret === "";
  if (!isAnonymous && cluster.id === "") return "cluster.id is missing";
  if (!isAnonymous && !isKey(cluster.secret)) return "cluster.secret is not 32 bytes in base64";
  if (!TOKEN.test(bootstrapToken)) return "secrets.bootstraptoken is not like abcdef.0123456789abcdef";
  if (trustdToken === "") return "trustdinfo.token is missing";
  const given = [secretboxEncryptionSecret, aescbcEncryptionSecret].filter((secret) => secret !== undefined && secret !== "");
  return given.length === 1 ? undefined : "one of secrets.secretboxencryptionsecret and secrets.aescbcencryptionsecret is needed";
}

function isKey(text: string): boolean {
  return /^[A-Za-z0-9+/]{43}=$/.test(text);
}

async function flawOf({ certs }: Secrets, pki: Minting["pki"]): Promise<string | undefined> {
  const pairs = { etcd: certs.etcd, k8s: certs.k8s, k8saggregator: certs.k8sAggregator, os: certs.os };
  for (const [name, pair] of Object.entries(pairs)) {
    const flaw = await pki.flawOf(pair);
    if (flaw !== undefined) return `certs.${name}: ${flaw}`;
  }
  const flaw = await pki.keyFlawOf(certs.k8sServiceAccountKey);
  return flaw === undefined ? undefined : `certs.k8sserviceaccount: ${flaw}`;
}

/** Base64 of a PEM text, as configurations and talosconfigs have it. */
export function encodePem(pem: string): string {
  return encodeBase64(pem);
}
