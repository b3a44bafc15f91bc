/** What is the case, for the record; the same whatever is done about it. */
import type { Allocation, Changes, Course, Machine, Record } from "./machine.ts";
import { actionTime } from "./action.ts";
import { isClean } from "./phase.ts";
import { agentOf } from "./start.ts";
import { stamp } from "./time.ts";

/** Longer ones are not boots. */
const LONGEST_BOOT = 3600;

export function tracked(machine: Machine, course: Course, now: number): Changes {
  const { record, seen, wanted } = machine;
  const inUse = seen.binding !== undefined;
  const wipe = "wipe" in (course.changes ?? {}) ? course.changes?.wipe : record.wipe;
  // An order that has just been given, or given again, makes it dirty.
  const clean = isClean(machine) && (wipe === undefined || wipe.state === "done" || wipe.state === "withdrawn");
  const ready = readyOf(machine, course, clean);
  return {
    inUse,
    isClean: clean,
    ready,
    power: powerOf(machine),
    bmc: wanted.accepted ? bmcOf(machine) : undefined,
    allocation: allocationOf(machine, now),
    bootSeconds: bootSecondsOf(machine),
  };
}

/** Upstream's: in use, or clean and idle. An adopted machine is where it should be, too. */
function readyOf({ wanted, seen, record }: Machine, course: Course, clean: boolean): boolean {
  if (!wanted.accepted) return false;
  if (seen.binding !== undefined) return true;
  if (course.phase === "Adopted") return true;
  return clean || (course.phase === "Paused" && record.ready === true && record.isClean === true);
}

function powerOf(machine: Machine): Record["power"] {
  const { power } = machine.seen.power;
  if (machine.wanted.accepted && power !== "unknown") return power;
  return agentOf(machine) === undefined ? "unknown" : "on";
}

/** Nothing that changes by itself: who fails is told once, not each time it is asked. */
function bmcOf({ seen: { power }, record: { bmc: before } }: Machine): Record["bmc"] {
  const { way, problem, breaker, capabilities, inventory, health } = power;
  const isOpen = breaker.state !== "closed";
  const wasOpen = before?.breaker === "open";
  const error = isOpen ? (wasOpen ? before.error : breaker.error) : undefined;
  const fingerprint = power.fingerprint ?? before?.fingerprint;
  const known = way === "bmc" ? before : undefined;
  const protocol = capabilities?.protocol ?? known?.protocol;
  const manufacturer = inventory?.manufacturer ?? known?.manufacturer;
  const model = inventory?.model ?? known?.model;
  const firmwareVersion = inventory?.firmwareVersion ?? known?.firmwareVersion;
  const judged = health ?? known?.health;
  return {
    way,
    ...(problem !== undefined && { problem }),
    ...(protocol !== undefined && { protocol }),
    ...(manufacturer !== undefined && { manufacturer }),
    ...(model !== undefined && { model }),
    ...(firmwareVersion !== undefined && { firmwareVersion }),
    ...(fingerprint !== undefined && way === "bmc" && { fingerprint }),
    ...(judged !== undefined && { health: judged }),
    ...(way === "bmc" && { breaker: isOpen ? "open" : "closed" }),
    ...(error !== undefined && { error }),
  };
}

/** The evidence that a binding was there: it goes when the order to wipe is on record, or when nothing is to be wiped. */
function allocationOf({ seen: { binding }, record: { allocation: before } }: Machine, now: number): Allocation | undefined {
  if (binding === undefined) return before;
  const { uid, namespace, metalMachine, cluster } = binding;
  return {
    binding: uid,
    ...(namespace !== undefined && { namespace }),
    ...(metalMachine !== undefined && { metalMachine }),
    ...(cluster !== undefined && { cluster }),
    since: before?.binding === uid ? before.since : stamp(now),
  };
}

/** Seen when the agent comes that was waited for. */
function bootSecondsOf(machine: Machine): number | undefined {
  const { record } = machine;
  const agent = agentOf(machine);
  if (record.waiting?.reason !== "AgentBooting" || agent === undefined || record.action === undefined) return record.bootSeconds;
  const seconds = Math.round((agent.since - actionTime(record.action)) / 1000);
  return seconds > 0 && seconds < LONGEST_BOOT ? seconds : record.bootSeconds;
}

/** What is told when it becomes the case. */
export function news(machine: Machine): readonly { readonly reason: string; readonly message: string }[] {
  const isTaken = machine.seen.binding !== undefined && machine.record.inUse !== true;
  return isTaken ? [{ reason: "Server Allocation", message: "Server marked as allocated." }] : [];
}
