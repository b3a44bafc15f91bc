/** How many Machines there are of each sort, in the terms of both contracts. */
import { withV } from "../version.ts";
import type { ControlPlaneMachine, ObservedControlPlane } from "./machine.ts";

export interface Counts {
  readonly desired: number;
  readonly replicas: number;
  readonly ready: number;
  readonly upToDate: number;
  /** Lowest first. */
  readonly versions: readonly { readonly version: string; readonly replicas: number }[];
}

export function countsOf({ spec, machines, nodes = [] }: ObservedControlPlane, outdated: readonly ControlPlaneMachine[]): Counts {
  const ready = nodes.filter(({ isReady }) => isReady).length;
  const byVersion = Map.groupBy(machines, ({ version }) => (version === undefined ? "" : withV(version)));
  const versions = [...byVersion]
    .filter(([version]) => version !== "")
    .map(([version, list]) => ({ version, replicas: list.length }));
  return {
    desired: spec.replicas ?? 1,
    replicas: machines.length,
    ready: Math.min(ready, machines.length),
    upToDate: machines.filter((machine) => !outdated.includes(machine)).length,
    versions: versions.toSorted((a, b) => compareSemver(a.version, b.version)),
  };
}

export function statusOf({ desired, replicas, ready, upToDate, versions }: Counts) {
  return {
    replicas,
    readyReplicas: ready,
    availableReplicas: ready,
    unavailableReplicas: Math.max(0, desired - ready),
    updatedReplicas: upToDate,
    upToDateReplicas: upToDate,
    version: versions[0]?.version,
    versions: versions.map((each) => ({ ...each })),
  };
}

/** Semver 2.0 §11, of versions with a `v`; build metadata does not count. */
export function compareSemver(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => /^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?/.exec(text));
  if (!left || !right) return a < b ? -1 : a > b ? 1 : 0;
  for (const i of [1, 2, 3]) {
    const difference = Number(left[i]) - Number(right[i]);
    if (difference !== 0) return difference;
  }
  const [before, after] = [left[4], right[4]];
  if (before === after) return 0;
  if (before === undefined) return 1;
  if (after === undefined) return -1;
  return comparePre(before.split("."), after.split("."));
}

function comparePre(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [x, y] = [a[i], b[i]];
    if (x === undefined) return -1;
    if (y === undefined) return 1;
    if (x === y) continue;
    const [isX, isY] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (isX && isY) return Number(x) - Number(y);
    if (isX !== isY) return isX ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}
