/** What is the case, for the record; the same whatever is done about it. */
import type { Breaker } from "../power.ts";
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

/** Nothing that changes with each reading; of a BMC that fails, what changes with each try, which come ever more seldom. */
function bmcOf({ seen: { power }, record: { bmc: before } }: Machine): Record["bmc"] {
  const { way, problem, breaker, capabilities, inventory, health } = power;
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
    ...(way === "bmc" && breakerOf(breaker, before)),
  };
}

function breakerOf({ state, failures, error, retryAt }: Breaker, before: Record["bmc"]): Partial<NonNullable<Record["bmc"]>> {
  if (state === "closed") return { breaker: "closed" };
  // The one call that is let through is under way, which is no news.
  if (state === "half-open" && before?.breaker === "open") {
    const { failures: number, error: last, retryAt: time } = before;
    return {
      breaker: "open",
      ...(number !== undefined && { failures: number }),
      ...(last !== undefined && { error: last }),
      ...(time !== undefined && { retryAt: time }),
    };
  }
  return {
    breaker: "open",
    failures,
    ...(error !== undefined && { error }),
    ...(retryAt !== undefined && { retryAt: stamp(retryAt) }),
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
