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
  const server = `https://${endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
  const make: KubeconfigPlan = { effects: [{ do: "kubeconfig", server }] };
  if (kubeconfig === undefined) return make;
  if (!kubeconfig.isOurs) return { effects: [] };
  const { endsAt, isOfAuthority } = kubeconfig;
  if (endsAt === undefined || !isOfAuthority || kubeconfig.server !== server || endsAt - now < HALF_YEAR) return make;
  return { effects: [], renewAt: endsAt - HALF_YEAR };
}
