/** An order to wipe is carried out: the machine is brought into the agent, the agent told, and watched until it has ended. */
import { actionTime } from "./action.ts";
import type { Goal } from "./action.ts";
import { holdOf, keptOff } from "./hold.ts";
import type { Action, Changes, Course, Machine, Wait, Wipe } from "./machine.ts";
import { isGivenUp, writtenUntil } from "./order.ts";
import { backoff, bootTime, MOST_BOOTS, MOST_TRIES, startingUntil } from "./pace.ts";
import { pursue } from "./pursue.ts";
import { agentOf, startOf } from "./start.ts";
import { requestCommand } from "./told.ts";
import { MINUTE, parse, stamp } from "./time.ts";

/** Agents that were connected to an earlier process are back by then. */
const RETURN = 45_000;
const WHAT = "to be wiped";

export function wiping(machine: Machine, order: Wipe, now: number): Course {
  if (isGivenUp(order)) return given(machine, order);
  const { action } = machine.record;
  // About to be gone: it is told nothing any more.
  if (action?.state === "running" && action.id.startsWith(`boot-agent/${order.id}.`)) return boot(machine, order, now);
  if (holdOf(machine) === "off" && order.state !== "started") return { phase: phaseOf(order), waiting: keptOff(machine) };
  const agent = agentOf(machine);
  if (hasGoneOff(machine, order, agent)) return wentOff(machine, order, now);
  if (agent === undefined) return without(machine, order, now);
  if (order.boot !== agent.boot) return tell(machine, order, agent.boot, now);
  return told(machine, order, now);
}

/**
 * Its BMC reads off, and nothing was heard since: no agent is there to do what it was told. The stream of a machine that has lost its power takes
 * minutes to be missed.
 */
function hasGoneOff({ seen: { power } }: Machine, order: Wipe, agent: ReturnType<typeof agentOf>): boolean {
  if (order.boot === undefined || power.way !== "bmc" || power.power !== "off" || power.breaker.state !== "closed") return false;
  const read = power.readAt ?? 0;
  if (read <= (agent?.since ?? (parse(order.attemptedAt) || 0))) return false;
  // An agent that still speaks is right, and its BMC is not.
  return order.state !== "started" || read > (parse(order.heardAt ?? order.startedAt) || 0) + MINUTE;
}

/** That attempt is over; the next one starts it. */
function wentOff(machine: Machine, order: Wipe, now: number): Course {
  return order.state === "failed" ? again(machine, order, now) : failing(machine, order, "it went off", now);
}

/** The agent is connected and has been told. */
function told(machine: Machine, order: Wipe, now: number): Course {
  const { seen, settings } = machine;
  const status = seen.orders.find(({ id, kind }) => id === order.id && kind === "wipe");
  if (order.state === "failed") return again(machine, order, now);
  if (status?.state === "failed") return failing(machine, order, status.text, now);
  const deadline = writtenUntil(order, settings.rebootTimeout);
  if (now >= deadline) return failing(machine, order, "the agent fell silent", now);
  const course = underWay(order, deadline);
  // Unknown: a process before this one has told it. The agent does the same order once.
  return status === undefined ? { ...course, effects: [{ do: "order", kind: "wipe", id: order.id }] } : course;
}

function underWay(order: Wipe, deadline: number): Course {
  const isStarted = order.state === "started";
  const waiting: Wait = {
    reason: isStarted ? "Wiping" : "AgentToBegin",
    waitingFor: isStarted ? "its agent to wipe its disks" : "its agent to begin wiping",
    deadline,
    next: "taken for dead when it says nothing until then, and started again",
  };
  return { phase: phaseOf(order), waiting };
}

/** In another boot than it was told in, if it was: that is another attempt, unless this boot was made for it. */
function tell(machine: Machine, order: Wipe, boot: string, now: number): Course {
  const wait = order.state === "failed" ? restUntil(machine, order) : undefined;
  if (wait !== undefined && now < wait) return resting(order, wait);
  const isNew = order.boot !== undefined || (order.attempts ?? 0) === 0;
  const attempts = (order.attempts ?? 0) + (isNew ? 1 : 0);
  if (attempts > MOST_BOOTS) return failing(machine, order, "it did not end in any of its boots", now);
  // An agent that was told when it registered may have begun before it is connected; what it says next has to find the order begun.
  const hasBegun = order.state === "started" && order.boot === undefined;
  const next: Wipe = { ...order, state: hasBegun ? "started" : "ordered", attempts, attemptedAt: stamp(now), boot };
  return {
    ...underWay(next, writtenUntil(next, machine.settings.rebootTimeout)),
    intent: { wipe: next },
    effects: [{ do: "order", kind: "wipe", id: order.id }],
    changes: { wipe: next },
  };
}

/** No agent of ours is connected: one of upstream's may be at it, the machine may be on its way, or has to be started. */
function without(machine: Machine, order: Wipe, now: number): Course {
  const { settings, seen, record } = machine;
  if (order.state === "started") {
    const deadline = writtenUntil(order, settings.rebootTimeout);
    return now < deadline ? underWay(order, deadline) : failing(machine, order, "its agent fell silent", now);
  }
  if (order.state === "failed") return again(machine, order, now);
  const attempted = (parse(order.attemptedAt) || 0) + settings.rebootTimeout;
  if (order.boot !== undefined) {
    if (now >= attempted) return failing(machine, order, "its agent went away before it began", now);
    return away(order, attempted);
  }
  // Nobody has cut its power, so it may be in an agent that is just coming back to us.
  const returning = seen.agentsSince + RETURN;
  if ((order.attempts ?? 0) === 0 && now < returning && seen.power.power !== "off" && record.action?.state !== "running") {
    return away(order, returning);
  }
  return boot(machine, order, now);
}

function away(order: Wipe, deadline: number): Course {
  const waiting = { reason: "AgentToReturn", waitingFor: "its agent to connect again", deadline, next: "started again" };
  return { phase: phaseOf(order), waiting };
}

/** Failed, and not for the last time. */
function again(machine: Machine, order: Wipe, now: number): Course {
  const until = restUntil(machine, order);
  if (now < until) return resting(order, until);
  return boot(machine, order, now);
}

function restUntil({ name }: Machine, order: Wipe): number {
  const ended = Math.max(...[order.finishedAt, order.heardAt, order.attemptedAt].map((time) => parse(time) || 0));
  return ended + backoff(order.attempts ?? 1, name, MINUTE / 2);
}

function resting(order: Wipe, until: number): Course {
  const waitingFor = `another try at wiping it: ${order.detail ?? "the last one failed"}`;
  const next = `attempt ${(order.attempts ?? 0) + 1} of ${MOST_BOOTS}`;
  return { phase: phaseOf(order), waiting: { reason: "WipeRetry", waitingFor, deadline: until, next } };
}

/** The attempt that is under way is over. */
function failing(machine: Machine, order: Wipe, why: string, now: number): Course {
  const failed: Wipe = { ...order, state: "failed", finishedAt: stamp(now), detail: why };
  const tell = { do: "tell", type: "Warning", reason: "Server Wipe", message: `Wiping failed: ${why}.` } as const;
  const course = isGivenUp(failed) ? given(machine, failed) : resting(failed, restUntil(machine, failed));
  return { ...course, effects: [tell], changes: { wipe: failed } };
}

/** Brings the machine into the agent; each time counts as an attempt once it is begun. */
function boot(machine: Machine, order: Wipe, now: number): Course {
  const { record } = machine;
  const isFresh = order.state === "failed" || (order.attempts ?? 0) === 0;
  const attempts = (order.attempts ?? 0) + (isFresh ? 1 : 0);
  const context = `${order.id}.${attempts}`;
  const goal: Goal = {
    do: "boot-agent",
    context,
    because: `${WHAT} (order ${order.id})`,
    urgency: "lifecycle",
    most: MOST_TRIES,
  };
  const isBegun = record.action?.id.startsWith(`boot-agent/${context}/`) === true;
  const starting = isBegun ? undefined : startingUntil(machine, now);
  if (starting !== undefined) {
    const waiting = {
      reason: "Starting",
      waitingFor: "it to come up",
      deadline: starting,
      next: "started again, into the agent",
    };
    return { phase: phaseOf(order), waiting };
  }
  const pursuit = pursue(machine, goal, startOf(machine, WHAT), now);
  const { boot: _, detail: __, finishedAt: ___, ...rest } = order;
  const tried: Wipe =
    isFresh && pursuit.intent !== undefined ? { ...rest, state: "ordered", attempts, attemptedAt: stamp(now) } : order;
  const changes: Changes = { ...(pursuit.action && { action: pursuit.action }), wipe: tried };
  const confirm = pursuit.effects.some((effect) => effect.do !== "tell") ? [{ do: "confirm-free" } as const] : [];
  const base = {
    phase: phaseOf(tried),
    ...(pursuit.intent && { intent: { ...pursuit.intent, wipe: tried } }),
    effects: [...confirm, ...pursuit.effects],
    changes,
  };
  if (pursuit.state === "exhausted") return { ...base, phase: "Failed", waiting: powerFailed(machine, pursuit.wait) };
  if (pursuit.state !== "reached") return { ...base, ...(pursuit.wait && { waiting: pursuit.wait }) };
  return arriving(machine, tried, base, pursuit.action!, now);
}

/** Started; its agent is due. */
function arriving(machine: Machine, order: Wipe, course: Course, action: Action, now: number): Course {
  const since = actionTime(action);
  const deadline = since + Math.max(machine.settings.rebootTimeout, bootTime(machine));
  if (now >= deadline) {
    const late = failing(machine, order, "it was started, and its agent did not come", now);
    return {
      ...late,
      effects: [...(course.effects ?? []), ...(late.effects ?? [])],
      changes: { ...course.changes, ...late.changes },
    };
  }
  const waiting = {
    reason: "AgentBooting",
    waitingFor: "its agent to boot and connect",
    since,
    deadline,
    next: `started again (attempt ${order.attempts ?? 1} of ${MOST_BOOTS})`,
    remedy: "its boot timeline says how far it came: sidero timeline",
  };
  return { ...course, waiting };
}

function powerFailed({ name }: Machine, wait: Wait | undefined): Wait {
  return {
    reason: "PowerFailed",
    waitingFor: wait?.waitingFor ?? "its BMC to work",
    remedy: `see to its BMC, then: ${requestCommand(name, "retry")}`,
  };
}

function given({ name }: Machine, order: Wipe): Course {
  const waiting = {
    reason: "WipeFailed",
    waitingFor: `somebody to look: ${order.detail ?? "wiping failed"} (${order.attempts} attempts)`,
    remedy: `see status.wipe, mend it, then: ${requestCommand(name, "retry")}`,
  };
  return { phase: "Failed", waiting };
}

function phaseOf(order: Wipe): Course["phase"] {
  return order.by === "release" && order.state !== "started" ? "Releasing" : "Wiping";
}
