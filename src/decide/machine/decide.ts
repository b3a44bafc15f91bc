/** What is to be done about a Machine now (§2.4). */
import { findCondition } from "#schema/condition.ts";
import type { Condition, KubeObject, OwnerReference } from "#schema/meta.ts";
import { CLUSTER_NAME, CONTROL_PLANE_NAME, POOL_NAME, SET_NAME } from "#kinds/cluster/keys.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { Conditions } from "../cluster/conditions.ts";
import type { Look, Reference } from "../cluster/external.ts";
import { hasDataSecret, isDeleting, isProvisioned, objectOf, specOf, statusOf, textOf } from "../cluster/external.ts";
import { controllerOf, groupOf, isSameOwner, ownedBy, owning } from "../cluster/owner.ts";
import { pausedOf } from "../cluster/pause.ts";
import { takeDown } from "./deletion.ts";
import { withoutAnnotations } from "./inline.ts";
import { nodePatch } from "./node.ts";
import type { MachineEffect, ObservedMachine } from "./observed.ts";
import type { MachineStatus } from "./status.ts";
import { least, machineStatus, nodeOf, NOT_DELETING } from "./status.ts";

export interface MachineDecision {
  readonly effects?: readonly MachineEffect[];
  readonly status?: MachineStatus;
  readonly again?: number;
  readonly finalized?: boolean;
}

export function decideMachine(observed: ObservedMachine, now: number): MachineDecision {
  const { machine, cluster, bootstrap, infrastructure, controlPlane } = observed;
  // What cannot be known yet is no reason to do anything; whoever waits for it is told.
  if ([bootstrap, infrastructure, controlPlane].some((look) => look?.is === "unknown")) return {};
  const deleting = isDeleting(machine);
  if (cluster === undefined && !deleting) return { status: withoutCluster(machine, now) };
  const paused = pausedOf(cluster, machine);
  if (paused.status === "True") {
    const conditions = new Conditions(machine.status ?? {}, machine.metadata.generation, now).say("Paused", paused);
    return { status: { conditions: [...conditions.list] } };
  }
  const patch = patchOf(observed);
  // Its own fields first: what follows is decided on what they say.
  if (patch !== undefined) return { effects: [patch] };
  const problems: string[] = [];
  const effects = [...ownEffects(observed, problems)];
  if (deleting) return withoutMachine(observed, effects, now);
  effects.push(...nodeEffects(observed));
  const { status, again } = machineStatus(observed, NOT_DELETING, now);
  effects.push(...tellings(machine, status));
  return {
    effects,
    status: problems.length === 0 ? status : withProblems(machine, status, problems, now),
    ...(again === undefined ? {} : { again }),
  };
}

function withoutMachine(observed: ObservedMachine, owned: readonly MachineEffect[], now: number): MachineDecision {
  const { effects, deleting, deletion, again, isDone } = takeDown(observed, now);
  const said = machineStatus(observed, { deleting, ...(deletion && { deletion }) }, now);
  const next = least(again, said.again);
  return {
    effects: [...owned, ...effects],
    status: said.status,
    finalized: isDone,
    ...(next === undefined || isDone ? {} : { again: next }),
  };
}

function withoutCluster(machine: Machine, now: number): MachineStatus {
  const message = `Cluster ${machine.spec?.clusterName} does not exist`;
  const judgement = { status: "Unknown", reason: "ObjectDoesNotExist", message } as const;
  const conditions = new Conditions(machine.status ?? {}, machine.metadata.generation, now)
    .sayBoth("InfrastructureReady", judgement)
    .sayBoth("Ready", { ...judgement, reason: "ReadyUnknown", message: `* InfrastructureReady: ${message}` });
  return {
    phase: machine.status?.phase ?? "Pending",
    conditions: [...conditions.list],
    deprecated: { v1beta1: { ...machine.status?.deprecated?.v1beta1, conditions: [...conditions.old] } },
  };
}

function withProblems(machine: Machine, status: MachineStatus, problems: readonly string[], now: number): MachineStatus {
  const before = { conditions: status.conditions ?? [], ...(status.deprecated && { deprecated: status.deprecated }) };
  const conditions = new Conditions(before, machine.metadata.generation, now).sayBoth("Ready", {
    status: "False",
    reason: "NotReady",
    message: problems.join("; "),
  });
  return {
    ...status,
    conditions: [...conditions.list],
    deprecated: { v1beta1: { ...status.deprecated?.v1beta1, conditions: [...conditions.old] } },
  };
}

/** Nobody's: not of a set, not of a pool, not of a control plane. */
function isStandalone(machine: Machine): boolean {
  const { labels = {} } = machine.metadata;
  return (
    controllerOf(machine) === undefined && [SET_NAME, POOL_NAME, CONTROL_PLANE_NAME].every((key) => labels[key] === undefined)
  );
}

/** What the Machine itself is to say: whose it is, its Secret, its providerID. */
function patchOf({ machine, cluster, bootstrap, infrastructure }: ObservedMachine): MachineEffect | undefined {
  const { namespace = "", name = "", resourceVersion = "", ownerReferences = [], labels = {} } = machine.metadata;
  const spec = machine.spec!;
  const clusterOwner = cluster && ownedBy(cluster, false);
  const isClusters = clusterOwner !== undefined && ownerReferences.some((each) => isSameOwner(each, clusterOwner));
  const standalone = clusterOwner !== undefined && (isClusters || isStandalone(machine));
  const ownership =
    isDeleting(machine) || !standalone
      ? labels[CLUSTER_NAME] === spec.clusterName
        ? undefined
        : { labels: { [CLUSTER_NAME]: spec.clusterName } }
      : owning(machine, plain(clusterOwner), spec.clusterName);
  const config = objectOf(bootstrap);
  const infra = objectOf(infrastructure);
  const secret =
    spec.bootstrap.dataSecretName === undefined && config !== undefined && hasDataSecret(config)
      ? textOf(statusOf(config), "dataSecretName")
      : undefined;
  // One that is given up half way may still come up and bring a Node, which is to be found.
  const isKnown = infra !== undefined && (isProvisioned(infra) || isDeleting(machine));
  const id = isKnown ? textOf(specOf(infra), "providerID") || undefined : undefined;
  const changed = {
    ...(secret === undefined ? {} : { bootstrap: { dataSecretName: secret } }),
    ...(id === undefined || id === spec.providerID ? {} : { providerID: id }),
  };
  if (typeof ownership === "string" || (ownership === undefined && Object.keys(changed).length === 0)) return undefined;
  return {
    do: "patch",
    namespace,
    name,
    patch: {
      metadata: { resourceVersion, ...ownership },
      ...(Object.keys(changed).length === 0 ? {} : { spec: changed }),
    },
  };
}

/** A Cluster owns, but does not control, what nobody made. */
function plain({ controller: _controller, blockOwnerDeletion: _block, ...reference }: OwnerReference): OwnerReference {
  return reference;
}

/** Its bootstrap and infrastructure objects are the Machine's, and no longer those of who made them. */
function* ownEffects({ machine, bootstrap, infrastructure }: ObservedMachine, problems: string[]): Generator<MachineEffect> {
  const maker = controllerOf(machine);
  const isGone = (reference: OwnerReference): boolean =>
    (reference.kind === "MachineSet" && groupOf(reference) === groupOf(machine)) ||
    (maker !== undefined && isSameOwner(reference, maker));
  const { clusterName, bootstrap: config, infrastructureRef } = machine.spec!;
  const pairs: (readonly [Look | undefined, Reference | undefined])[] = [
    [bootstrap, config.configRef],
    [infrastructure, infrastructureRef],
  ];
  for (const [look, reference] of pairs) {
    const object = objectOf(look);
    if (object === undefined || reference === undefined || isDeleting(object)) continue;
    const ownership = owning(object, ownedBy(machine, true), clusterName, isGone);
    if (typeof ownership === "string") problems.push(ownership);
    else if (ownership !== undefined) yield ownEffect(object, reference, ownership);
  }
}

function ownEffect(
  object: KubeObject,
  reference: Reference,
  ownership: Exclude<ReturnType<typeof owning>, string | undefined>,
): MachineEffect {
  const { namespace = "", resourceVersion = "" } = object.metadata;
  return { do: "own", namespace, reference, resourceVersion, ownership };
}

function nodeEffects({ machine, infrastructure, nodes, isOutdated }: ObservedMachine): MachineEffect[] {
  const node = nodes.problem === undefined ? nodeOf(nodes) : undefined;
  if (node === undefined || node.metadata.deletionTimestamp !== undefined) return [];
  const isInterruptible = statusOf(objectOf(infrastructure))["interruptible"] === true;
  const patch = nodePatch(node, { machine, isInterruptible, isOutdated });
  if (patch === undefined) return [];
  const { namespace = "" } = machine.metadata;
  return [{ do: "patch-node", namespace, cluster: machine.spec!.clusterName, node: node.metadata.name!, patch }];
}

/** What happens once. */
function* tellings(machine: Machine, status: MachineStatus): Generator<MachineEffect> {
  const about = withoutAnnotations(machine);
  const { nodeRef } = status;
  if (nodeRef !== undefined && machine.status?.nodeRef === undefined) {
    yield { do: "tell", about, type: "Normal", reason: "SuccessfulSetNodeRef", message: nodeRef.name };
  }
  const wasReady = findCondition((machine.status?.conditions ?? []) as readonly Condition[], "NodeHealthy")?.status;
  const isNow = findCondition((status.conditions ?? []) as readonly Condition[], "NodeHealthy");
  if (wasReady === "True" && isNow?.status === "False") {
    yield { do: "tell", about, type: "Warning", reason: isNow.reason, message: isNow.message };
  }
}
