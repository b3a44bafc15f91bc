/** Which machines go when there are too many (§2.5). */
import { DELETE_MACHINE } from "#kinds/cluster/keys.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { createdAt, hasAnnotation, isDeleting, isFalse, isTrue, nameOf } from "../machines/machine.ts";

export type DeletionOrder = "Random" | "Newest" | "Oldest";

/** Cluster API's weights: what is above 50 goes whatever the order says. */
const DELETING = 100;
const WANTED = 80;
const UPDATING = 75;
const UNHEALTHY = 50;
const RANDOM = 20;
/** Seconds: ten days, after which age hardly counts any more. */
const AGE = 864_000;

/** The first `count` of those that are to go, the most fitting first; ones that are being deleted already are among them. */
export function machinesToDelete(machines: readonly Machine[], count: number, order: DeletionOrder, now: number): Machine[] {
  const rated = machines.map((machine) => ({ machine, priority: priorityOf(machine, order, now), name: nameOf(machine) }));
  const sorted = rated.toSorted((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1));
  return sorted.slice(0, Math.max(count, 0)).map(({ machine }) => machine);
}

function priorityOf(machine: Machine, order: DeletionOrder, now: number): number {
  if (isDeleting(machine)) return DELETING;
  if (hasAnnotation(machine, DELETE_MACHINE)) return WANTED;
  if (isTrue(machine, "Updating")) return UPDATING;
  if (!isHealthy(machine)) return UNHEALTHY;
  if (order === "Random") return RANDOM;
  const seconds = Math.max(now - createdAt(machine), 0) / 1000;
  const oldness = UNHEALTHY * (1 - Math.exp(-seconds / AGE));
  return order === "Oldest" ? oldness : UNHEALTHY - oldness;
}

export function isHealthy(machine: Machine): boolean {
  return machine.status?.nodeRef !== undefined && !isFalse(machine, "NodeHealthy") && !isFalse(machine, "HealthCheckSucceeded");
}
