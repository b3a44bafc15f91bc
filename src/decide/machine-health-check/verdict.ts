/** Whether a machine is healthy, and until when that is known (§2.7). */
import { CONTROL_PLANE, REMEDIATE_MACHINE } from "#kinds/cluster/keys.ts";
import type { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import type { MachineHealthCheck } from "#kinds/cluster/v1beta2/machine-health-check.ts";
import { findCondition } from "#schema/condition.ts";
import { parse, SECOND } from "../lifecycle/time.ts";
import { conditionOf, createdAt, hasAnnotation } from "../machines/machine.ts";
import type { Target } from "./observed.ts";

export type Verdict =
  /** `again`: milliseconds until what is wrong with it has lasted too long. */
  | { readonly is: "healthy"; readonly again?: number }
  | { readonly is: "unhealthy"; readonly reason: string; readonly message: string }
  /** Its Node cannot be seen: what was said before stays. */
  | { readonly is: "unseen" };

/** Seconds. */
const STARTUP = 600;

type Checks = NonNullable<NonNullable<MachineHealthCheck["spec"]>["checks"]>;

export function judge(target: Target, cluster: Cluster, checks: Checks, seesNodes: boolean, now: number): Verdict {
  const { machine, node } = target;
  if (hasAnnotation(machine, REMEDIATE_MACHINE))
    return unhealthy("HasRemediateMachineAnnotation", "Marked for remediation via remediate-machine annotation");
  if (!isToBeJudged(target, cluster)) return { is: "healthy" };

  const waits = new Waits(now);
  for (const { type, status, timeoutSeconds } of checks.unhealthyMachineConditions ?? []) {
    const found = conditionOf(machine, type);
    if (found?.status !== status) continue;
    if (waits.isOver(parse(found.lastTransitionTime), timeoutSeconds))
      return unhealthy(
        "UnhealthyMachine",
        `Condition ${type} on Machine is reporting status ${status} for more than ${timeoutSeconds}s`,
      );
  }
  if (machine.status?.nodeRef === undefined) {
    const seconds = checks.nodeStartupTimeoutSeconds ?? STARTUP;
    if (seconds > 0 && waits.isOver(startedAt(target, cluster), seconds))
      return unhealthy("NodeStartupTimeout", `Node failed to report startup in ${seconds}s`);
    return waits.healthy();
  }
  if (!seesNodes) return { is: "unseen" };
  if (node === undefined) return unhealthy("NodeDeleted", `Node ${machine.status.nodeRef.name} has been deleted`);
  for (const { type, status, timeoutSeconds } of checks.unhealthyNodeConditions ?? []) {
    const found = node.conditions.find((condition) => condition.type === type);
    if (found?.status !== status) continue;
    if (waits.isOver(parse(found.lastTransitionTime), timeoutSeconds))
      return unhealthy(
        "UnhealthyNode",
        `Condition ${type} on Node is reporting status ${status} for more than ${timeoutSeconds}s`,
      );
  }
  return waits.healthy();
}

/** Before its cluster is up, a machine cannot be blamed. */
function isToBeJudged({ machine }: Target, { status }: Cluster): boolean {
  const { infrastructureProvisioned, controlPlaneInitialized } = status?.initialization ?? {};
  if (infrastructureProvisioned !== true) return false;
  return controlPlaneInitialized === true || machine.metadata.labels?.[CONTROL_PLANE] !== undefined;
}

/** From when on its Node could have come: the last of all that it needs. */
function startedAt({ machine }: Target, { status }: Cluster): number {
  const isTrueSince = (conditions: Cluster["status"] & {}, type: string): number => {
    const condition = findCondition(conditions.conditions ?? [], type);
    return condition?.status === "True" ? parse(condition.lastTransitionTime) : 0;
  };
  return Math.max(
    createdAt(machine),
    isTrueSince(status ?? {}, "ControlPlaneInitialized"),
    isTrueSince(status ?? {}, "InfrastructureReady"),
    isTrueSince({ conditions: machine.status?.conditions ?? [] }, "InfrastructureReady"),
  );
}

function unhealthy(reason: string, message: string): Verdict {
  return { is: "unhealthy", reason, message };
}

/** Collects when the next of several timeouts is over. */
class Waits {
  readonly #now: number;
  #next = Number.POSITIVE_INFINITY;

  constructor(now: number) {
    this.#now = now;
  }

  isOver(since: number, seconds: number): boolean {
    const left = since + seconds * SECOND - this.#now;
    if (left < 0) return true;
    // A second more: times of conditions have no fractions.
    if (!Number.isNaN(left)) this.#next = Math.min(this.#next, left + SECOND);
    return false;
  }

  healthy(): Verdict {
    return Number.isFinite(this.#next) ? { is: "healthy", again: this.#next } : { is: "healthy" };
  }
}
