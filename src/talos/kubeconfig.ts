/** Access to the Kubernetes of a cluster, from its authority (facts §2.9). */
import type { KeyPair, Minting } from "./pki.ts";
import { encodePem } from "./secrets.ts";
import { emitYaml } from "./yaml/emit.ts";

const YEAR = 8_760 * 3_600_000;
/** For clocks that are behind. */
const SKEW = 5 * 60_000;

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
