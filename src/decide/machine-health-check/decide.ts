/** Which machines are unhealthy, and what is done about it (§2.7). */
import { CLUSTER_NAME } from "#kinds/cluster/keys.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { RemediationTemplateReference } from "#kinds/cluster/v1beta2/health-check.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { MachineHealthCheck } from "#kinds/cluster/v1beta2/machine-health-check.ts";
import type { Condition } from "#kinds/condition.ts";
import { findCondition, removeCondition, setCondition } from "#schema/condition.ts";
import type { JsonObject } from "#std/json.ts";
import { stamp } from "../lifecycle/time.ts";
import { pausedCondition, setAll } from "../machine-set/status.ts";
import { olderOf, withOlder } from "../machines/older.ts";
import { isDeleting, isFalse, nameOf } from "../machines/machine.ts";
import { type Limit, limitOf } from "./limit.ts";
import type { ObservedHealthCheck, Target } from "./observed.ts";
import { judge, type Verdict } from "./verdict.ts";

export type HealthCheckEffect =
  /** Merge patch of the check's own metadata. */
  | { readonly do: "mark-check"; readonly check: MachineHealthCheck; readonly metadata: JsonObject }
  | { readonly do: "tell"; readonly machine: Machine; readonly conditions: readonly Condition[] }
  /** Somebody else is asked, by an object made from the template. */
  | {
      readonly do: "request";
      readonly template: RemediationTemplateReference;
      readonly machine: Machine;
      readonly cluster: string;
    }
  | { readonly do: "withdraw"; readonly template: RemediationTemplateReference; readonly machine: Machine }
  | { readonly do: "warn"; readonly check: MachineHealthCheck; readonly message: string };

type Status = NonNullable<MachineHealthCheck["status"]>;

export interface HealthCheckDecision {
  readonly effects?: readonly HealthCheckEffect[];
  readonly status?: { readonly [K in keyof Status]?: Status[K] | undefined };
  readonly again?: number;
}

interface Judged {
  readonly target: Target;
  readonly verdict: Verdict;
}

export function decideHealthCheck(observed: ObservedHealthCheck, now: number): HealthCheckDecision {
  const { check, cluster, paused, targets, seesNodes } = observed;
  if (check.metadata.deletionTimestamp !== undefined || cluster === undefined) return {};
  const own = marks(check, cluster);
  if (own.length > 0) return { effects: own };
  if (paused !== undefined) return { status: { conditions: setAll(check.status?.conditions, [pausedCondition(paused)], now) } };
  const { checks = {}, remediation = {} } = check.spec ?? {};
  const judged = targets.map((target) => ({ target, verdict: judge(target, cluster, checks, seesNodes, now) }));
  const healthy = judged.filter(isHealthy).length;
  const limit = limitOf(remediation.triggerIf, targets.length, targets.length - healthy);
  const wait = Math.min(...judged.map(({ verdict }) => (verdict.is === "healthy" ? (verdict.again ?? Infinity) : Infinity)));
  return {
    effects: [
      ...judged.flatMap((each) => consequences(each, limit, remediation.templateRef, cluster, now)),
      ...(limit.isAllowed || isKnownRestricted(check) ? [] : [{ do: "warn", check, message: limit.problem } as const]),
    ],
    status: statusOf(observed, healthy, limit, now),
    ...(Number.isFinite(wait) ? { again: wait } : {}),
  };
}

/** What is unseen is what it was. */
function isHealthy({ target, verdict }: Judged): boolean {
  if (verdict.is !== "unseen") return verdict.is === "healthy";
  return !isFalse(target.machine, "HealthCheckSucceeded");
}

function consequences(
  { target, verdict }: Judged,
  limit: Limit,
  template: RemediationTemplateReference | undefined,
  cluster: Cluster,
  now: number,
): HealthCheckEffect[] {
  const { machine, request } = target;
  if (verdict.is === "unseen" || isDeleting(machine)) return [];
  const before = machine.status?.conditions ?? [];
  const conditions =
    verdict.is === "healthy" ? recovered(before, now) : failed(before, verdict, limit, template !== undefined, now);
  const effects: HealthCheckEffect[] = conditions === before ? [] : [{ do: "tell", machine, conditions }];
  if (template === undefined) return effects;
  if (verdict.is === "healthy") {
    if (request === "there") effects.push({ do: "withdraw", template, machine });
  } else if (limit.isAllowed && request === "missing") {
    effects.push({ do: "request", template, machine, cluster: cluster.metadata.name ?? "" });
  }
  return effects;
}

/** Nobody is to remedy it any more. */
function recovered(before: readonly Condition[], now: number): readonly Condition[] {
  const said = { type: "HealthCheckSucceeded", status: "True", reason: "HealthCheckSucceeded" } as const;
  const kept = removeCondition(removeCondition(before, "OwnerRemediated"), "ExternallyRemediated");
  return setCondition(kept, said, stamp(now));
}

function failed(
  before: readonly Condition[],
  { reason, message }: Extract<Verdict, { is: "unhealthy" }>,
  limit: Limit,
  isExternal: boolean,
  now: number,
): readonly Condition[] {
  const said = { type: "HealthCheckSucceeded", status: "False", reason, message } as const;
  const conditions = setCondition(before, said, stamp(now));
  const type = isExternal ? "ExternallyRemediated" : "OwnerRemediated";
  // Who remedies it goes on from there and says how far it has come.
  if (!limit.isAllowed || findCondition(conditions, type)?.status === "False") return conditions;
  const wait = { type, status: "False", reason: "WaitingForRemediation", message: "Waiting for remediation" } as const;
  return setCondition(conditions, wait, stamp(now));
}

function marks(check: MachineHealthCheck, cluster: Cluster): HealthCheckEffect[] {
  const { labels = {}, ownerReferences = [], resourceVersion = "" } = check.metadata;
  const name = cluster.metadata.name ?? "";
  const isOwned = ownerReferences.some(({ uid }) => uid === cluster.metadata.uid);
  if (isOwned && labels[CLUSTER_NAME] === name) return [];
  const owner = { apiVersion: cluster.apiVersion, kind: cluster.kind, name, uid: cluster.metadata.uid ?? "" };
  const owners = (isOwned ? ownerReferences : [...ownerReferences, owner]).map((each) => ({ ...each }));
  return [{ do: "mark-check", check, metadata: { resourceVersion, labels: { [CLUSTER_NAME]: name }, ownerReferences: owners } }];
}

function isKnownRestricted({ status }: MachineHealthCheck): boolean {
  return findCondition(status?.conditions ?? [], "RemediationAllowed")?.status === "False";
}

function statusOf({ check, targets }: ObservedHealthCheck, healthy: number, limit: Limit, now: number): Partial<Status> {
  const said = limit.isAllowed
    ? ({ type: "RemediationAllowed", status: "True", reason: "RemediationAllowed" } as const)
    : ({ type: "RemediationAllowed", status: "False", reason: "TooManyUnhealthy", message: limit.problem } as const);
  return {
    expectedMachines: targets.length,
    currentHealthy: healthy,
    remediationsAllowed: limit.left,
    observedGeneration: check.metadata.generation ?? 1,
    targets: targets.map(({ machine }) => nameOf(machine)).toSorted(),
    conditions: setAll(check.status?.conditions, [pausedCondition(undefined), said], now),
    deprecated: withOlder(check.status?.deprecated, [olderOf("RemediationAllowed", said, "True")], now),
  };
}
