/** Upgrades in place: another version of Kubernetes or of Talos comes to the machines as they run, one at a time, all of them well in between. */
import { stamp } from "../lifecycle/time.ts";
import type { Etcd } from "./etcd.ts";
import type { ControlPlaneEffect, ControlPlaneMachine, ObservedControlPlane, Wait } from "./machine.ts";
import { isFresh, seatOf, withV } from "./machine.ts";
import { isWhole } from "./scale.ts";
import type { Difference, Standing } from "./wanted.ts";

type Upgrade = NonNullable<ObservedControlPlane["status"]["upgrading"]>;

export interface Upgrading {
  /** On record before anything is done to the machine, until it is as wanted. */
  readonly record: Upgrade | undefined;
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

const IN_PLACE: readonly Difference[] = ["version", "talos"];
const NONE: Upgrading = { record: undefined, effects: [], isFor: () => false };

export function upgradingOf(observed: ObservedControlPlane, facts: UpgradeFacts, now: number): Upgrading {
  const { spec, status, nodes } = observed;
  if (spec.rolloutStrategy?.type !== "InPlace") return NONE;
  const { standing, etcd, isBusy } = facts;
  const due = standing.filter(
    ({ differences }) => differences.length > 0 && differences.every((each) => IN_PLACE.includes(each)),
  );
  const isFor = (machine: ControlPlaneMachine): boolean => due.some((each) => each.machine === machine);
  const begun = status.upgrading && standing.find(({ machine }) => machine.uid === status.upgrading?.uid);
  // What has come to differ otherwise meanwhile is replaced, and need not come to any version first.
  const isReplaced = begun !== undefined && begun.differences.length > 0 && !due.includes(begun);
  if (begun !== undefined && !isReplaced) {
    const { machine } = begun;
    const record = status.upgrading!;
    const step = due.includes(begun) ? stepOf(observed, begun, now) : undefined;
    const wait: Wait = {
      reason: "UpgradingInPlace",
      waitingFor: `Machine ${machine.name} to run ${record.to}`,
      next: "the next one",
    };
    if (step !== undefined) return { record, effects: step, wait, isFor };
    if (etcd === undefined || !isWhole(machine, etcd, nodes) || !runs(observed, machine))
      return {
        record,
        effects: [],
        wait: { ...wait, waitingFor: `Machine ${machine.name} to be well after its upgrade` },
        isFor,
      };
  }
  const first = due.toSorted(
    (a, b) => a.machine.createdAt - b.machine.createdAt || (a.machine.name < b.machine.name ? -1 : 1),
  )[0];
  if (first === undefined) return { ...NONE, isFor };
  const ill = etcd === undefined ? standing : standing.filter(({ machine }) => !isWhole(machine, etcd, nodes));
  if (isBusy || ill.length > 0) {
    const names = ill.map(({ machine }) => machine.name).join(", ");
    const waitingFor = ill.length > 0 ? `etcd and Kubernetes to be well on ${names}` : "a Machine to go";
    return {
      record: undefined,
      effects: [],
      wait: { reason: "WaitingForMembers", waitingFor, next: `Machine ${first.machine.name} is upgraded in place` },
      isFor,
    };
  }
  const { name: machine, uid } = first.machine;
  const to = first.differences.includes("talos") ? spec.rolloutStrategy.inPlace!.installer! : `Kubernetes ${withV(spec.version)}`;
  return { record: { machine, uid, to, since: stamp(now) }, effects: [], isFor };
}

/** Its Node says that it has come to the version; a Node that says nothing is believed. */
function runs({ spec, nodes = [] }: ObservedControlPlane, { nodeName }: ControlPlaneMachine): boolean {
  const version = nodes.find(({ name }) => name === nodeName)?.version;
  return version === undefined || version === withV(spec.version);
}

/** Talos first: a newer Kubernetes may need it. */
function stepOf(
  { spec }: ObservedControlPlane,
  { machine, differences }: Standing,
  now: number,
): ControlPlaneEffect[] | undefined {
  if (!isFresh(machine, now)) return [];
  const seat = seatOf(machine);
  if (differences.includes("talos")) return [{ do: "upgrade-talos", seat, installer: spec.rolloutStrategy!.inPlace!.installer! }];
  return [{ do: "upgrade-kubernetes", seat, version: withV(spec.version) }];
}
