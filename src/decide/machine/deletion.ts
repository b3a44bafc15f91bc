/**
 * How a Machine is taken down (§2.4, deletion): hooks, drain, volumes, hooks, infrastructure, bootstrap object, Node; each waits for the one before.
 * Where the whole cluster goes, its Nodes are of no concern.
 */
import { EXCLUDE_NODE_DRAINING, EXCLUDE_VOLUME_DETACH, PRE_DRAIN_HOOK, PRE_TERMINATE_HOOK } from "#kinds/cluster/keys.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { timeOf } from "../cluster/conditions.ts";
import type { Judgement, Look, Reference } from "../cluster/external.ts";
import { isDeleting, objectOf } from "../cluster/external.ts";
import { planDrain } from "./drain.ts";
import { isUnreachable } from "./node.ts";
import type { MachineEffect, NodeFacts, ObservedMachine } from "./observed.ts";
import { nodeOf } from "./status.ts";

type Times = NonNullable<NonNullable<Machine["status"]>["deletion"]>;

/** Milliseconds until a drain and volumes are looked at again, and until a Node that is to go is. */
const RETRY = 5_000;
const NODE_RETRY = 2_000;
/** Milliseconds that a cluster may be silent when it is to be told that a Node is gone: longer than the next API server takes to come up. */
const NODE_PATIENCE = 60_000;
/** Seconds a Pod is given whose node does not answer. */
const LAST_GRACE = 1;
/** Evictions of one turn: each is a request. */
const EVICTIONS = 25;

export interface Takedown {
  readonly effects: readonly MachineEffect[];
  /** Condition Deleting, and since when what is waited for. */
  readonly deleting: Judgement;
  readonly deletion: Times | undefined;
  readonly again?: number;
  readonly isDone: boolean;
}

function hooksOf({ metadata }: Machine, prefix: string): string[] {
  const keys = Object.keys(metadata.annotations ?? {});
  return keys.filter((key) => key === prefix || key.startsWith(`${prefix}/`)).toSorted();
}

function has({ metadata }: Machine, annotation: string): boolean {
  return metadata.annotations?.[annotation] !== undefined;
}

/** The Machine's Node, by providerID or else by the name it had. */
export function lastNodeOf({ machine, nodes }: Pick<ObservedMachine, "machine" | "nodes">): string | undefined {
  return machine.status?.nodeRef?.name ?? nodeOf(nodes)?.metadata.name;
}

/** Why the Node is not to be touched; undefined when it is. */
export function nodeExemption(observed: Omit<ObservedMachine, "drain">): string | undefined {
  const { cluster, controlPlane, activeControlPlanes } = observed;
  if (cluster === undefined) return "the Cluster is gone";
  if (isDeleting(cluster)) return "the Cluster is being deleted";
  const control = objectOf(controlPlane);
  if (controlPlane?.is === "missing") return "the control plane is gone";
  if (control !== undefined && isDeleting(control)) return "the control plane is being deleted";
  if (lastNodeOf(observed) === undefined) return "there is no Node";
  const isExternal =
    control !== undefined &&
    (control["status"] as { externalManagedControlPlane?: unknown })?.externalManagedControlPlane === true;
  return activeControlPlanes === 0 && !isExternal ? "no control plane machine is left" : undefined;
}

function secondsOver(since: string | undefined, limit: number | undefined, now: number): boolean {
  return limit !== undefined && limit > 0 && since !== undefined && now - Date.parse(since) >= limit * 1000;
}

/** Whether pods or volumes on the Node matter now: who observes asks before it lists them. */
export function drainMatters(observed: Omit<ObservedMachine, "drain">, now: number): boolean {
  const { machine, infrastructure } = observed;
  if (!isDeleting(machine) || nodeExemption(observed) !== undefined || hooksOf(machine, PRE_DRAIN_HOOK).length > 0) return false;
  return !skipsDrain(machine, infrastructure, now) || !skipsVolumes(machine, infrastructure, now);
}

function isLate(machine: Machine, infrastructure: Look): boolean {
  const infra = objectOf(infrastructure);
  return machine.status?.deletion?.waitForPreTerminateHookStartTime !== undefined || infra === undefined || isDeleting(infra);
}

function skipsDrain(machine: Machine, infrastructure: Look, now: number): boolean {
  const limit = machine.spec?.deletion?.nodeDrainTimeoutSeconds;
  const isOver = secondsOver(machine.status?.deletion?.nodeDrainStartTime, limit, now);
  return has(machine, EXCLUDE_NODE_DRAINING) || isOver || isLate(machine, infrastructure);
}

function skipsVolumes(machine: Machine, infrastructure: Look, now: number): boolean {
  const limit = machine.spec?.deletion?.nodeVolumeDetachTimeoutSeconds;
  const isOver = secondsOver(machine.status?.deletion?.waitForNodeVolumeDetachStartTime, limit, now);
  return has(machine, EXCLUDE_VOLUME_DETACH) || isOver || isLate(machine, infrastructure);
}

export function takeDown(observed: ObservedMachine, now: number): Takedown {
  const { machine, infrastructure, bootstrap } = observed;
  const times: Times = machine.status?.deletion ?? {};
  const wait = (reason: string, message: string, more: Partial<Takedown> = {}): Takedown => ({
    effects: [],
    deleting: { status: "True", reason, message },
    deletion: Object.keys(times).length === 0 ? undefined : times,
    isDone: false,
    ...more,
  });
  if (nodeExemption(observed) === undefined) {
    const step = emptyNode(observed, times, wait, now);
    if (step !== undefined) return step;
  }
  const hooks = hooksOf(machine, PRE_TERMINATE_HOOK);
  if (hooks.length > 0) {
    const deletion = { ...times, waitForPreTerminateHookStartTime: times.waitForPreTerminateHookStartTime ?? timeOf(now) };
    return wait("WaitingForPreTerminateHook", `Waiting for pre-terminate hooks to succeed (hooks: ${hooks.join(",")})`, {
      deletion,
    });
  }
  const { namespace = "" } = machine.metadata;
  const { infrastructureRef, bootstrap: config } = machine.spec!;
  // Whether such an object is still there cannot be told.
  const refused = [infrastructure, bootstrap].find((look) => look?.is === "refused");
  if (refused?.is === "refused") return wait("WaitingForInfrastructureDeletion", refused.problem);
  if (objectOf(infrastructure) !== undefined) {
    const message = `Waiting for ${infrastructureRef.kind} ${infrastructureRef.name} to be deleted`;
    return wait("WaitingForInfrastructureDeletion", message, {
      effects: deleteExternal(infrastructure, infrastructureRef, namespace),
    });
  }
  if (bootstrap !== undefined && objectOf(bootstrap) !== undefined) {
    const message = `Waiting for ${config.configRef!.kind} ${config.configRef!.name} to be deleted`;
    return wait("WaitingForBootstrapDeletion", message, { effects: deleteExternal(bootstrap, config.configRef!, namespace) });
  }
  const step = removeNode(observed, wait, now);
  if (step !== undefined) return step;
  return wait("DeletionCompleted", "Deletion completed", { isDone: true });
}

type Wait = (reason: string, message: string, more?: Partial<Takedown>) => Takedown;

/** Undefined: the Node is as empty as it is going to be. */
function emptyNode(observed: ObservedMachine, times: Times, wait: Wait, now: number): Takedown | undefined {
  const { machine, infrastructure, nodes, drain } = observed;
  const hooks = hooksOf(machine, PRE_DRAIN_HOOK);
  if (hooks.length > 0) {
    const deletion = { ...times, waitForPreDrainHookStartTime: times.waitForPreDrainHookStartTime ?? timeOf(now) };
    return wait("WaitingForPreDrainHook", `Waiting for pre-drain hooks to succeed (hooks: ${hooks.join(",")})`, { deletion });
  }
  const node = nodeOf(nodes);
  // A Node that is not there any more has nothing on it.
  if (nodes.found !== undefined && nodes.problem === undefined && node === undefined) return undefined;
  const skipped = skipsDrain(machine, infrastructure, now);
  if (!skipped) {
    const deletion = { ...times, nodeDrainStartTime: times.nodeDrainStartTime ?? timeOf(now) };
    const step = drainNode(observed, node, (message, more) =>
      wait("DrainingNode", message, {
        deletion,
        again: untilOver(machine.spec?.deletion?.nodeDrainTimeoutSeconds, deletion.nodeDrainStartTime, now),
        ...more,
      }),
    );
    if (step !== undefined) return step;
  }
  if (skipsVolumes(machine, infrastructure, now) || node === undefined || isUnreachable(node)) return undefined;
  const volumes = drain?.volumes ?? [];
  if (drain === undefined || volumes.length === 0) return undefined;
  const since = times.waitForNodeVolumeDetachStartTime ?? timeOf(now);
  return wait("WaitingForVolumeDetach", `Waiting for volumes to be detached: ${volumes.slice(0, 5).join(", ")}`, {
    deletion: { ...times, waitForNodeVolumeDetachStartTime: since },
    again: untilOver(machine.spec?.deletion?.nodeVolumeDetachTimeoutSeconds, since, now),
  });
}

/** Milliseconds until the next look: as ever, or when the time is up if that is sooner. */
function untilOver(limit: number | undefined, since: string, now: number): number {
  if (limit === undefined || limit === 0) return RETRY;
  return Math.min(RETRY, Math.max(Date.parse(since) + limit * 1000 - now, 0));
}

function drainNode(
  observed: ObservedMachine,
  node: NodeFacts | undefined,
  wait: (message: string, more?: Partial<Takedown>) => Takedown,
): Takedown | undefined {
  const { machine, cluster, nodes, drain } = observed;
  if (nodes.problem !== undefined || node === undefined || drain === undefined)
    return wait(
      `Waiting for the workload cluster to be reached: ${nodes.problem ?? drain?.problem ?? "its Nodes are not known yet"}`,
    );
  const where = { namespace: machine.metadata.namespace ?? "", cluster: machine.spec!.clusterName };
  const effects: MachineEffect[] = [];
  if (node.spec?.unschedulable !== true) {
    const patch = { metadata: { resourceVersion: node.metadata.resourceVersion }, spec: { unschedulable: true } };
    effects.push({ do: "patch-node", ...where, node: node.metadata.name!, patch });
  }
  const unreachable = isUnreachable(node);
  const plan = planDrain(drain, machine, cluster?.metadata.labels ?? {}, unreachable);
  if (plan.evict.length > 0) {
    const pods = plan.evict.slice(0, EVICTIONS);
    const name = machine.metadata.name!;
    effects.push({ do: "evict", machine: name, ...where, pods, ...(unreachable ? { graceSeconds: LAST_GRACE } : {}) });
  }
  if (plan.waits.length === 0 && effects.length === 0) return undefined;
  return wait(`Drain not completed yet:\n${plan.waits.map((line) => `* ${line}`).join("\n")}`, { effects });
}

function deleteExternal(look: Look, reference: Reference, namespace: string): MachineEffect[] {
  const object = objectOf(look);
  if (object === undefined || isDeleting(object)) return [];
  return [{ do: "delete-external", namespace, reference, uid: object.metadata.uid ?? "" }];
}

function removeNode(observed: ObservedMachine, wait: Wait, now: number): Takedown | undefined {
  const { machine, nodes } = observed;
  if (nodeExemption(observed) !== undefined) return undefined;
  const node = lastNodeOf(observed);
  const isGone = nodes.found !== undefined && nodes.problem === undefined && nodes.found.length === 0;
  const limit = machine.spec?.deletion?.nodeDeletionTimeoutSeconds;
  // Its time has mostly gone into wiping by now: a cluster that answers is still told, and one that does not is given a moment.
  const isOver = secondsOver(machine.metadata.deletionTimestamp, limit, now);
  const isSilent = nodes.problem !== undefined && now - (nodes.since ?? 0) >= NODE_PATIENCE;
  if (node === undefined || isGone || (isOver && isSilent)) return undefined;
  const effect: MachineEffect = {
    do: "delete-node",
    namespace: machine.metadata.namespace ?? "",
    cluster: machine.spec!.clusterName,
    node,
  };
  const message = `Waiting for Node ${node} to be deleted${nodes.problem === undefined ? "" : `: ${nodes.problem}`}`;
  return wait("DeletingNode", message, { effects: nodes.problem === undefined ? [effect] : [], again: NODE_RETRY });
}
