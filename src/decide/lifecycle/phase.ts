/** Where a machine is in its life, and who decides what is next. `docs/guides/lifecycle.md` has the picture; upstream's table is sidero.md §3.1. */
import { allocated, holderOf } from "./allocated.ts";
import type { Changes, Course, LifecycleEffect, Machine } from "./machine.ts";
import { isBeingWritten, openOrder, ordered, withdrawn, writtenUntil } from "./order.ts";
import { answer, isByRequest, newRequest, requested } from "./request.ts";
import { resting } from "./rest.ts";
import { requestCommand } from "./told.ts";
import { parse, stamp } from "./time.ts";
import { wiping } from "./wipe.ts";

export function courseOf(machine: Machine, now: number): Course {
  if (machine.wanted.deleting) return deleting(machine, now);
  if (!machine.wanted.accepted) return withAnswer(machine, discovered(machine, now), now);
  if (machine.wanted.paused !== undefined) {
    const course = paused(machine, machine.wanted.paused);
    // Requests wait for the end of the pause, but for those that came with a move.
    return machine.record.phase === undefined ? withAnswer(machine, course, now) : course;
  }
  return withoutOrphan(machine, withRequest(machine, now));
}

/** What the machine's power was under way for has ended, and nothing has come in its place: it must not go on, on a machine that runs something. */
function withoutOrphan(machine: Machine, course: Course): Course {
  const { record, wanted } = machine;
  const { action } = record;
  if (action?.state !== "running" || isByRequest(action)) return course;
  const wipe = course.changes?.wipe;
  const isOrphan = wanted.adopt || (wipe?.state === "withdrawn" && action.id.startsWith(`boot-agent/${wipe.id}.`));
  if (!isOrphan) return course;
  return {
    ...course,
    effects: [{ do: "withdraw", id: action.id }, ...(course.effects ?? [])],
    changes: { action: undefined, ...course.changes },
  };
}

/** Requests come first; those that are refused, or done in a moment, change nothing in what the machine does anyhow. */
function withRequest(machine: Machine, now: number): Course {
  const request = newRequest(machine);
  if (request === undefined) {
    const pending = requested(machine, now);
    if (pending === undefined) return ownCourse(machine, now);
    if (pending.waiting === undefined) return following(machine, pending.changes ?? {}, pending.effects ?? [], now);
    return { ...pending, changes: { ...moot(machine, now), ...pending.changes } };
  }
  const given = answer(machine, request, now);
  if (!("course" in given)) return withAnswer(machine, undefined, now);
  const handled = { value: request, outcome: "ordered", at: stamp(now) };
  const course = { ...given.course, changes: { request: handled, ...given.course.changes } };
  if (course.waiting === undefined) return following(machine, course.changes, course.effects ?? [], now);
  return { ...course, changes: { ...moot(machine, now), ...course.changes } };
}

/** An order that holds no longer ends also while something else is done. */
function moot(machine: Machine, now: number): Changes {
  const { wanted, seen } = machine;
  if (wanted.adopt) return withdrawn(machine, "the machine was adopted", now);
  return seen.binding === undefined || isBeingWritten(machine, now) ? {} : withdrawn(machine, "it was allocated", now);
}

/** The course with the answer to a request that does not change it. */
function withAnswer(machine: Machine, course: Course | undefined, now: number): Course {
  const request = newRequest(machine);
  const given = request === undefined ? undefined : answer(machine, request, now);
  if (request === undefined || given === undefined || "course" in given) return course ?? ownCourse(machine, now);
  const isRefused = "refused" in given;
  const outcome = isRefused ? `refused: ${given.refused}` : given.outcome;
  const changes: Changes = { ...(isRefused ? {} : given.changes), request: { value: request, outcome, at: stamp(now) } };
  const type = isRefused ? "Warning" : "Normal";
  const tell = {
    do: "tell",
    type,
    reason: "Server Management",
    message: `Request "${request.slice(0, 100)}" ${outcome}.`,
  } as const;
  const effects: LifecycleEffect[] = [...(isRefused ? [] : (given.effects ?? [])), tell];
  if (course === undefined) return following(machine, changes, effects, now);
  return { ...course, effects: [...(course.effects ?? []), ...effects], changes: { ...course.changes, ...changes } };
}

/** What the machine does anyhow once the changes are on record, and they are before it is done. */
function following(machine: Machine, changes: Changes, effects: readonly LifecycleEffect[], now: number): Course {
  const course = ownCourse({ ...machine, record: { ...machine.record, ...changes } as Machine["record"] }, now);
  const own = course.effects ?? [];
  const isNeeded = course.intent !== undefined || own.some((effect) => effect.do !== "tell");
  return {
    ...course,
    ...(isNeeded && { intent: { ...changes, ...course.intent } }),
    // A live look comes before anything else.
    effects: [...own.filter(isConfirming), ...effects, ...own.filter((effect) => !isConfirming(effect))],
    changes: { ...changes, ...course.changes },
  };
}

function isConfirming(effect: LifecycleEffect): boolean {
  return effect.do === "confirm-free";
}

function ownCourse(machine: Machine, now: number): Course {
  const { wanted, seen, record } = machine;
  if (wanted.adopt) return adopted(machine, now);
  if (seen.binding !== undefined) return allocated(machine, seen.binding, now);
  if (record.allocation !== undefined) return released(machine, record.allocation, now);
  // Whoever accepts a machine anew has it wiped anew.
  if (record.phase === "Discovered") return ordered(machine, "acceptance", "accepted", now);
  const order = openOrder(machine);
  if (order !== undefined && parse(order.orderedAt) < (machine.settings.ordersSince ?? 0)) {
    return {
      ...held(machine),
      changes: withdrawn(machine, "a backup was restored, and what became of the machine since is not known", now),
    };
  }
  if (order !== undefined) return wiping(machine, order, now);
  if (isClean(machine)) return resting(machine, now);
  return held(machine);
}

/** A wipe that is done makes it clean, once: what is on record of an earlier one says nothing about what was put on its disks since. */
export function isClean(machine: Machine): boolean {
  const { wanted, seen, record } = machine;
  if (!wanted.accepted || wanted.adopt || seen.binding !== undefined) return false;
  if (isNewlyWiped(machine)) return record.allocation === undefined;
  return record.isClean === true && openOrder(machine) === undefined;
}

/** Its end has not been taken notice of. */
export function isNewlyWiped({ record: { wipe, conditions } }: Machine): boolean {
  return wipe?.state === "done" && conditions?.some(({ type, status }) => type === "PowerCycle" && status === "False") === true;
}

function deleting(machine: Machine, now: number): Course {
  const { seen, record, settings } = machine;
  if (seen.binding !== undefined) {
    const waitingFor = `its ServerBinding to go: it is allocated to ${holderOf(seen.binding)}`;
    const waiting = {
      reason: "Allocated",
      waitingFor,
      next: "the Server goes",
      remedy: "delete the MetalMachine that holds it, or its Machine",
    };
    return { phase: "Deleting", waiting };
  }
  if (isBeingWritten(machine, now)) {
    const deadline = writtenUntil(record.wipe!, settings.rebootTimeout);
    const waiting = { reason: "WipeUnderWay", waitingFor: "its agent to stop wiping", deadline, next: "the Server goes" };
    return { phase: "Deleting", waiting, changes: {} };
  }
  return { phase: "Deleting", finalized: true };
}

function discovered(machine: Machine, now: number): Course {
  const { seen, name } = machine;
  const isHeld = seen.binding !== undefined;
  const waiting = {
    reason: "NotAccepted",
    waitingFor: isHeld ? `being accepted: it is allocated to ${holderOf(seen.binding)} and not accepted` : "being accepted",
    next: isHeld ? "it is booted into its Environment" : "it is wiped, and switched off",
    remedy: `kubectl patch server ${name} --type merge -p '{"spec":{"accepted":true}}'`,
  };
  const changes = {
    ...withdrawn(machine, "the machine is not accepted any more", now),
    ...(isHeld ? {} : { allocation: undefined }),
  };
  return { phase: "Discovered", waiting, changes };
}

/** Nothing is done, and no order given. That it was Discovered is the evidence that accepting it means wiping it: it stays on record. */
function paused({ record }: Machine, by: string): Course {
  const waiting = { reason: "Paused", waitingFor: `${by} to pause it no longer`, remedy: "take the pause away" };
  const phase = record.phase === "Discovered" ? "Discovered" : "Paused";
  const { action } = record;
  if (action?.state !== "running") return { phase, waiting };
  return { phase, waiting, effects: [{ do: "withdraw", id: action.id }], changes: { action: undefined } };
}

function adopted(machine: Machine, now: number): Course {
  const changes = {
    ...withdrawn(machine, "the machine was adopted", now),
    ...(machine.seen.binding === undefined && { allocation: undefined }),
  };
  return { phase: "Adopted", changes };
}

/**
 * `clusterctl move` pauses a cluster, and takes it away with everything of it: its machines go on running elsewhere. Whoever ends a cluster has it
 * unpaused, since nothing of it would go otherwise.
 */
function isMovedAway({ record, seen }: Machine): boolean {
  return record.phase === "Paused" && seen.isClusterGone === true;
}

function moved(machine: Machine, allocation: NonNullable<Machine["record"]["allocation"]>): Course {
  const { waiting, phase } = held(machine);
  const waitingFor = `somebody to say what is on its disks: ${holderOf(allocation)} went away while it was paused, as in a move`;
  return { phase, waiting: { ...waiting!, waitingFor }, changes: { allocation: undefined } };
}

function released(machine: Machine, allocation: NonNullable<Machine["record"]["allocation"]>, now: number): Course {
  if (isMovedAway(machine)) return moved(machine, allocation);
  const course = ordered(machine, "release", `released by ${holderOf(allocation)}`, now);
  const tell: LifecycleEffect = {
    do: "tell",
    type: "Normal",
    reason: "Server Allocation",
    message: "Server marked as unallocated.",
  };
  return { ...course, effects: [...(course.effects ?? []), tell] };
}

/** Nothing tells what is on its disks. */
function held({ name, record }: Machine): Course {
  const before = record.wipe?.state === "withdrawn" ? "its order to wipe was withdrawn" : "no order to wipe it is on record";
  const waiting = {
    reason: "NothingOnRecord",
    waitingFor: `somebody to say what is on its disks: it is accepted and not known to be clean, and ${before}`,
    next: "nothing: it is left alone",
    remedy: `if they may be wiped: ${requestCommand(name, "wipe")}; if what runs there stays: set spec.adopt; if a MetalMachine has it: its ServerBinding is enough`,
  };
  return { phase: "Held", waiting };
}
