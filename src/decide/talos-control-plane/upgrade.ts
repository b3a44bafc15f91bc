/**
 * Upgrades in place: another version of Talos or Kubernetes comes to the machines as they run, one at a time, all of them well in between. Talos comes first, as a newer
 * Kubernetes may need it; then the control plane on all machines, then the kubelets, which may not be newer than an API server.
 */
import { parse, stamp } from "../lifecycle/time.ts";
import type { Etcd } from "./etcd.ts";
import type { ControlPlaneEffect, ControlPlaneMachine, ObservedControlPlane, Wait } from "./machine.ts";
import { COMPONENTS_ANNOTATION, isFresh, seatOf } from "./machine.ts";
import { withV } from "../version.ts";
import { isWhole } from "./scale.ts";
import type { Difference, Standing } from "./wanted.ts";

type Record = NonNullable<ObservedControlPlane["status"]["upgrading"]>;

export interface Upgrading {
  /** On record before anything is done to the machine, until it is well again. */
  readonly record: Record | undefined;
  /** The same once the effects have run. */
  readonly done?: Record;
  readonly effects: readonly ControlPlaneEffect[];
  readonly wait?: Wait;
  /** What makes the Machine other than wanted will be changed in place. */
  isFor(machine: ControlPlaneMachine): boolean;
}

export interface UpgradeFacts {
  readonly standing: readonly Standing[];
  readonly etcd: Etcd | undefined;
  /** A Machine is on its way out, or given up. */
  readonly isBusy: boolean;
}

interface Step {
  readonly machine: ControlPlaneMachine;
  readonly to: string;
  readonly effect: ControlPlaneEffect;
}

const IN_PLACE: readonly Difference[] = ["version", "talos"];
const NONE: Upgrading = { record: undefined, effects: [], isFor: () => false };
/** Milliseconds in which what a machine was told begins to show, and after which it is told again. */
const SETTLE = 60_000;
const PATIENCE = 15 * 60_000;

export function upgradingOf(observed: ObservedControlPlane, facts: UpgradeFacts, now: number): Upgrading {
  const { spec, status } = observed;
  if (spec.rolloutStrategy?.type !== "InPlace") return NONE;
  const { standing, etcd, isBusy } = facts;
  const due = standing.filter(
    ({ differences }) => differences.length > 0 && differences.every((each) => IN_PLACE.includes(each)),
  );
  const isFor = (machine: ControlPlaneMachine): boolean => due.some((each) => each.machine === machine);
  const steps = due.flatMap((each) => stepOf(observed, each, standing));
  const record = status.upgrading;
  const begun = record && standing.find(({ machine }) => machine.uid === record.uid);
  // What has come to differ otherwise meanwhile is replaced, and need not come to any version first.
  const isReplaced = begun !== undefined && begun.differences.length > 0 && !due.includes(begun);
  if (record !== undefined && begun !== undefined && !isReplaced) {
    const step = steps.find(({ machine, to }) => machine === begun.machine && to === record.to);
    const going = goOn(observed, record, begun.machine, step, etcd, now);
    if (going !== undefined) return { ...going, isFor };
  }
  const [first] = steps.toSorted(
    (a, b) => a.machine.createdAt - b.machine.createdAt || (a.machine.name < b.machine.name ? -1 : 1),
  );
  if (first === undefined) return { ...NONE, isFor };
  const ill = etcd === undefined ? standing : standing.filter(({ machine }) => !isWhole(machine, etcd, observed.nodes));
  if (isBusy || ill.length > 0) {
    const names = ill.map(({ machine }) => machine.name).join(", ");
    const waitingFor = ill.length > 0 ? `etcd and Kubernetes to be well on ${names}` : "a Machine to go";
    const next = `Machine ${first.machine.name} is upgraded in place`;
    return { record: undefined, effects: [], wait: { reason: "WaitingForMembers", waitingFor, next }, isFor };
  }
  const { name: machine, uid } = first.machine;
  return { record: { machine, uid, to: first.to, since: stamp(now) }, effects: [], isFor };
}

/** Undefined: the machine has come to what it was to come to, and is well. */
function goOn(
  { nodes, spec }: ObservedControlPlane,
  record: Record,
  machine: ControlPlaneMachine,
  step: Step | undefined,
  etcd: Etcd | undefined,
  now: number,
): Omit<Upgrading, "isFor"> | undefined {
  const called = parse(record.calledAt);
  const wait: Wait = {
    reason: "UpgradingInPlace",
    waitingFor: `Machine ${machine.name} to come to ${record.to}`,
    next: "the next one",
  };
  if (step !== undefined && !(now - called < PATIENCE)) {
    if (!isFresh(machine, now)) return { record, effects: [], wait };
    return { record, done: { ...record, calledAt: stamp(now) }, effects: [step.effect], wait };
  }
  if (step !== undefined || now - called < SETTLE) return { record, effects: [], wait };
  const isWell = etcd !== undefined && isWhole(machine, etcd, nodes);
  if (!isWell)
    return { record, effects: [], wait: { ...wait, waitingFor: `Machine ${machine.name} to be well after its upgrade` } };
  const node = nodes?.find(({ name }) => name === machine.nodeName);
  const version = withV(spec.version);
  if (record.to === kubeletOf(version) && node?.version !== undefined && node.version !== version)
    return { record, effects: [], wait };
  if (record.to !== componentsOf(version) || node === undefined || record.confirmed === true) return undefined;
  return {
    record,
    done: { ...record, confirmed: true },
    effects: [{ do: "confirm-components", node: node.name, version }],
    wait,
  };
}

const componentsOf = (version: string): string => `Kubernetes ${version}`;
const kubeletOf = (version: string): string => `kubelet ${version}`;

function stepOf({ spec }: ObservedControlPlane, { machine, differences }: Standing, standing: readonly Standing[]): Step[] {
  const seat = seatOf(machine);
  if (differences.includes("talos")) {
    const installer = spec.rolloutStrategy!.inPlace!.installer!;
    return [{ machine, to: installer, effect: { do: "upgrade-talos", seat, installer } }];
  }
  const version = withV(spec.version);
  if (standing.some((each) => each.differences.includes("talos"))) return [];
  if (machine.annotations[COMPONENTS_ANNOTATION] !== version) {
    return [{ machine, to: componentsOf(version), effect: { do: "upgrade-kubernetes", seat, version, part: "control-plane" } }];
  }
  const isAllThere = standing.every(
    (each) => !each.differences.includes("version") || each.machine.annotations[COMPONENTS_ANNOTATION] === version,
  );
  return isAllThere
    ? [{ machine, to: kubeletOf(version), effect: { do: "upgrade-kubernetes", seat, version, part: "kubelet" } }]
    : [];
}
