/** Access to the Kubernetes of a cluster, from its authority (facts §2.9). */
import { present } from "#schema/conversion.ts";
import { Fault } from "#std/fault.ts";
import { isObject, own } from "#std/json.ts";
import type { Json } from "#std/json.ts";
import { type KeyPair, type Minting, SKEW } from "./pki.ts";
import { decodePem } from "./secrets-text.ts";
import { encodePem } from "./secrets.ts";
import { emitYaml } from "./yaml/emit.ts";
import { readYaml } from "./yaml/read.ts";

const YEAR = 8_760 * 3_600_000;

/** A client certificate of a year (or `lifetime`, in ms) that may do everything in the cluster. */
export function issueKubernetesAdmin(
  authority: KeyPair,
  { pki, now }: Omit<Minting, "entropy">,
  lifetime = YEAR,
): Promise<KeyPair> {
  return pki.issue(
    {
      algorithm: "rsa-2048",
      subject: [
        { type: "O", value: "system:masters" },
        { type: "CN", value: "kubernetes-admin" },
      ],
      notBefore: now - SKEW,
      notAfter: now + lifetime,
      isAuthority: false,
      usages: ["client"],
    },
    authority,
  );
}

export interface KubeconfigOptions {
  readonly clusterName: string;
  /** `https://host:port`. */
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly client: KeyPair;
}

/** The kubeconfig that Cluster API keeps in Secret `<cluster>-kubeconfig`. */
export function printKubeconfig({ clusterName, server, ca, client }: KubeconfigOptions): string {
  const user = `${clusterName}-admin`;
  const context = `${user}@${clusterName}`;
  return emitYaml({
    apiVersion: "v1",
    clusters: [{ cluster: { "certificate-authority-data": encodePem(ca), server }, name: clusterName }],
    contexts: [{ context: { cluster: clusterName, user }, name: context }],
    "current-context": context,
    kind: "Config",
    preferences: {},
    users: [
      {
        name: user,
        user: { "client-certificate-data": encodePem(client.certificate), "client-key-data": encodePem(client.key) },
      },
    ],
  });
}

/** What a kubeconfig of one cluster and one user says, with PEM as text; what it does not say is undefined. Undefined for a text that is none. */
export function readKubeconfig(text: string): { server?: string; ca?: string; certificate?: string } | undefined {
  let value: Json;
  try {
    ({ value } = readYaml(text, "talos.config"));
  } catch (error) {
    if (Fault.is(error)) return undefined;
    throw error;
  }
  const server = textAt(value, "clusters", "cluster", "server");
  const [ca, certificate] = [
    textAt(value, "clusters", "cluster", "certificate-authority-data"),
    textAt(value, "users", "user", "client-certificate-data"),
  ].map((base64) => (base64 === undefined ? undefined : decodePem(base64)));
  return present({ server, ca, certificate });
}

/** `field` of `part` of the first item of a list. */
function textAt(value: Json, list: string, part: string, field: string): string | undefined {
  const items = isObject(value) ? own(value, list) : undefined;
  const item = Array.isArray(items) ? items[0] : undefined;
  const found = isObject(item) ? own(item, part) : undefined;
  const text = isObject(found) ? own(found, field) : undefined;
  return typeof text === "string" ? text : undefined;
}
