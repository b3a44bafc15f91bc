/** The kubeconfig of a Cluster that has no control plane object to make one: from the authority that is kept beside it (§2.3, §2.9). */
import { isDeleting } from "./external.ts";
import type { ClusterEffect, ObservedCluster } from "./observed.ts";
import { hasEndpoint } from "./status.ts";

const HALF_YEAR = 182.5 * 24 * 3_600_000;

/** What is known of the Secrets. */
export interface Credentials {
  /** `<cluster>-ca` has certificate and key. */
  readonly hasAuthority: boolean;
  /** Undefined: there is no `<cluster>-kubeconfig`. */
  readonly kubeconfig:
    | {
        /** Made here; what people have put there is theirs to renew. */
        readonly isOurs: boolean;
        readonly server: string | undefined;
        /** Milliseconds since 1970; undefined: its certificate cannot be read. */
        readonly endsAt: number | undefined;
      }
    | undefined;
}

export interface KubeconfigPlan {
  readonly effects: readonly ClusterEffect[];
  /** Milliseconds until it is to be renewed. */
  readonly again?: number;
}

export function planKubeconfig({ cluster, controlPlane, credentials }: ObservedCluster, now: number): KubeconfigPlan {
  const isStandalone = controlPlane === undefined && cluster.spec?.topology === undefined && !isDeleting(cluster);
  if (!isStandalone || !hasEndpoint(cluster) || !credentials.hasAuthority) return { effects: [] };
  const { host = "", port = 0 } = cluster.spec?.controlPlaneEndpoint ?? {};
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const { kubeconfig } = credentials;
  if (kubeconfig !== undefined) {
    if (!kubeconfig.isOurs) return { effects: [] };
    const rest = (kubeconfig.endsAt ?? 0) - HALF_YEAR - now;
    if (kubeconfig.server === server && rest > 0) return { effects: [], again: rest };
  }
  return { effects: [{ do: "kubeconfig", cluster, server }] };
}
