/** The Secret `<cluster>-kubeconfig`: made once the authority and the endpoint are there, renewed when half of its year is over (§2.9, §4.2). */
import type { ControlPlaneEffect, ObservedControlPlane } from "./machine.ts";

const HALF_YEAR = 182.5 * 24 * 3_600_000;

export interface KubeconfigPlan {
  readonly effects: readonly ControlPlaneEffect[];
  /** When it is to be renewed. */
  readonly renewAt?: number;
}

/** One that a person has put there is theirs to renew. */
export function kubeconfigOf({ cluster, kubeconfig, hasAuthority }: ObservedControlPlane, now: number): KubeconfigPlan {
  const endpoint = cluster?.endpoint;
  if (endpoint === undefined || !hasAuthority) return { effects: [] };
  const server = serverOf(endpoint);
  const make: KubeconfigPlan = { effects: [{ do: "kubeconfig", server }] };
  if (kubeconfig === undefined) return make;
  if (!kubeconfig.isOurs) return { effects: [] };
  const { endsAt, isOfAuthority } = kubeconfig;
  if (endsAt === undefined || !isOfAuthority || kubeconfig.server !== server || endsAt - now < HALF_YEAR) return make;
  return { effects: [], renewAt: endsAt - HALF_YEAR };
}

function serverOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Made here, by all that can be told, and nobody's any more: its owner was taken away. */
export function isLost({ cluster, kubeconfig }: ObservedControlPlane): boolean {
  if (kubeconfig?.isOrphan !== true || cluster?.endpoint === undefined) return false;
  return kubeconfig.isOfAuthority && kubeconfig.server === serverOf(cluster.endpoint);
}
