/** Which manifests of a ClusterResourceSet are still to be applied to which Clusters. */
import type { KubeObject } from "#schema/meta.ts";
import type { ClusterResourceSet } from "#kinds/addons/v1beta2/cluster-resource-set.ts";
import type { ClusterResourceSetBinding } from "#kinds/addons/v1beta2/cluster-resource-set-binding.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Conditions } from "../cluster/conditions.ts";
import type { Judgement } from "../cluster/external.ts";
import { isDeleting } from "../cluster/external.ts";
import { isSameOwner, ownedBy } from "../cluster/owner.ts";
import { pausedOf } from "../cluster/pause.ts";

type Kind = "Secret" | "ConfigMap";

export interface ResourceName {
  readonly kind: Kind;
  readonly name: string;
}

/** A Secret or ConfigMap that the set names. */
export interface SeenResource extends ResourceName {
  /** Why it cannot be used; undefined: it can. */
  readonly problem: string | undefined;
  /** Of what is in it. */
  readonly hash: string;
  readonly object: KubeObject | undefined;
}

export interface ObservedResourceSet {
  readonly set: ClusterResourceSet;
  readonly resources: readonly SeenResource[];
  /** Those that the selector means. */
  readonly clusters: readonly Cluster[];
  /** By the Cluster's name; all of the namespace. */
  readonly bindings: ReadonlyMap<string, ClusterResourceSetBinding>;
}

export interface Due extends ResourceName {
  readonly hash: string;
}

export type ResourceSetEffect =
  | { readonly do: "own"; readonly resource: ResourceName; readonly namespace: string; readonly patch: object }
  /** Applies and records. */
  | {
      readonly do: "apply";
      readonly set: ClusterResourceSet;
      readonly cluster: string;
      readonly namespace: string;
      readonly resources: readonly Due[];
      readonly mayChange: boolean;
    }
  /** The Cluster's record says nothing of the set any more. */
  | { readonly do: "unbind"; readonly set: string; readonly cluster: string; readonly namespace: string };

export interface ResourceSetDecision {
  readonly effects: readonly ResourceSetEffect[];
  readonly status?: {
    readonly [K in keyof NonNullable<ClusterResourceSet["status"]>]?: NonNullable<ClusterResourceSet["status"]>[K];
  };
  readonly finalized?: boolean;
}

export function decideResourceSet(observed: ObservedResourceSet, now: number): ResourceSetDecision {
  const { set, resources, clusters, bindings } = observed;
  const { namespace = "", name = "", generation } = set.metadata;
  const mentioned = [...bindings].filter(([, binding]) => entryOf(binding, name) !== undefined);
  const unbind = (cluster: string): ResourceSetEffect => ({ do: "unbind", set: name, cluster, namespace });
  if (isDeleting(set)) return { effects: mentioned.map(([cluster]) => unbind(cluster)), finalized: mentioned.length === 0 };
  const conditions = new Conditions(set.status ?? {}, generation, now);
  const paused = pausedOf(undefined, set);
  conditions.say("Paused", paused);
  if (paused.status === "True") return { effects: [], status: { conditions: [...conditions.list] } };

  const usable = resources.filter(({ problem }) => problem === undefined);
  const effects: ResourceSetEffect[] = usable.flatMap((resource) => own(resource, set));
  const waits = resources.flatMap(({ kind, name: resource, problem }) =>
    problem === undefined ? [] : [`${kind} ${resource} ${problem}`],
  );
  const mayChange = set.spec?.strategy === "Reconcile";
  for (const cluster of clusters) {
    const clusterName = cluster.metadata.name ?? "";
    if (isDeleting(cluster) || pausedOf(cluster, cluster).status === "True") continue;
    if (cluster.status?.initialization?.controlPlaneInitialized !== true) {
      waits.push(`Cluster ${clusterName} has no control plane that answers yet`);
      continue;
    }
    const due = usable.filter((resource) => isDue(resource, entryOf(bindings.get(clusterName), name), mayChange));
    if (due.length === 0) continue;
    waits.push(`Cluster ${clusterName} has not got ${due.map((each) => `${each.kind} ${each.name}`).join(", ")} yet`);
    const todo = due.map(({ kind, name: resource, hash }) => ({ kind, name: resource, hash }));
    effects.push({ do: "apply", set, cluster: clusterName, namespace, resources: todo, mayChange });
  }
  // Its Cluster is gone, or is deselected: nobody looks after what it got.
  const chosen = new Set(clusters.map(({ metadata }) => metadata.name));
  effects.push(...mentioned.filter(([cluster]) => !chosen.has(cluster)).map(([cluster]) => unbind(cluster)));
  const judgement: Judgement =
    waits.length === 0
      ? { status: "True", reason: "Applied", message: "" }
      : { status: "False", reason: "NotApplied", message: waits.slice(0, 5).join("; ") };
  conditions.sayBoth("ResourcesApplied", judgement);
  return {
    effects,
    status: {
      conditions: [...conditions.list],
      deprecated: { v1beta1: { conditions: [...conditions.old] } },
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    },
  };
}

type Entry = NonNullable<NonNullable<ClusterResourceSetBinding["spec"]>["bindings"]>[number];

export function entryOf(binding: ClusterResourceSetBinding | undefined, set: string): Entry | undefined {
  return binding?.spec?.bindings?.find(({ clusterResourceSetName }) => clusterResourceSetName === set);
}

function isDue({ kind, name, hash }: SeenResource, entry: Entry | undefined, mayChange: boolean): boolean {
  const record = entry?.resources?.find((each) => each.kind === kind && each.name === name);
  return record?.applied !== true || (mayChange && record.hash !== hash);
}

/** So that the Secret goes with the last set that uses it, and moves with it. */
function own({ kind, name, object }: SeenResource, set: ClusterResourceSet): ResourceSetEffect[] {
  if (object === undefined) return [];
  const { namespace = "", resourceVersion = "", ownerReferences = [] } = object.metadata;
  const { controller: _controller, blockOwnerDeletion: _block, ...owner } = ownedBy(set, false);
  if (ownerReferences.some((each) => isSameOwner(each, owner) && each.uid === owner.uid)) return [];
  const others = ownerReferences.filter((each) => !isSameOwner(each, owner));
  const patch = { metadata: { resourceVersion, ownerReferences: [...others, owner] } };
  return [{ do: "own", resource: { kind, name }, namespace, patch }];
}
