/** The secrets bundle as a file: `secrets.yaml` of talosctl, and key `bundle` of a cluster's Secret (facts §5.1). */
import { isObject } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { at } from "./document/document.ts";
import { refusal } from "./fault.ts";
import type { KeyPair } from "./pki.ts";
import type { Secrets } from "./secrets.ts";
import { encodePem } from "./secrets.ts";
import { emitYaml } from "./yaml/emit.ts";
import { readYaml } from "./yaml/read.ts";

const LONGEST = 256 * 1024;

export function printSecrets(secrets: Secrets): string {
  const { cluster, certs, secretboxEncryptionSecret, aescbcEncryptionSecret } = secrets;
  const pair = ({ certificate, key }: KeyPair): JsonObject => ({ crt: encodePem(certificate), key: encodePem(key) });
  return emitYaml({
    cluster: { id: cluster.id, secret: cluster.secret },
    secrets: {
      bootstraptoken: secrets.bootstrapToken,
      ...(secretboxEncryptionSecret === undefined ? {} : { secretboxencryptionsecret: secretboxEncryptionSecret }),
      ...(aescbcEncryptionSecret === undefined ? {} : { aescbcencryptionsecret: aescbcEncryptionSecret }),
    },
    trustdinfo: { token: secrets.trustdToken },
    certs: {
      etcd: pair(certs.etcd),
      k8s: pair(certs.k8s),
      k8saggregator: pair(certs.k8sAggregator),
      k8sserviceaccount: { key: encodePem(certs.k8sServiceAccountKey) },
      os: pair(certs.os),
    },
  });
}

/** Throws Fault `talos.secrets` for what is no bundle; whether its parts can be used is for `checkSecrets`. */
export function parseSecrets(text: string): Secrets {
  const value = mappingOf(text, "a secrets bundle");
  return { ...secretsOf(value), cluster: { id: required(value, "cluster", "id"), secret: required(value, "cluster", "secret") } };
}

/** Entries of the Secret that bootstrap providers before 0.5 kept; each a YAML text. */
export interface LegacyEntries {
  readonly certs: string;
  readonly kubeSecrets: string;
  readonly trustdInfo: string;
}

/** The same from their three texts, which know no identity of the cluster: it is empty, and its members cannot discover each other by it. */
export function parseLegacySecrets({ certs, kubeSecrets, trustdInfo }: LegacyEntries): Secrets {
  return {
    ...secretsOf({
      certs: mappingOf(certs, "certs"),
      secrets: mappingOf(kubeSecrets, "kubeSecrets"),
      trustdinfo: mappingOf(trustdInfo, "trustdInfo"),
    }),
    cluster: { id: "", secret: "" },
  };
}

function mappingOf(text: string, what: string): JsonObject {
  if (text.length > LONGEST) throw refusal("talos.secrets", `longer than ${LONGEST} characters`);
  const { value } = readYaml(text, "talos.secrets");
  if (!isObject(value)) throw refusal("talos.secrets", `${what} is a mapping`);
  return value;
}

function secretsOf(value: JsonObject): Omit<Secrets, "cluster"> {
  const secretbox = optional(value, "secrets", "secretboxencryptionsecret");
  const aescbc = optional(value, "secrets", "aescbcencryptionsecret");
  return {
    bootstrapToken: required(value, "secrets", "bootstraptoken"),
    trustdToken: required(value, "trustdinfo", "token"),
    ...(secretbox === undefined ? {} : { secretboxEncryptionSecret: secretbox }),
    ...(aescbc === undefined ? {} : { aescbcEncryptionSecret: aescbc }),
    certs: {
      etcd: pairAt(value, "etcd"),
      k8s: pairAt(value, "k8s"),
      k8sAggregator: pairAt(value, "k8saggregator"),
      k8sServiceAccountKey: pemAt(value, "certs", "k8sserviceaccount", "key"),
      os: pairAt(value, "os"),
    },
  };
}

function pairAt(value: JsonObject, name: string): KeyPair {
  return { certificate: pemAt(value, "certs", name, "crt"), key: pemAt(value, "certs", name, "key") };
}

function pemAt(value: JsonObject, ...path: readonly string[]): string {
  const pem = decodePem(required(value, ...path));
  if (pem === undefined) throw refusal("talos.secrets", `${path.join(".")} is not a PEM text in base64`);
  return pem;
}

/** Undefined for what is not base64 of a text in PEM. */
export function decodePem(base64: string): string | undefined {
  const compact = base64.replaceAll(/\s/g, "");
  if (compact === "" || compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return undefined;
  const text = atob(compact);
  return /^[\t\r\n\x20-\x7e]*$/.test(text) && text.includes("-----BEGIN ") ? text : undefined;
}

function required(value: JsonObject, ...path: readonly string[]): string {
  const text = optional(value, ...path);
  if (text === undefined) throw refusal("talos.secrets", `${path.join(".")} is missing`);
  return text;
}

function optional(value: JsonObject, ...path: readonly string[]): string | undefined {
  const found: Json | undefined = at(value, ...path);
  return typeof found === "string" && found !== "" ? found : undefined;
}
