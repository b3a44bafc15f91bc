/** Which of a deployment's sets makes the machines that are wanted now, and which revision that is (§2.6). */
import { REVISION } from "#kinds/cluster/keys.ts";
import type { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import type { MachineSet } from "#kinds/cluster/v1beta2/machine-set.ts";
import { createdAt, nameOf } from "../machines/machine.ts";
import { outdated } from "../machines/template.ts";

/** The set whose template is as wanted; of several the one with the most machines, then the oldest. */
export function currentSet({ spec }: MachineDeployment, sets: readonly MachineSet[], now: number): MachineSet | undefined {
  if (spec === undefined) return undefined;
  const after = Date.parse(spec.rollout?.after ?? "");
  const candidates = sets.filter(
    (set) =>
      set.metadata.deletionTimestamp === undefined &&
      set.spec !== undefined &&
      outdated(set.spec.template.spec, spec.template.spec).length === 0 &&
      !(after <= now && createdAt(set) < after),
  );
  return candidates.toSorted((a, b) => (b.spec?.replicas ?? 0) - (a.spec?.replicas ?? 0) || oldestFirst(a, b))[0];
}

export function oldestFirst(a: MachineSet, b: MachineSet): number {
  return createdAt(a) - createdAt(b) || (nameOf(a) < nameOf(b) ? -1 : 1);
}

export function revisionOf({ metadata }: MachineSet): number {
  return Number.parseInt(metadata.annotations?.[REVISION] ?? "", 10) || 0;
}
