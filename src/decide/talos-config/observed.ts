/** Everything that a decision about a TalosConfig rests on. */
import { CLUSTER_NAME } from "#kinds/cluster/keys.ts";
import type { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import type { Sealed } from "#std/sealed.ts";

/** What goes into a configuration beside its spec and the secrets of its cluster; nothing of it is secret. */
export interface ConfigInputs {
  readonly clusterName: string;
  /** `https://host:port`. */
  readonly endpoint: string;
  /** With or without `v`; empty: what that Talos is released with. */
  readonly kubernetesVersion: string;
  /** Empty: the usual one. */
  readonly dnsDomain: string;
  /** Empty lists: the usual ones. */
  readonly podSubnets: readonly string[];
  readonly serviceSubnets: readonly string[];
  /** Empty: Talos decides. */
  readonly hostname: string;
  readonly infrastructureKind: string;
}

/** An object that owns others. */
export interface Identity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** A Secret of a machine or a cluster, by what its owner references say. */
export type ObservedSecret =
  | "absent"
  /** Ours, or a person's who brought it. */
  | "there"
  /** Marked with our cluster, but owned by nobody: its owner references were lost. */
  | "orphaned"
  /** Of an owner that is gone: it is about to be removed. */
  | "stale";

/** S: the secrets of a cluster, which decisions only hand on. */
export interface ObservedTalosConfig<S> {
  readonly config: TalosConfig;
  /** Why nothing is to be done. */
  readonly paused: string | undefined;
  /** The Machine. */
  readonly owner:
    | { readonly name: string; readonly isDeleting: boolean; readonly dataSecretName: string | undefined }
    | undefined;
  readonly cluster: (Identity & { readonly isProvisioned: boolean }) | undefined;
  /** Undefined while the Cluster has no endpoint. */
  readonly inputs: ConfigInputs | undefined;
  /** `<cluster>-talos`: its secrets, or why they cannot be read; neither while there is none. */
  readonly bundle: { readonly secrets?: Sealed<S>; readonly problem?: string };
  /** `<machine>-bootstrap-data`. */
  readonly data: ObservedSecret;
  /** There is a `<cluster>-ca`. */
  readonly hasAuthority: boolean;
  /** There is a `<cluster>-talosconfig`. */
  readonly hasClient: boolean;
}

/** What is read of a Secret's metadata. */
interface Owned {
  readonly labels?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly { readonly apiVersion: string; readonly kind: string; readonly uid: string }[];
}

/** How a Secret stands to the one that should own it: an object of `kind` with this uid, of the cluster of this name. */
export function standingOf(
  metadata: Owned | undefined,
  { kind, uid }: { readonly kind: string; readonly uid: string },
  cluster: string,
): ObservedSecret {
  if (metadata === undefined) return "absent";
  const { labels = {}, ownerReferences = [] } = metadata;
  const ofKind = ownerReferences.filter((reference) => reference.kind === kind);
  if (ofKind.some((reference) => reference.uid === uid)) return "there";
  if (ofKind.length > 0) return "stale";
  return ownerReferences.length === 0 && labels[CLUSTER_NAME] === cluster ? "orphaned" : "there";
}
