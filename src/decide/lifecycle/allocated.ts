/** A machine that somebody holds: it is booted into its Environment once, and afterwards kept on. What is on its disks is theirs. */
import type { Goal } from "./action.ts";
import { actionTime, isFor } from "./action.ts";
import { holdOf, keptOff } from "./hold.ts";
import { isInstalled, isOtherHolder } from "./installed.ts";
import type { Binding, Changes, Course, Machine, Wait } from "./machine.ts";
import { isBeingWritten, withdrawn, writtenUntil } from "./order.ts";
import { MOST_BOOTS, MOST_TRIES, startingUntil } from "./pace.ts";
import { pursue } from "./pursue.ts";
import { agentOf, startOf } from "./start.ts";
import { requestCommand } from "./told.ts";
import { MINUTE, parse } from "./time.ts";

/** An installation over a slow network; later, somebody should look. */
const INSTALLATION = 30 * MINUTE;

export function allocated(machine: Machine, binding: Binding, now: number): Course {
  const { record, settings } = machine;
  if (isBeingWritten(machine, now)) {
    const deadline = writtenUntil(record.wipe!, settings.rebootTimeout);
    const waitingFor = "its agent to end wiping, which had begun before it was allocated";
    return { phase: "Allocated", waiting: { reason: "WipeUnderWay", waitingFor, deadline, next: "booted into its Environment" } };
  }
  // Before anything else: whoever is allocated is wiped no more.
  const taken = withdrawn(machine, "it was allocated before an agent had begun", now);
  const course = started(machine, binding, now);
  const intent: Changes = { ...taken, ...course.intent };
  return {
    ...course,
    ...(Object.keys(intent).length > 0 && { intent }),
    changes: { ...taken, ...course.changes },
  };
}

function started(machine: Machine, binding: Binding, now: number): Course {
  const { record, seen } = machine;
  const installed = isInstalled(machine, binding);
  const goal: Goal = {
    do: "boot-environment",
    context: binding.uid || "binding",
    because: `it is allocated to ${holderOf(binding)}`,
    urgency: "lifecycle",
    most: MOST_TRIES,
  };
  const own = isFor(record.action, goal) ? record.action : undefined;
  const isHeard =
    installed ||
    binding.isHeard ||
    isAsking(machine, own === undefined ? parse(record.allocation?.since) : actionTime(own)) ||
    isGoing(machine, binding);
  const phase = installed ? "Running" : isHeard ? "Installing" : "Allocated";
  if (holdOf(machine) === "off") return { phase, waiting: keptOff(machine) };
  if (own?.state === "running") return drive(machine, goal, phase, now);
  const isOff = seen.power.way === "bmc" && seen.power.power === "off";
  const agent = agentOf(machine);
  const starting = startingUntil(machine, now);
  // A machine that is on is left alone, unless it is on in our agent: there is nothing of theirs in it.
  if (isOff || agent !== undefined) {
    if (starting !== undefined) return { phase, waiting: coming(machine, starting) };
    return drive(machine, goal, phase, now);
  }
  if (installed) return { phase };
  const { intruder } = binding;
  if (intruder !== undefined && (intruder.order === record.action?.id || intruder.order === `person/${binding.uid}`))
    return { phase, waiting: frozen(machine, intruder.who) };
  if (isHeard) return { phase, waiting: installing(machine, binding, now) };
  if (own !== undefined) return due(machine, goal, phase, now);
  if (starting !== undefined) return { phase, waiting: coming(machine, starting) };
  if (seen.power.way === "bmc" && seen.power.power === "on") return { phase, waiting: unknown(machine) };
  // It cannot be told whether it is on: whoever is started that way if it is not, is.
  return drive(machine, goal, phase, now);
}

/** It was started by us for this binding. */
function due(machine: Machine, goal: Goal, phase: Course["phase"], now: number): Course {
  const action = machine.record.action!;
  if (action.state === "failed") return drive(machine, goal, phase, now);
  const deadline = actionTime(action) + machine.settings.rebootTimeout;
  if (now >= deadline) return drive(machine, { ...goal, most: MOST_BOOTS }, phase, now);
  return { phase, waiting: coming(machine, deadline) };
}

function drive(machine: Machine, goal: Goal, phase: Course["phase"], now: number): Course {
  const pursuit = pursue(machine, goal, startOf(machine, "to be booted into its Environment"), now, "again");
  const { action, intent, effects, wait, state } = pursuit;
  const base = { phase, effects, ...(intent && { intent }), ...(action && { changes: { action } }) };
  if (state === "exhausted") return { ...base, phase: "Failed", waiting: failed(machine, wait) };
  if (state !== "reached") return { ...base, ...(wait && { waiting: wait }) };
  return { ...base, waiting: coming(machine, actionTime(action!) + machine.settings.rebootTimeout) };
}

function coming({ record }: Machine, deadline: number): Wait {
  const attempts = record.action?.attempts ?? 1;
  return {
    reason: "Booting",
    waitingFor: "it to boot and ask for its Environment",
    deadline,
    next: `started again when nothing at all is seen of it (${attempts} of ${MOST_BOOTS} boots so far)`,
    remedy: "its boot timeline says how far it came: sidero timeline",
  };
}

/** Nothing is done to a machine that has had its configuration and says nothing: it may be running what it installed. */
function installing({ name, record }: Machine, { configuredAt }: Binding, now: number): Wait {
  const isGoing = record.waiting?.reason === "Installing";
  const since = configuredAt ?? (isGoing ? parse(record.waiting?.since) || now : now);
  const verb = configuredAt === undefined ? "start" : "install";
  return {
    reason: "Installing",
    waitingFor:
      configuredAt === undefined
        ? "it to ask for its configuration, and Talos to say that it is installed"
        : "Talos to say that it is installed, or to answer with its cluster's certificate; it has its configuration",
    since,
    deadline: since + INSTALLATION,
    next: "nothing is done to it: what it does is not known",
    remedy: `look at its console and its boot timeline; to ${verb} it anew: ${requestCommand(name, "power-cycle")}`,
  };
}

function frozen({ name }: Machine, who: string): Wait {
  return {
    reason: "Intruder",
    waitingFor: `somebody to look: ${who} asked for its configuration while it was to boot, so this boot gets none`,
    next: "nothing: who of the two is the machine cannot be told",
    remedy: `see who that is; to boot it anew: ${requestCommand(name, "power-cycle")}`,
  };
}

function unknown({ name }: Machine): Wait {
  return {
    reason: "OnElsewhere",
    waitingFor: "it to ask for its Environment: it is on, in what is not known, so it is left alone",
    remedy: `to boot it into its Environment: ${requestCommand(name, "power-cycle")}`,
  };
}

function failed({ name, record }: Machine, wait: Wait | undefined): Wait {
  const what = `it was started ${record.action?.attempts ?? 0} times, and nothing was seen of it`;
  return {
    reason: wait?.reason ?? "BootFailed",
    waitingFor: wait?.waitingFor ?? `somebody to look: ${what}`,
    remedy: `see its console and its boot timeline, then: ${requestCommand(name, "retry")}`,
  };
}

/** It was on record before this process, which may not have seen anything. */
function isGoing({ record: { phase, allocation } }: Machine, binding: Binding): boolean {
  return phase === "Installing" && allocation !== undefined && !isOtherHolder(allocation, binding);
}

/** It has asked for a boot script since it was started, or allocated if somebody else has started it. */
function isAsking({ seen }: Machine, since: number): boolean {
  return seen.askedAt !== undefined && seen.askedAt >= since;
}

export function holderOf({ namespace, metalMachine, cluster }: Pick<Binding, "namespace" | "metalMachine" | "cluster">): string {
  const machine = metalMachine === undefined ? "somebody" : `MetalMachine ${namespace ?? "default"}/${metalMachine}`;
  return cluster === undefined ? machine : `${machine} of cluster ${cluster}`;
}
