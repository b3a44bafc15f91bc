/** How many machines a Cluster has, wants, and can rely on. */
import { findCondition } from "#schema/condition.ts";
import type { Condition } from "#schema/meta.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { JsonObject } from "#std/json.ts";
import { objectOf, specOf, statusOf, textOf } from "./external.ts";
import { isControlPlane, looseSets, looseWorkers, type ObservedCluster } from "./observed.ts";

export type Counts = NonNullable<NonNullable<Cluster["status"]>["workers"]>;
const FIELDS = ["desiredReplicas", "replicas", "upToDateReplicas", "readyReplicas", "availableReplicas"] as const;

function is(machine: Machine, type: string): boolean {
  return findCondition((machine.status?.conditions ?? []) as readonly Condition[], type)?.status === "True";
}

function ofMachines(machines: readonly Machine[]): Counts {
  const many = (isCounted: (machine: Machine) => boolean): number => machines.filter(isCounted).length;
  return {
    desiredReplicas: machines.length,
    replicas: machines.length,
    upToDateReplicas: many((machine) => is(machine, "UpToDate")),
    readyReplicas: many((machine) => is(machine, "Ready")),
    availableReplicas: many((machine) => is(machine, "Available")),
  };
}

function numberOf(part: JsonObject, field: string): number | undefined {
  const value = part[field];
  return typeof value === "number" ? value : undefined;
}

/** As the control plane itself counts, under either contract. */
export function controlPlaneCounts(observed: ObservedCluster): Counts | undefined {
  const object = objectOf(observed.controlPlane);
  if (observed.controlPlane === undefined) {
    const machines = observed.machines.filter(isControlPlane);
    return machines.length === 0
      ? undefined
      : { ...ofMachines(machines), ...versionsOf(machines.map(({ spec }) => [spec?.version, 1])) };
  }
  if (object === undefined) return undefined;
  const [spec, status] = [specOf(object), statusOf(object)];
  const desired = numberOf(spec, "replicas");
  const unavailable = numberOf(status, "unavailableReplicas");
  const counts = {
    desiredReplicas: desired,
    replicas: numberOf(status, "replicas"),
    upToDateReplicas: numberOf(status, "upToDateReplicas") ?? numberOf(status, "updatedReplicas"),
    readyReplicas: numberOf(status, "readyReplicas"),
    availableReplicas:
      numberOf(status, "availableReplicas") ??
      (desired === undefined || unavailable === undefined ? undefined : Math.max(desired - unavailable, 0)),
    ...(Array.isArray(status["versions"]) ? { versions: status["versions"] as Counts["versions"] } : {}),
  };
  const version = textOf(status, "version");
  const single =
    counts.versions === undefined && version !== undefined ? { versions: [{ version, replicas: counts.replicas ?? 0 }] } : {};
  return defined({ ...counts, ...single });
}

export function workerCounts(observed: ObservedCluster): Counts | undefined {
  const sets = [...observed.machineDeployments, ...looseSets(observed)];
  const loose = looseWorkers(observed);
  if (sets.length === 0 && loose.length === 0) return undefined;
  const parts = sets.map(({ spec, status }): Counts => defined({ ...status, desiredReplicas: spec?.replicas }));
  const all = [...parts, ...(loose.length === 0 ? [] : [ofMachines(loose)])];
  const sums = FIELDS.map((field) => [field, all.reduce((sum, part) => sum + (part[field] ?? 0), 0)] as const);
  const versions = versionsOf([
    ...sets.flatMap(({ status }) => (status?.versions ?? []).map(({ version, replicas }) => [version, replicas] as const)),
    ...loose.map(({ spec }) => [spec?.version, 1] as const),
  ]);
  return { ...Object.fromEntries(sums), ...versions };
}

function defined(counts: { [K in keyof Counts]?: Counts[K] | undefined }): Counts {
  return Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== undefined));
}

/** Oldest first. */
function versionsOf(list: readonly (readonly [version: string | undefined, replicas: number])[]): {
  versions?: NonNullable<Counts["versions"]>;
} {
  const sums = new Map<string, number>();
  for (const [version, replicas] of list) {
    if (version !== undefined && version !== "") sums.set(version, (sums.get(version) ?? 0) + replicas);
  }
  if (sums.size === 0) return {};
  return {
    versions: [...sums]
      .map(([version, replicas]) => ({ version, replicas }))
      .toSorted((a, b) => compareReleases(a.version, b.version)),
  };
}

const RELEASE = /^v?(\d+)\.(\d+)\.(\d+)(.*)$/;

/** By number, part by part; what is no release comes in the order of its text. */
export function compareReleases(a: string, b: string): number {
  const [first, second] = [RELEASE.exec(a), RELEASE.exec(b)];
  if (first === null || second === null) return a < b ? -1 : a > b ? 1 : 0;
  for (const part of [1, 2, 3]) {
    const difference = Number(first[part]) - Number(second[part]);
    if (difference !== 0) return difference;
  }
  const [before, after] = [first[4]!, second[4]!];
  // 1.34.0-rc.1 comes before 1.34.0.
  if (before === after) return 0;
  return before === "" ? 1 : after === "" ? -1 : before < after ? -1 : 1;
}
