/**
 * One goal is pursued until it is reached or given up: begun under an id that is on record first, watched, tried again ever more seldom. After a crash
 * the same id is begun again, which does nothing if it was begun before.
 */
import type { PowerOutcome } from "../power.ts";
import { actionTime, begun, isFor, meansOf, orderOf, stepsOf } from "./action.ts";
import type { Goal } from "./action.ts";
import type { Action, Changes, LifecycleEffect, Machine, Wait } from "./machine.ts";
import { backoff, MOST_TRIES, SLOW_RETRY } from "./pace.ts";
import type { Start } from "./start.ts";
import { failedText, reachedText } from "./told.ts";
import { MINUTE, parse, SECOND, stamp } from "./time.ts";

/** How long an agent may take to do what it was told and be gone. */
const AGENT_TIME = MINUTE;
const BASE = { soon: 5 * SECOND, later: MINUTE, never: 0 } as const;

export interface Pursuit {
  /**
   * `reached`: the effect was read back. `blocked`: there is no way to begin right now. `failed`: it is tried again at the wait's deadline.
   * `exhausted`: not before somebody has looked, or the BMC is well again.
   */
  readonly state: "under-way" | "reached" | "blocked" | "failed" | "exhausted";
  /** For the record; undefined: as it is. */
  readonly action?: Action;
  readonly intent?: Changes;
  readonly effects: readonly LifecycleEffect[];
  readonly wait?: Wait;
}

/** What it means that a goal was reached before: that is it; or its effect has gone, which is one more try of the same, or another matter. */
export type Redo = "never" | "again" | "anew";

export function pursue(machine: Machine, goal: Goal, start: Start, now: number, redo: Redo = "never"): Pursuit {
  const { action } = machine.record;
  const own = isFor(action, goal) ? action : undefined;
  if (own?.state === "running") return follow(machine, goal, own, now);
  if (own?.state === "done" && redo === "never") return { state: "reached", action: own, effects: [] };
  if (own?.state === "failed") {
    const rest = resting(machine, goal, own, now);
    if (rest !== undefined) return rest;
  }
  const before = own?.state === "done" && redo === "anew" ? undefined : own;
  if (before?.state === "done" && (before.attempts ?? 0) >= goal.most) return { state: "exhausted", action: before, effects: [] };
  if ("wait" in start) return { state: "blocked", effects: [], wait: start.wait };
  const next = begun(goal, start.means, before, now);
  return {
    state: "under-way",
    action: next,
    intent: { action: next },
    effects: carryOut(machine, next, goal),
    wait: underWay(machine, next, now),
  };
}

function carryOut(machine: Machine, action: Action, goal: Goal): LifecycleEffect[] {
  const means = meansOf(action);
  if (means.by === "agent") return [{ do: "order", kind: orderOf(action), id: action.id }];
  if (means.by === "wake") return [{ do: "wake" }];
  const { urgency, because } = goal;
  return [{ do: "operate", operation: { id: action.id, steps: stepsOf(action, means.verb, machine), urgency, because } }];
}

function follow(machine: Machine, goal: Goal, action: Action, now: number): Pursuit {
  const means = meansOf(action);
  if (means.by === "bmc") return followBmc(machine, goal, action, now);
  // Nobody can tell whether a packet has woken anything.
  if (means.by === "wake") return reached(machine, action);
  const { agent } = machine.seen;
  if (agent?.boot !== means.boot) return reached(machine, action);
  const order = machine.seen.orders.find(({ id }) => id === action.id);
  const late = actionTime(action) + AGENT_TIME;
  if (order?.state === "failed") return failed(machine, goal, action, { message: order.text, retry: "soon" }, now);
  if (now >= late)
    return failed(machine, goal, action, { message: "the agent was told, and is still there", retry: "soon" }, now);
  const wait = {
    reason: "AgentToGo",
    waitingFor: "its agent to go",
    since: actionTime(action),
    deadline: late,
    next: "it is tried again",
  };
  // Unknown: this process has not sent it, another one before a crash may have.
  return { state: "under-way", action, effects: order === undefined ? carryOut(machine, action, goal) : [], wait };
}

function followBmc(machine: Machine, goal: Goal, action: Action, now: number): Pursuit {
  const { operation } = machine.seen.power;
  if (operation?.id !== action.id) {
    return { state: "under-way", action, effects: carryOut(machine, action, goal), wait: underWay(machine, action, now) };
  }
  if (operation.state === "done") return reached(machine, action);
  if (operation.state === "failed") {
    return failed(machine, goal, action, operation.error ?? { message: "it failed", retry: "soon" }, now);
  }
  return { state: "under-way", action, effects: [], wait: underWay(machine, action, now) };
}

function underWay({ seen }: Machine, action: Action, now: number): Wait {
  const { breaker } = seen.power;
  const isOpen = breaker.state === "open" && breaker.retryAt !== undefined && breaker.retryAt > now;
  return {
    reason: "Bmc",
    waitingFor: isOpen ? `its BMC, which does not work: ${breaker.error ?? "it does not answer"}` : `its BMC to do ${action.do}`,
    since: actionTime(action),
    next: "the machine is looked at again",
  };
}

function reached(machine: Machine, action: Action): Pursuit {
  const { error: _, retryAt: __, ...rest } = action;
  const message = reachedText(machine, action);
  return {
    state: "reached",
    action: { ...rest, state: "done" },
    effects: [{ do: "tell", type: "Normal", reason: "Server Management", message }],
  };
}

type Failure = Pick<NonNullable<PowerOutcome["error"]>, "message" | "retry">;

function failed(machine: Machine, goal: Goal, action: Action, { message, retry }: Failure, now: number): Pursuit {
  const { retryAt: _, ...rest } = action;
  const attempts = action.attempts ?? 1;
  const isLast = retry === "never" || attempts >= Math.min(goal.most, MOST_TRIES);
  // Who failed for good but might be well some day is looked at seldom; `resting` has the rule.
  const after = isLast ? SLOW_RETRY : backoff(attempts, machine.name, BASE[retry]);
  const next: Action = { ...rest, state: "failed", error: message, ...(retry !== "never" && { retryAt: stamp(now + after) }) };
  const tell = { do: "tell", type: "Warning", reason: "Server Management", message: failedText(action, message) } as const;
  return { ...(resting(machine, goal, next, now) ?? { state: "failed", action: next }), action: next, effects: [tell] };
}

/** Undefined when it is time for another try. */
function resting(machine: Machine, goal: Goal, action: Action, now: number): Pursuit | undefined {
  const retryAt = parse(action.retryAt);
  const isLast = Number.isNaN(retryAt) || (action.attempts ?? 1) >= Math.min(goal.most, MOST_TRIES);
  const because = `${action.do} to work: ${action.error ?? "it failed"}`;
  if (isLast) {
    const isWell = machine.seen.power.breaker.state === "closed" && (machine.seen.power.readAt ?? 0) > actionTime(action);
    if (isWell && goal.urgency === "lifecycle" && now >= retryAt) return undefined;
    return { state: "exhausted", action, effects: [], wait: { reason: "PowerFailed", waitingFor: because } };
  }
  if (now >= retryAt) return undefined;
  const wait = {
    reason: "PowerRetry",
    waitingFor: because,
    deadline: retryAt,
    next: `it is tried again (${action.attempts ?? 1} of ${MOST_TRIES} tries so far)`,
  };
  return { state: "failed", action, effects: [], wait };
}
