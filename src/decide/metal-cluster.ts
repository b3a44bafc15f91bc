/** The infrastructure of a cluster: somebody's word for where its API server will be, and which failure domains there are (sidero.md §9.1). */
import type { Condition } from "#kinds/condition.ts";
import type { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import { judged, pauseVerdict, type Verdict } from "./infrastructure-condition.ts";

export interface ObservedMetalCluster {
  readonly metalCluster: MetalCluster;
  readonly paused: string | undefined;
  /** The Cluster that owns it; undefined while none does. */
  readonly cluster: { readonly name: string; readonly hasEndpoint: boolean } | undefined;
  /** Of all Servers that are ours to use, sorted. */
  readonly failureDomains: readonly string[];
  /** Those of them where a Server can be had for a control plane machine now; undefined: that cannot be told. */
  readonly places: ReadonlySet<string> | undefined;
}

type Status = NonNullable<MetalCluster["status"]>;

export interface MetalClusterDecision {
  readonly status?: { readonly [K in keyof Status]?: Status[K] | undefined };
  readonly finalized?: boolean;
}

export const FINALIZER = "metalcluster.infrastructure.cluster.x-k8s.io";
/** Contract: no more than this many. */
const MOST_DOMAINS = 100;

export function decideMetalCluster(
  { metalCluster, paused, cluster, failureDomains, places }: ObservedMetalCluster,
  now: number,
): MetalClusterDecision {
  const { metadata, spec, status } = metalCluster;
  const say = (...verdicts: Verdict[]): Condition[] =>
    verdicts.reduce<Condition[]>(
      (list, verdict) => [...judged(list, verdict, metadata.generation, now)],
      status?.conditions ?? [],
    );
  if (paused !== undefined) return { status: { ready: status?.ready ?? false, conditions: say(pauseVerdict(paused)) } };
  // There is nothing to take down: its machines are gone before it, or go by themselves.
  if (metadata.deletionTimestamp !== undefined) return { finalized: true };
  if (cluster === undefined) return {};
  const isGiven = isSet(spec?.controlPlaneEndpoint) || cluster.hasEndpoint;
  // Never taken back: the cluster lives on whatever is edited.
  const isReady = isGiven || status?.ready === true;
  const domains = failureDomains.slice(0, MOST_DOMAINS).map((name) => ({ name, controlPlane: places?.has(name) ?? true }));
  return {
    status: {
      ready: isReady,
      ...(isReady && { initialization: { provisioned: true } }),
      failureDomains: domains.length === 0 ? undefined : domains,
      conditions: say(
        isGiven ? { type: "Ready", status: "True", reason: "Ready" } : missing(cluster.name),
        pauseVerdict(undefined),
      ),
    },
  };
}

function isSet(endpoint: { readonly host?: string; readonly port?: number } | undefined): boolean {
  return (endpoint?.host ?? "") !== "" && (endpoint?.port ?? 0) > 0;
}

function missing(cluster: string): Verdict {
  const message = `neither it nor Cluster ${cluster} says in spec.controlPlaneEndpoint where the API server will answer: a virtual IP, a load balancer, a DNS name`;
  return { type: "Ready", status: "False", reason: "WaitingForControlPlaneEndpoint", message, severity: "Warning" };
}
