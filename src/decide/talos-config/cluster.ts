/** The Secrets that a cluster's machines have in common: made once, shared by all of them (facts §3.3). */
import type { Sealed } from "#std/sealed.ts";
import type { Identity, ObservedSecret } from "./observed.ts";

/** S: the secrets of a cluster, which decisions only hand on. */
export interface ObservedTalosCluster<S> {
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
  /** What is in it, where that can be read. */
  readonly secrets: Sealed<S> | undefined;
  /** `<cluster>-ca`. */
  readonly authority: ObservedSecret;
  /** `<cluster>-talosconfig`. */
  readonly client: ObservedSecret;
  /** What is in that; undefined when it is no talosconfig of this cluster's authority. */
  readonly access: { readonly endpoints: readonly string[]; readonly end: number } | undefined;
}

export type TalosClusterEffect<S> =
  | { readonly do: "make-bundle"; readonly cluster: Identity; readonly talosVersion: string }
  | { readonly do: "own"; readonly cluster: Identity; readonly secretName: string }
  | { readonly do: "write-authority"; readonly cluster: Identity; readonly secrets: Sealed<S> }
  | {
      readonly do: "write-client";
      readonly cluster: Identity;
      readonly endpoints: readonly string[];
      readonly secrets: Sealed<S>;
      /** Otherwise the certificate that is there stays. */
      readonly mint: boolean;
      readonly isNew: boolean;
    };

export interface TalosClusterDecision<S> {
  readonly effects: readonly TalosClusterEffect<S>[];
  readonly again?: number;
}

const DAY = 24 * 3_600_000;
/** A client certificate with less than half a year left is replaced, as those of kubeconfigs are. */
const RENEWAL = 182.5 * DAY;

export function decideTalosCluster<S>(observed: ObservedTalosCluster<S>, now: number): TalosClusterDecision<S> {
  const { cluster, isActive, generates, bundle, secrets, authority } = observed;
  if (!isActive) return { effects: [] };
  if (bundle === "absent")
    return { effects: generates === undefined ? [] : [{ do: "make-bundle", cluster, talosVersion: generates.talosVersion }] };
  const effects: TalosClusterEffect<S>[] = [];
  const names = { "-talos": bundle, "-ca": authority, "-talosconfig": observed.client };
  for (const [suffix, standing] of Object.entries(names))
    if (standing === "orphaned") effects.push({ do: "own", cluster, secretName: cluster.name + suffix });
  if (bundle === "stale" || secrets === undefined) return { effects };
  if (authority === "absent") effects.push({ do: "write-authority", cluster, secrets });
  return decideClient(observed, secrets, effects, now);
}

function decideClient<S>(
  { cluster, hasControlPlane, endpoints, client, access }: ObservedTalosCluster<S>,
  secrets: Sealed<S>,
  effects: TalosClusterEffect<S>[],
  now: number,
): TalosClusterDecision<S> {
  if (!hasControlPlane || client === "stale") return { effects };
  const left = client === "absent" || access === undefined ? 0 : access.end - now;
  const mint = left <= RENEWAL;
  if (mint || access!.endpoints.join() !== endpoints.join())
    effects.push({ do: "write-client", cluster, endpoints, secrets, mint, isNew: client === "absent" });
  return { effects, again: mint ? DAY : Math.min(left - RENEWAL, DAY) };
}
