/** Which unhealthy machines are replaced now (§2.5). A health check has marked them; how many at a time is the deployment's to say. */
import { REMEDIATE_MACHINE, REVISION } from "#kinds/cluster/keys.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { createdAt, hasAnnotation, isDeleting, isFalse, nameOf } from "../machines/machine.ts";
import { shareOf } from "../machines/share.ts";
import type { ObservedMachineSet } from "./observed.ts";

/** Marked for its owner to replace, which is under way or still to be done. */
export function isToBeRemediated(machine: Machine): boolean {
  return isFalse(machine, "HealthCheckSucceeded") && isFalse(machine, "OwnerRemediated");
}

/** Asked for by a person first, then the newest: it has the least to lose. */
export function machinesToRemediate({ set, deployment, machines }: ObservedMachineSet): Machine[] {
  if (!isCurrent(set, deployment)) return [];
  const marked = machines.filter(isToBeRemediated);
  const waiting = marked.filter((machine) => !isDeleting(machine)).toSorted(inOrder);
  const most = deployment?.spec?.remediation?.maxInFlight;
  if (most === undefined) return waiting;
  const inFlight = marked.length - waiting.length;
  const limit = shareOf(most, deployment?.spec?.replicas ?? 1, "up");
  return waiting.slice(0, Math.max(limit - inFlight, 0));
}

/** Machines of older sets are about to go anyway. */
function isCurrent(set: ObservedMachineSet["set"], deployment: ObservedMachineSet["deployment"]): boolean {
  return deployment === undefined || set.metadata.annotations?.[REVISION] === deployment.metadata.annotations?.[REVISION];
}

function inOrder(a: Machine, b: Machine): number {
  const asked = (machine: Machine): number => (hasAnnotation(machine, REMEDIATE_MACHINE) ? 0 : 1);
  return asked(a) - asked(b) || createdAt(b) - createdAt(a) || (nameOf(a) < nameOf(b) ? -1 : 1);
}
