/** What is to be done about a Cluster now (§2.3). */
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { isObject } from "#std/json.ts";
import { leavesDependents } from "../machines/orphan.ts";
import { Conditions } from "./conditions.ts";
import type { Judgement, Look, Reference } from "./external.ts";
import { isDeleting, isProvisioned, objectOf, specOf } from "./external.ts";
import { isControlPlane, looseSets, looseWorkers, type Child, type ClusterEffect, type ObservedCluster } from "./observed.ts";
import { planKubeconfig } from "./kubeconfig.ts";
import { isSameOwner, ownedBy, owning } from "./owner.ts";
import { pausedOf } from "./pause.ts";
import { clusterStatus, type ClusterStatus, hasEndpoint } from "./status.ts";
import type { KubeObject } from "#schema/meta.ts";

export interface ClusterDecision {
  readonly effects?: readonly ClusterEffect[];
  readonly status?: ClusterStatus;
  readonly again?: number;
  readonly finalized?: boolean;
}

export function decideCluster(observed: ObservedCluster, now: number): ClusterDecision {
  const { cluster, infrastructure, controlPlane } = observed;
  // What cannot be known yet is no reason to do anything; whoever waits for it is told.
  if ([infrastructure, controlPlane].some((look) => look?.is === "unknown")) return {};
  const paused = pausedOf(cluster, cluster);
  if (paused.status === "True") {
    const conditions = new Conditions(cluster.status ?? {}, cluster.metadata.generation, now).say("Paused", paused);
    return { status: { conditions: [...conditions.list] } };
  }
  if (leavesDependents(cluster)) return { finalized: true };
  const patch = isDeleting(cluster) ? undefined : endpointPatch(observed);
  // Its own fields first: what follows is decided on what they say.
  if (patch !== undefined) return { effects: [patch] };
  const problems: string[] = [];
  const effects = [...ownEffects(observed, problems)];
  const takedown = isDeleting(cluster) ? takeDown(observed) : undefined;
  const deleting = takedown?.deleting ?? { status: "False", reason: "NotDeleting", message: "" };
  const { status, again: soon } = clusterStatus(observed, deleting, now);
  const kubeconfig = planKubeconfig(observed, now);
  const again = soon === undefined ? kubeconfig.again : Math.min(soon, kubeconfig.again ?? soon);
  const told = [...tellings(cluster, status), ...problems.map((message) => warn(cluster, message))];
  return {
    effects: [...effects, ...kubeconfig.effects, ...(takedown?.effects ?? []), ...told],
    status,
    ...(takedown === undefined ? {} : { finalized: takedown.isDone }),
    ...(again === undefined ? {} : { again }),
  };
}

/** The endpoint as the infrastructure knows it, or the control plane; what the Cluster says itself stays. */
function endpointPatch({ cluster, infrastructure, controlPlane }: ObservedCluster): ClusterEffect | undefined {
  if (hasEndpoint(cluster)) return undefined;
  const infra = objectOf(infrastructure);
  const control = objectOf(controlPlane);
  const sources = [...(infra !== undefined && isProvisioned(infra) ? [infra] : []), ...(control === undefined ? [] : [control])];
  const found = sources.map(endpointOf).find((endpoint) => endpoint !== undefined);
  if (found === undefined) return undefined;
  const { namespace = "", name = "", resourceVersion = "" } = cluster.metadata;
  return { do: "patch", namespace, name, patch: { metadata: { resourceVersion }, spec: { controlPlaneEndpoint: found } } };
}

function endpointOf(object: KubeObject): { host: string; port: number } | undefined {
  const endpoint = specOf(object)["controlPlaneEndpoint"];
  if (!isObject(endpoint)) return undefined;
  const { host, port } = endpoint;
  return typeof host === "string" && host !== "" && typeof port === "number" && port > 0 ? { host, port } : undefined;
}

/** Controlled only where a topology makes them (§1.2). */
function* ownEffects({ cluster, infrastructure, controlPlane }: ObservedCluster, problems: string[]): Generator<ClusterEffect> {
  const pairs: (readonly [Look | undefined, Reference | undefined])[] = [
    [infrastructure, cluster.spec?.infrastructureRef],
    [controlPlane, cluster.spec?.controlPlaneRef],
  ];
  const owner = ownedBy(cluster, cluster.spec?.topology !== undefined);
  for (const [look, reference] of pairs) {
    const object = objectOf(look);
    if (object === undefined || reference === undefined || isDeleting(object)) continue;
    const ownership = owning(object, owner, cluster.metadata.name ?? "");
    if (ownership === undefined) continue;
    const { namespace = "", resourceVersion = "" } = object.metadata;
    if (typeof ownership === "string") problems.push(ownership);
    else yield { do: "own", namespace, reference, resourceVersion, ownership };
  }
}

interface Takedown {
  readonly effects: readonly ClusterEffect[];
  readonly deleting: Judgement;
  readonly isDone: boolean;
}

/** Workers first, for their machines are drained through the control plane; then that; then the infrastructure. */
function takeDown(observed: ObservedCluster): Takedown {
  const { cluster, machines, machineSets, machineDeployments, infrastructure, controlPlane } = observed;
  const wait = (reason: string, message: string, effects: readonly ClusterEffect[]): Takedown => ({
    effects,
    deleting: { status: "True", reason, message },
    isDone: false,
  });
  const workers = machines.filter((machine) => !isControlPlane(machine));
  const left = [...machineDeployments, ...machineSets, ...workers];
  if (left.length > 0) {
    const own = [...machineDeployments, ...looseSets(observed), ...looseWorkers(observed)];
    return wait("WaitingForWorkersDeletion", said(left), own.filter((object) => isOwned(object, cluster)).flatMap(deletion));
  }
  const control = objectOf(controlPlane);
  const refused = [controlPlane, infrastructure].find((look) => look?.is === "refused");
  if (refused?.is === "refused") return wait("WaitingForControlPlaneDeletion", refused.problem, []);
  if (control !== undefined) {
    const message = `Waiting for ${control.kind} ${control.metadata.name} to be deleted`;
    return wait("WaitingForControlPlaneDeletion", message, external(control, cluster.spec!.controlPlaneRef!));
  }
  const masters = machines.filter(isControlPlane);
  if (masters.length > 0) {
    const own = masters.filter((object) => isOwned(object, cluster));
    return wait("WaitingForControlPlaneDeletion", said(masters), own.flatMap(deletion));
  }
  const infra = objectOf(infrastructure);
  if (infra !== undefined) {
    const message = `Waiting for ${infra.kind} ${infra.metadata.name} to be deleted`;
    return wait("WaitingForInfrastructureDeletion", message, external(infra, cluster.spec!.infrastructureRef!));
  }
  const effects = [
    {
      do: "tell",
      about: cluster,
      type: "Normal",
      reason: "Deleted",
      message: `Cluster ${cluster.metadata.name} has been deleted`,
    } as const,
  ];
  return { ...wait("DeletionCompleted", "Deletion completed", effects), isDone: true };
}

function isOwned(object: KubeObject, cluster: Cluster): boolean {
  const owner = ownedBy(cluster, false);
  return (object.metadata.ownerReferences ?? []).some((each) => isSameOwner(each, owner));
}

function deletion(object: KubeObject): ClusterEffect[] {
  const { namespace = "", name = "", uid = "" } = object.metadata;
  return isDeleting(object) ? [] : [{ do: "delete-child", kind: object.kind as Child, namespace, name, uid }];
}

function external(object: KubeObject, reference: Reference): ClusterEffect[] {
  const { namespace = "", uid = "" } = object.metadata;
  return isDeleting(object) ? [] : [{ do: "delete-external", namespace, reference, uid }];
}

/** As many as a person reads. */
const SHOWN = 3;

function said(objects: readonly KubeObject[]): string {
  const groups = Map.groupBy(objects, ({ kind }) => kind);
  const lines = [...groups].map(([kind, members]) => {
    const names = members.slice(0, SHOWN).map(({ metadata }) => metadata.name);
    const more = members.length > SHOWN ? ` and ${members.length - SHOWN} more` : "";
    return `* ${kind}${members.length === 1 ? "" : "s"}: ${names.join(", ")}${more}`;
  });
  return lines.join("\n");
}

/** What happens once. */
function* tellings(cluster: Cluster, status: ClusterStatus): Generator<ClusterEffect> {
  const [before, now] = [cluster.status?.initialization, status.initialization];
  const tell = (reason: string, message: string): ClusterEffect => ({
    do: "tell",
    about: cluster,
    type: "Normal",
    reason,
    message,
  });
  if (now?.infrastructureProvisioned === true && before?.infrastructureProvisioned !== true)
    yield tell("InfrastructureReady", "The infrastructure has been provisioned");
  if (now?.controlPlaneInitialized === true && before?.controlPlaneInitialized !== true)
    yield tell("ControlPlaneInitialized", "The control plane has been initialized");
}

function warn(about: Cluster, message: string): ClusterEffect {
  return { do: "tell", about, type: "Warning", reason: "OwnerReferenceFailed", message };
}
