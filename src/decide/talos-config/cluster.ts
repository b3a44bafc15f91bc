/** The Secrets that a cluster's machines have in common: made once, shared by all of them (facts §3.3). */
import type { Sealed } from "#std/sealed.ts";
import type { Identity, ObservedSecret } from "./observed.ts";

/** A: an authority with its key, which decisions only hand on. */
export interface ObservedTalosCluster<A> {
  readonly cluster: Identity;
  /** It is not paused, not being deleted, and its infrastructure is there. */
  readonly isActive: boolean;
  /** Undefined when no machine's configuration is generated. */
  readonly generates: { readonly talosVersion: string } | undefined;
  /** It has control plane machines, whose Talos somebody will want to talk to. */
  readonly hasControlPlane: boolean;
  /** Addresses of the control plane machines, sorted. */
  readonly endpoints: readonly string[];
  /** `<cluster>-talos`. */
  readonly bundle: ObservedSecret;
  /** The Kubernetes authority in it, where that can be read. */
  readonly kubernetes: Sealed<A> | undefined;
  /** Talos' authority: from there, or from a configuration that a person gave. */
  readonly talos: Sealed<A> | undefined;
  /** `<cluster>-ca`. */
  readonly authority: ObservedSecret;
  /** `<cluster>-talosconfig`. */
  readonly client: ObservedSecret;
  /** What is in that; undefined when it is no talosconfig of this cluster's authority. */
  readonly access: { readonly endpoints: readonly string[]; readonly end: number } | undefined;
}

export type TalosClusterEffect<A> =
  | { readonly do: "make-bundle"; readonly cluster: Identity; readonly talosVersion: string }
  | { readonly do: "own"; readonly cluster: Identity; readonly secretName: string }
  | { readonly do: "write-authority"; readonly cluster: Identity; readonly authority: Sealed<A> }
  | {
      readonly do: "write-client";
      readonly cluster: Identity;
      readonly endpoints: readonly string[];
      readonly authority: Sealed<A>;
      /** Otherwise the certificate that is there stays. */
      readonly mint: boolean;
      readonly isNew: boolean;
    };

export interface TalosClusterDecision<A> {
  readonly effects: readonly TalosClusterEffect<A>[];
  readonly again?: number;
}

const DAY = 24 * 3_600_000;
/** A client certificate with less than half a year left is replaced, as those of kubeconfigs are. */
const RENEWAL = 182.5 * DAY;

export function decideTalosCluster<A>(observed: ObservedTalosCluster<A>, now: number): TalosClusterDecision<A> {
  const { cluster, isActive, generates, bundle, authority, client } = observed;
  if (!isActive) return { effects: [] };
  if (bundle === "absent" && generates !== undefined)
    return { effects: [{ do: "make-bundle", cluster, talosVersion: generates.talosVersion }] };
  const effects: TalosClusterEffect<A>[] = [];
  for (const [suffix, standing] of Object.entries({ "-talos": bundle, "-ca": authority, "-talosconfig": client }))
    if (standing === "orphaned") effects.push({ do: "own", cluster, secretName: cluster.name + suffix });
  if (observed.kubernetes !== undefined && authority === "absent")
    effects.push({ do: "write-authority", cluster, authority: observed.kubernetes });
  return observed.talos === undefined ? { effects } : decideClient(observed, observed.talos, effects, now);
}

function decideClient<A>(
  { cluster, hasControlPlane, endpoints, client, access }: ObservedTalosCluster<A>,
  authority: Sealed<A>,
  effects: TalosClusterEffect<A>[],
  now: number,
): TalosClusterDecision<A> {
  if (!hasControlPlane || client === "stale") return { effects };
  const left = client === "absent" || access === undefined ? 0 : access.end - now;
  const mint = left <= RENEWAL;
  if (mint || access!.endpoints.join() !== endpoints.join())
    effects.push({ do: "write-client", cluster, endpoints, authority, mint, isNew: client === "absent" });
  return { effects, again: mint ? DAY : Math.min(left - RENEWAL, DAY) };
}
