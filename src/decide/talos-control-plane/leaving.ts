/**
 * How Machines that are being deleted, by whomever, leave etcd. A hook in their annotations holds them after their Node was drained and before
 * their server is wiped; it goes when their member is out, or when there was none. One member goes at a time, and none that etcd cannot do without.
 */
import type { Etcd } from "./etcd.ts";
import { memberOf } from "./etcd.ts";
import type { ControlPlaneEffect, ControlPlaneMachine, ObservedControlPlane, Proof, Wait } from "./machine.ts";
import { isFresh, LEAVE_HOOK, seatOf } from "./machine.ts";
import { whyKept } from "./quorum.ts";

export interface Leaving {
  readonly effects: readonly ControlPlaneEffect[];
  readonly wait?: Wait;
}

export function leavingOf(observed: ObservedControlPlane, etcd: Etcd | undefined, isBootstrapped: boolean, now: number): Leaving {
  // With the whole control plane goes its etcd.
  const isEnding = observed.isDeleting || observed.cluster?.isDeleting === true;
  // One that was let go and has started again since is a member again, until it is stopped.
  const isBack = ({ uid }: ControlPlaneMachine): boolean =>
    !isEnding && isBootstrapped && etcd !== undefined && memberOf(etcd, uid) !== undefined;
  const held = observed.machines.filter((machine) => machine.isDeleting && (isHeld(machine) || isBack(machine)));
  const free = held.filter(
    (machine) => isEnding || (isBootstrapped ? isOutside(machine, etcd, now) : isBlank(machine, observed)),
  );
  const proof = (machine: ControlPlaneMachine): Proof => {
    if (isEnding || (isBootstrapped && machine.addresses.length === 0)) return { of: "none" };
    if (!isBootstrapped)
      return { of: "blank", seats: observed.machines.filter(({ addresses }) => addresses.length > 0).map(seatOf) };
    const others = etcd === undefined ? [] : witnesses(observed.machines, etcd, machine.uid);
    return { of: "outside", addresses: machine.addresses, others };
  };
  const effects = free.map((machine): ControlPlaneEffect => {
    const { name, uid } = machine;
    return { do: "release", machine: name, uid, proof: proof(machine) };
  });
  const bound = held.filter((machine) => !free.includes(machine));
  const waits: Wait[] = [];
  // Members of Machines that are gone, and of those that do not take part, first: without them, others can more easily be done without.
  const stale = etcd === undefined ? undefined : staleOf(observed.machines, etcd);
  if (stale !== undefined && "do" in stale) return { effects: [...effects, stale] };
  for (const machine of bound.toSorted(
    (a, b) => Number(isWell(a, etcd)) - Number(isWell(b, etcd)) || (a.name < b.name ? -1 : 1),
  )) {
    const step = stepOf(machine, observed.machines, etcd, now);
    if ("do" in step) return { effects: [...effects, step], wait: leaves(machine) };
    waits.push(step);
  }
  const wait = waits[0] ?? stale;
  return { effects, ...(wait !== undefined && { wait }) };
}

function isHeld({ annotations }: ControlPlaneMachine): boolean {
  return annotations[LEAVE_HOOK] !== undefined;
}

/** It was never a member, or is none any more: etcd's own list says so, or it has never been given a server. */
function isOutside(machine: ControlPlaneMachine, etcd: Etcd | undefined, now: number): boolean {
  if (machine.addresses.length === 0 && machine.nodeName === undefined) return !machine.isConfigured;
  if (etcd === undefined) return false;
  if (memberOf(etcd, machine.uid) !== undefined || isJoining(machine, now)) return false;
  // One of the members that nobody claims may be this machine's, while it says nothing.
  const says = isFresh(machine, now) && (machine.facts.etcd !== undefined || machine.facts.hasEtcdData === false);
  return says || etcd.strangers.length === 0;
}

/** It is no member yet, and will be one as soon as it can: then it leaves. */
function isJoining(machine: ControlPlaneMachine, now: number): boolean {
  const { answeredAt, problem, services } = machine.facts;
  // It has come up this moment, and nobody has asked it yet.
  if (machine.isConfigured && answeredAt === undefined && problem === undefined) return true;
  const service = services?.find(({ id }) => id === "etcd");
  return isFresh(machine, now) && service !== undefined && JOINING.has(service.state);
}

const JOINING: ReadonlySet<string> = new Set(["Initialized", "Preparing", "Waiting", "Starting"]);

/** There is no etcd yet: it may go unless it is the one that may have brought it up by now, without anybody having seen that. */
function isBlank(machine: ControlPlaneMachine, { status }: ObservedControlPlane): boolean {
  if (status.bootstrap?.uid !== machine.uid) return true;
  return machine.facts.hasEtcdData === false || machine.facts.problem !== undefined || machine.addresses.length === 0;
}

function isWell(machine: ControlPlaneMachine, etcd: Etcd | undefined): boolean {
  const id = etcd && memberOf(etcd, machine.uid);
  return id !== undefined && etcd!.healthy.has(id);
}

function stepOf(
  machine: ControlPlaneMachine,
  machines: readonly ControlPlaneMachine[],
  etcd: Etcd | undefined,
  now: number,
): ControlPlaneEffect | Wait {
  const about = `Machine ${machine.name} is held`;
  const remedy = `to give up its etcd data, take the annotation ${LEAVE_HOOK} off the Machine`;
  if (etcd === undefined) {
    return { reason: "WaitingForEtcd", waitingFor: `etcd to answer with a quorum: ${about}`, next: "it leaves etcd", remedy };
  }
  const id = memberOf(etcd, machine.uid);
  if (id === undefined) {
    const names = etcd.strangers.map(({ hostname, id: stranger }) => hostname || stranger).join(", ");
    return {
      reason: "WaitingForEtcd",
      waitingFor: `Talos to answer on it, or for somebody to say whose etcd members ${names} are: ${about}`,
      remedy,
    };
  }
  if (!isDrained(machine))
    return { reason: "WaitingForDrain", waitingFor: `pods to leave Machine ${machine.name}`, next: "it leaves etcd" };
  const kept = whyKept(etcd.members, etcd.healthy, id);
  if (kept !== undefined)
    return {
      reason: "EtcdNeedsMember",
      waitingFor: `etcd to do without Machine ${machine.name}: ${kept}`,
      next: "it leaves etcd",
      remedy,
    };
  const others = witnesses(machines, etcd, machine.uid);
  const isAble = isFresh(machine, now) && etcd.healthy.has(id);
  if (isAble) return { do: "leave", member: id, seat: seatOf(machine), others };
  return { do: "remove-member", member: id, gone: { machine: machine.name, uid: machine.uid }, others };
}

/** The Machine's own controller has come to the hook: the Node is drained, or will not be. */
function isDrained(machine: ControlPlaneMachine): boolean {
  const { conditions, nodeName } = machine;
  if (nodeName === undefined || !isHeld(machine)) return true;
  const [deleting, hook] = ["Deleting", "PreTerminateDeleteHookSucceeded"].map((type) =>
    conditions.find((each) => each["type"] === type),
  );
  if (deleting?.["status"] === "True") return deleting["reason"] === "WaitingForPreTerminateHook";
  return hook?.["status"] === "False";
}

/** A member of a Machine that is gone without having left: somebody took the hook away, or its finalizer. */
function staleOf(machines: readonly ControlPlaneMachine[], etcd: Etcd): ControlPlaneEffect | Wait | undefined {
  const [entry] = etcd.stale;
  if (entry === undefined) return undefined;
  const kept = whyKept(etcd.members, etcd.healthy, entry.id);
  const { machine, uid } = entry;
  if (kept === undefined)
    return { do: "remove-member", member: entry.id, gone: { machine, uid }, others: witnesses(machines, etcd, uid) };
  return { reason: "EtcdNeedsMember", waitingFor: `a quorum to remove the member of Machine ${machine}, which is gone: ${kept}` };
}

/** Machines whose members take part; `but` is the uid of one that is not asked. */
export function witnesses(machines: readonly ControlPlaneMachine[], etcd: Etcd, but?: string): ReturnType<typeof seatOf>[] {
  return machines.filter((machine) => machine.uid !== but && isWell(machine, etcd)).map(seatOf);
}

function leaves({ name }: ControlPlaneMachine): Wait {
  return { reason: "LeavingEtcd", waitingFor: `Machine ${name} to leave etcd`, next: "its server is wiped" };
}
