/**
 * Machines that a MachineHealthCheck has given up: its condition OwnerRemediated asks the owner to replace them (§2.7). One at a time, and only
 * where etcd can do without; why not is said in that condition.
 */
import { findCondition, setCondition } from "#schema/condition.ts";
import type { Condition } from "#schema/meta.ts";
import { REMEDIATE_MACHINE } from "#kinds/cluster/keys.ts";
import { stamp } from "../lifecycle/time.ts";
import type { Etcd } from "./etcd.ts";
import { memberOf } from "./etcd.ts";
import { witnesses } from "./leaving.ts";
import type { ControlPlaneEffect, ControlPlaneMachine, ObservedControlPlane, Wait } from "./machine.ts";
import { whyKept } from "./quorum.ts";

export interface Remediation {
  /** Names of the Machines that are to be replaced. */
  readonly machines: readonly string[];
  readonly effects: readonly ControlPlaneEffect[];
  readonly wait?: Wait;
}

const OWNER_REMEDIATED = "OwnerRemediated";

export function remediationOf(
  observed: ObservedControlPlane,
  etcd: Etcd | undefined,
  isBootstrapped: boolean,
  now: number,
): Remediation {
  const asked = observed.machines.filter(isAsked).toSorted(inOrder);
  if (asked.length === 0) return { machines: [], effects: [] };
  const effects: ControlPlaneEffect[] = [];
  const waits: Wait[] = [];
  let isTaken = observed.machines.some(({ isDeleting }) => isDeleting);
  for (const machine of asked) {
    const verdict = isTaken ? DEFERRED : verdictOf(observed, machine, etcd, isBootstrapped);
    if (verdict.reason === "MachineDeleting") {
      isTaken = true;
      effects.push(...told(machine, verdict, now));
      const leaves = etcd && memberOf(etcd, machine.uid);
      const seats = etcd === undefined ? [] : witnesses(observed.machines, etcd);
      effects.push({
        do: "delete",
        machine: machine.name,
        uid: machine.uid,
        guard: { leaves: isBootstrapped ? leaves : undefined, seats },
      });
    } else {
      effects.push(...told(machine, verdict, now));
      const waitingFor = `Machine ${machine.name} to be replaced: ${verdict.message}`;
      waits.push({ reason: verdict.reason, waitingFor, ...(observed.machines.length === 1 && { remedy: REMEDY }) });
    }
  }
  return { machines: asked.map(({ name }) => name), effects, ...(waits[0] && { wait: waits[0] }) };
}

const REMEDY = `give it more machines first (spec.replicas), or take the annotation ${REMEDIATE_MACHINE} off the Machine if it has it`;

interface Verdict {
  readonly reason: "MachineDeleting" | "CannotBeRemediated" | "RemediationDeferred";
  readonly message: string;
}

const DEFERRED: Verdict = { reason: "RemediationDeferred", message: "another Machine of the control plane is on its way out" };

function isAsked({ isDeleting, conditions }: ControlPlaneMachine): boolean {
  const statusOf = (type: string): unknown => findCondition(conditions as unknown as Condition[], type)?.status;
  return !isDeleting && statusOf("HealthCheckSucceeded") === "False" && statusOf(OWNER_REMEDIATED) === "False";
}

/** Those that a person has marked, then the newest: they hold the least. */
function inOrder(a: ControlPlaneMachine, b: ControlPlaneMachine): number {
  const marked = ({ annotations }: ControlPlaneMachine): number => Number(annotations[REMEDIATE_MACHINE] !== undefined);
  return marked(b) - marked(a) || b.createdAt - a.createdAt || (a.name < b.name ? -1 : 1);
}

function verdictOf(
  { machines, status, mark }: ObservedControlPlane,
  machine: ControlPlaneMachine,
  etcd: Etcd | undefined,
  isBootstrapped: boolean,
): Verdict {
  const deleting: Verdict = { reason: "MachineDeleting", message: "the Machine is deleted, and another made" };
  const kept = (message: string): Verdict => ({ reason: "CannotBeRemediated", message });
  // Nothing is lost with it as long as the API server has never answered; a status that does not remember its beginning (a move, a backup) cannot tell.
  const isFirst = machines.length === 1 && status.bootstrap?.uid === machine.uid;
  if (!isBootstrapped && status.bootstrap === undefined && mark === undefined && machine.spec["providerID"] !== undefined)
    return kept("nothing is on record of its control plane's etcd, and it has been installed before: it may be a member");
  if (!isBootstrapped || (status.initialized !== true && isFirst)) return deleting;
  if (etcd === undefined) return kept("etcd does not answer with a quorum");
  const id = memberOf(etcd, machine.uid);
  if (id === undefined) {
    return etcd.strangers.length === 0
      ? deleting
      : kept("etcd has members that belong to no Machine, and one of them may be its");
  }
  const why = whyKept(etcd.members, etcd.healthy, id);
  return why === undefined ? deleting : kept(why);
}

function told(machine: ControlPlaneMachine, { reason, message }: Verdict, now: number): ControlPlaneEffect[] {
  const conditions = machine.conditions as unknown as readonly Condition[];
  const next = setCondition(conditions, { type: OWNER_REMEDIATED, status: "False", reason, message }, stamp(now));
  if (next === conditions) return [];
  return [
    { do: "conditions", machine: machine.name, resourceVersion: machine.resourceVersion, conditions: next as unknown as [] },
  ];
}
