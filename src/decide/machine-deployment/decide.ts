/** How a deployment's sets come and go, and how many machines each of them has (§2.6). */
import { CLUSTER_NAME, MAX_REPLICAS, REVISION, REVISION_HISTORY } from "#kinds/cluster/keys.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import type { JsonObject } from "#std/json.ts";
import { isObject } from "#std/json.ts";
import { isDeleting, nameOf } from "../machines/machine.ts";
import { goingWith, leavesDependents } from "../machines/orphan.ts";
import { boundsOf, countOf, type Fleet, NEW, NOT_YET, type Plan } from "./count.ts";
import { currentSet, oldestFirst, revisionOf } from "./current.ts";
import { annotationsFor, currentPatch, hashOf, oldPatch, sizesFor } from "./desired.ts";
import type { DeploymentEffect } from "./effect.ts";
import type { ObservedDeployment } from "./observed.ts";
import { planOnDelete } from "./on-delete.ts";
import { planProportional } from "./proportional.ts";
import { planRollingUpdate } from "./rolling.ts";
import { type DeploymentStatus, pausedStatus, statusOf } from "./status.ts";

export interface DeploymentDecision {
  readonly effects?: readonly DeploymentEffect[];
  readonly status?: DeploymentStatus;
  readonly again?: number;
  readonly finalized?: boolean;
}

export function decideDeployment(observed: ObservedDeployment, now: number): DeploymentDecision {
  const { deployment, cluster, paused, sets } = observed;
  if (paused !== undefined) return { status: pausedStatus(observed, now) };
  if (deployment.metadata.deletionTimestamp !== undefined) {
    const going = leavesDependents(deployment) ? [] : goingWith(deployment, sets, cluster);
    if (going.length === 0) return { finalized: true };
    return { effects: going.flatMap(deletion("its MachineDeployment is being deleted")), status: statusOf(observed, now) };
  }
  if (cluster === undefined) return {};
  const current = currentSet(deployment, sets, now);
  const old = sets.filter((set) => set !== current).toSorted(oldestFirst);
  const own = marks(deployment, cluster, revisionFor(current, old));
  // What the status is written to would be another state of the deployment.
  if (own.length > 0) return { effects: own };
  const orphans = sets.flatMap((set) => adoption(set, deployment));
  // They count once they are ours.
  if (orphans.length > 0) return { effects: orphans };
  const after = Date.parse(deployment.spec?.rollout?.after ?? "");
  return {
    effects: [...rollOut(observed, current, old), ...leftovers(observed, current, old)],
    status: statusOf(observed, now),
    ...(after > now ? { again: after - now } : {}),
  };
}

/** Higher than that of every other set; a set that becomes current again moves up. */
function revisionFor(current: MachineSet | undefined, old: readonly MachineSet[]): number {
  const most = Math.max(0, ...old.map(revisionOf));
  return current !== undefined && revisionOf(current) > most ? revisionOf(current) : most + 1;
}

function marks(deployment: MachineDeployment, cluster: Cluster, revision: number): DeploymentEffect[] {
  const { labels = {}, annotations = {}, ownerReferences = [], resourceVersion = "" } = deployment.metadata;
  const name = cluster.metadata.name ?? "";
  const isOwned = ownerReferences.some(({ uid }) => uid === cluster.metadata.uid);
  if (isOwned && labels[CLUSTER_NAME] === name && annotations[REVISION] === String(revision)) return [];
  const { apiVersion, kind } = cluster;
  const owner = { apiVersion, kind, name, uid: cluster.metadata.uid ?? "" };
  const owners = isOwned ? ownerReferences : [...ownerReferences, owner];
  const metadata = {
    resourceVersion,
    labels: { [CLUSTER_NAME]: name },
    annotations: { [REVISION]: String(revision) },
    ownerReferences: owners.map((each) => ({ ...each })),
  };
  return [{ do: "mark-deployment", deployment, metadata }];
}

function adoption(set: MachineSet, { apiVersion, kind, metadata }: MachineDeployment): DeploymentEffect[] {
  const { ownerReferences = [], deletionTimestamp } = set.metadata;
  if (deletionTimestamp !== undefined || ownerReferences.some(({ controller }) => controller === true)) return [];
  const { name = "", uid = "" } = metadata;
  const owner = { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
  // The Cluster owned it while it stood alone.
  const rest = ownerReferences.filter((each) => each.kind !== "Cluster" && each.uid !== uid);
  return [{ do: "adopt-set", set, owners: [...rest, owner] }];
}

/** One patch for each set that is not as it should be, or a new set. */
function rollOut(observed: ObservedDeployment, current: MachineSet | undefined, old: readonly MachineSet[]): DeploymentEffect[] {
  const { deployment } = observed;
  const replicas = deployment.spec?.replicas ?? 1;
  const bounds = boundsOf(deployment);
  const fleet = { replicas, ...bounds, current: current === undefined ? NOT_YET : countOf(current), old: old.map(countOf) };
  const isPaused = deployment.spec?.paused === true;
  const plan = planFor(observed, fleet, old);
  const revision = revisionFor(current, old);
  const sizes = sizesFor(replicas, bounds.maxSurge);
  const isOnDelete = deployment.spec?.rollout?.strategy?.type === "OnDelete";
  const effects: DeploymentEffect[] = [];
  if (current !== undefined) {
    const patch = isPaused ? undefined : currentPatch(current, deployment);
    effects.push(...change(current, merged(patch, revisionPatch(current, revision), sizePatch(current, sizes)), plan));
  } else if (!isPaused) {
    const annotations = { ...annotationsFor(deployment), ...sizes, [REVISION]: String(revision) };
    effects.push({ do: "create-set", deployment, hash: hashOf(deployment), replicas: plan.get(NEW) ?? 0, annotations });
  }
  for (const set of old) {
    if (set.metadata.deletionTimestamp !== undefined) continue;
    const patch = isPaused ? undefined : oldPatch(set, deployment, isOnDelete);
    effects.push(...change(set, merged(patch, (set.spec?.replicas ?? 0) > 0 ? sizePatch(set, sizes) : undefined), plan));
  }
  return effects;
}

function planFor({ deployment, sets, machines }: ObservedDeployment, fleet: Fleet, old: readonly MachineSet[]): Plan {
  if (deployment.spec?.paused === true) {
    const most = new Map(sets.map((set) => [nameOf(set), Number(set.metadata.annotations?.[MAX_REPLICAS] ?? Number.NaN)]));
    return planProportional(fleet, ({ name }) => most.get(name) || undefined);
  }
  if (deployment.spec?.rollout?.strategy?.type !== "OnDelete") return planRollingUpdate(fleet);
  const live = old.map((set) => {
    const own = machines.get(set.metadata.uid ?? "") ?? [];
    return [nameOf(set), own.filter((machine) => !isDeleting(machine)).length] as const;
  });
  return planOnDelete(fleet, new Map(live));
}

function change(set: MachineSet, patch: JsonObject | undefined, plan: Plan): DeploymentEffect[] {
  const replicas = plan.get(nameOf(set));
  const all = merged(patch, replicas === undefined ? undefined : { spec: { replicas } });
  if (all === undefined) return [];
  const because =
    replicas === undefined ? undefined : `Scaled MachineSet ${nameOf(set)}: ${set.spec?.replicas ?? 0} -> ${replicas}`;
  return [{ do: "change-set", set, patch: all, because }];
}

function revisionPatch(set: MachineSet, revision: number): JsonObject | undefined {
  const before = set.metadata.annotations?.[REVISION];
  if (before === String(revision)) return undefined;
  const history = set.metadata.annotations?.[REVISION_HISTORY];
  const past = before === undefined ? {} : { [REVISION_HISTORY]: history === undefined ? before : `${history},${before}` };
  return { metadata: { annotations: { [REVISION]: String(revision), ...past } } };
}

function sizePatch({ metadata }: MachineSet, sizes: Readonly<Record<string, string>>): JsonObject | undefined {
  const isSame = Object.entries(sizes).every(([key, value]) => metadata.annotations?.[key] === value);
  return isSame ? undefined : { metadata: { annotations: { ...sizes } } };
}

/** Merge patches of different fields as one. */
function merged(...patches: readonly (JsonObject | undefined)[]): JsonObject | undefined {
  const present = patches.filter((patch) => patch !== undefined);
  return present.length === 0 ? undefined : present.reduce(mergeObjects);
}
function mergeObjects(a: JsonObject, b: JsonObject): JsonObject {
  const result: JsonObject = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const mine = result[key];
    result[key] = isObject(mine) && isObject(value) ? mergeObjects(mine, value) : value;
  }
  return result;
}

/** Old sets without machines, once all machines are as wanted. */
function leftovers(
  { deployment }: ObservedDeployment,
  current: MachineSet | undefined,
  old: readonly MachineSet[],
): DeploymentEffect[] {
  const replicas = deployment.spec?.replicas ?? 1;
  const { spec, status, metadata } = current ?? {};
  const isComplete =
    spec?.replicas === replicas &&
    (status?.replicas ?? 0) === replicas &&
    (status?.availableReplicas ?? 0) === replicas &&
    status?.observedGeneration === metadata?.generation;
  if (!isComplete) return [];
  return old.filter(isEmpty).flatMap(deletion("it has no machines any more"));
}

function isEmpty({ metadata, spec, status }: MachineSet): boolean {
  return spec?.replicas === 0 && status?.replicas === 0 && status.observedGeneration === metadata.generation;
}

function deletion(because: string): (set: MachineSet) => DeploymentEffect[] {
  return (set) => (set.metadata.deletionTimestamp === undefined ? [{ do: "delete-set", set, because }] : []);
}
