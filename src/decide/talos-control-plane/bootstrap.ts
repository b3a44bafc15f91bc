/**
 * Who brings up etcd. Exactly one machine ever does: a second one would be a second, empty cluster. It is on record, in status and in metadata,
 * before it is told, and another one is only told when that one is gone and no machine there is has ever been a member.
 */
import { stamp } from "../lifecycle/time.ts";
import type { ControlPlaneEffect, ControlPlaneMachine, ObservedControlPlane, Wait } from "./machine.ts";
import { BOOTSTRAP_MARK, isFresh, seatOf } from "./machine.ts";

type Record = NonNullable<ObservedControlPlane["status"]["bootstrap"]>;

export interface Bootstrapping {
  /** There is an etcd, or has been one. */
  readonly isDone: boolean;
  readonly record: Record | undefined;
  /** What the metadata should say. */
  readonly mark: string | undefined;
  readonly effects: readonly ControlPlaneEffect[];
  readonly wait?: Wait;
}

const DONE = "bootstrapped";
const BEGUN = "bootstrapping ";

export function bootstrapOf(observed: ObservedControlPlane, now: number): Bootstrapping {
  const bootstrapping = choose(observed, now);
  // It would join as soon as there is an etcd, have a vote, and be wiped with it.
  const leaving = observed.machines.find(({ isDeleting, isConfigured }) => isDeleting && isConfigured);
  if (leaving === undefined || bootstrapping.effects.length === 0) return bootstrapping;
  const wait = {
    reason: "WaitingForMachines",
    waitingFor: `Machine ${leaving.name} to be gone: it has its configuration, and could still join etcd`,
    next: "etcd is brought up",
  };
  return { ...bootstrapping, effects: [], wait };
}

function choose(observed: ObservedControlPlane, now: number): Bootstrapping {
  const { status, mark, machines, spec } = observed;
  const record = status.bootstrap;
  const isSeen =
    (observed.nodes?.length ?? 0) > 0 ||
    machines.some(({ facts, nodeName }) => facts.etcd !== undefined || facts.hasEtcdData === true || nodeName !== undefined);
  if (isSeen || status.bootstrapped === true || status.initialized === true || mark === DONE) {
    return { isDone: true, record, mark: DONE, effects: [] };
  }
  if (spec.controlPlaneConfig.init !== undefined) return { ...NOTHING, wait: INIT };
  const living = machines.filter(({ isDeleting }) => !isDeleting);
  const chosen = living.find(({ uid, name }) => (record === undefined ? mark === `${BEGUN}${name}` : uid === record.uid));
  if (chosen !== undefined) return order(observed, chosen, record, now);
  const isLost = record !== undefined || mark !== undefined;
  const blank = living.filter((machine) => isBlank(machine, now));
  if (isLost && (blank.length === 0 || blank.length < machines.length)) return { ...NOTHING, record, mark, wait: LOST };
  const silent = machines.find((machine) => machine.spec["providerID"] !== undefined && !isBlank(machine, now));
  if (silent !== undefined && blank.length > 0) return { ...NOTHING, record, mark, wait: mayBeMember(silent) };
  const first = blank.toSorted((a, b) => a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1))[0];
  return first === undefined ? { ...NOTHING, wait: waitFor(living) } : order(observed, first, undefined, now);
}

const NOTHING = { isDone: false, record: undefined, mark: undefined, effects: [] } as const;
const INIT: Wait = {
  reason: "WaitingForTalosBoot",
  waitingFor: "the init machine to bring up etcd by itself",
  next: "the other machines join it",
};
const SAY_SO = `if it has an etcd already, say so: annotate the TalosControlPlane with ${BOOTSTRAP_MARK}=${DONE}`;
const LOST: Wait = {
  reason: "WaitingForTalosBoot",
  waitingFor: "every machine to answer: the one that was told to bring up etcd is gone",
  next: "another one is told, if none of them has been a member of etcd",
  remedy: SAY_SO,
};

/**
 * It has been there before. A control plane that was moved or restored from elsewhere has nothing on record: its members may be silent while a new
 * machine answers already.
 */
function mayBeMember({ name, facts: { problem } }: ControlPlaneMachine): Wait {
  return {
    reason: "WaitingForTalosBoot",
    waitingFor: `Machine ${name} to answer${problem === undefined ? "" : ` (${problem})`}: it has been installed before, and may be a member of etcd`,
    next: "etcd is brought up, if none of the machines has been a member of one",
    remedy: SAY_SO,
  };
}

function waitFor(living: readonly ControlPlaneMachine[]): Wait {
  const [machine] = living;
  if (machine === undefined) return { reason: "WaitingForMachines", waitingFor: "its first machine to be made" };
  const problem = living.find(({ facts }) => facts.problem !== undefined)?.facts.problem;
  return {
    reason: "WaitingForTalosBoot",
    waitingFor: `Talos to answer on one of ${living.length} machines${problem === undefined ? "" : ` (${problem})`}`,
    next: "the first one that answers is told to bring up etcd",
  };
}

/** Talos answers, and has never had a member of etcd. */
function isBlank(machine: ControlPlaneMachine, now: number): boolean {
  return isFresh(machine, now) && machine.facts.hasEtcdData === false && machine.config?.generateType !== "init";
}

/** On record first; the call comes with a later look, when both records are seen. */
function order(
  observed: ObservedControlPlane,
  machine: ControlPlaneMachine,
  record: Record | undefined,
  now: number,
): Bootstrapping {
  const { name, uid } = machine;
  const mark = `${BEGUN}${name}`;
  const written = record ?? { machine: name, uid, at: stamp(now) };
  const base = { isDone: false, record: written, mark };
  if (record === undefined || observed.mark !== mark) return { ...base, effects: [] };
  if (!isBlank(machine, now)) {
    const problem = machine.facts.problem === undefined ? "" : ` (${machine.facts.problem})`;
    return {
      ...base,
      effects: [],
      wait: {
        reason: "WaitingForTalosBoot",
        waitingFor: `Talos to answer on ${name}${problem}`,
        next: "it is told to bring up etcd",
      },
    };
  }
  const others = observed.machines.filter((other) => other.uid !== uid && other.addresses.length > 0).map(seatOf);
  return {
    ...base,
    effects: [{ do: "bootstrap", seat: seatOf(machine), others }],
    wait: { reason: "WaitingForTalosBoot", waitingFor: `etcd to come up on ${name}`, next: "the other machines join it" },
  };
}
