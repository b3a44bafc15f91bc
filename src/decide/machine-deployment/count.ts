/** A MachineSet as numbers, and what they are to become: all that scaling looks at. */
import type { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { createdAt, nameOf } from "../machines/machine.ts";
import { shareOf } from "../machines/share.ts";

export interface SetCount {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** How many it is to have. */
  readonly spec: number;
  /** How many there are, those being deleted among them. */
  readonly status: number;
  readonly available: number;
}

export interface Fleet {
  readonly replicas: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
  /** The set whose machines are as wanted; one that is yet to be made has no machines. */
  readonly current: SetCount;
  /** Oldest first. */
  readonly old: readonly SetCount[];
}

/** How many each set is to have, by name; those that stay as they are are not named. */
export type Plan = ReadonlyMap<string, number>;

export function countOf(set: MachineSet): SetCount {
  const { replicas = 0, availableReplicas = 0 } = set.status ?? {};
  return {
    name: nameOf(set),
    created: createdAt(set),
    spec: set.spec?.replicas ?? 0,
    status: replicas,
    available: availableReplicas,
  };
}

/** Name of a set that is yet to be made. */
export const NEW = "";
export const NOT_YET: SetCount = { name: NEW, created: Number.POSITIVE_INFINITY, spec: 0, status: 0, available: 0 };

export function sumOf(sets: readonly SetCount[], of: (set: SetCount) => number): number {
  return sets.reduce((sum, set) => sum + of(set), 0);
}

/** How many a set stands for: what it is to have, or what is still there. */
export function sizeOf({ spec, status }: SetCount): number {
  return Math.max(spec, status);
}

/** Machines that may be there too many, and be missing, while others are replaced (§2.2). */
export function boundsOf({ spec }: MachineDeployment): { readonly maxSurge: number; readonly maxUnavailable: number } {
  const { strategy } = spec?.rollout ?? {};
  const replicas = spec?.replicas ?? 1;
  if (strategy?.type === "OnDelete") return { maxSurge: 0, maxUnavailable: 0 };
  const maxSurge = shareOf(strategy?.rollingUpdate?.maxSurge ?? 1, replicas, "up");
  const maxUnavailable = shareOf(strategy?.rollingUpdate?.maxUnavailable ?? 0, replicas, "down");
  // With neither, nothing could ever begin.
  return { maxSurge, maxUnavailable: maxSurge + maxUnavailable === 0 ? 1 : Math.min(maxUnavailable, replicas) };
}
