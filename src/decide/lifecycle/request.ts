/** What people ask for by annotation: `metal.sidero.dev/request: "<verb> <anything that makes it new>"`. Each value is handled once, and what came of it is on record. */
import type { Doing, Means } from "./action.ts";
import { isFor } from "./action.ts";
import { phaseAsItWas } from "./hold.ts";
import type { Action, Changes, Course, LifecycleEffect, Machine, Wipe } from "./machine.ts";
import { isBeingWritten, isGivenUp, openOrder, newOrder, ordered } from "./order.ts";
import { fraction } from "./pace.ts";
import { pursue } from "./pursue.ts";
import { agentOf, startOf } from "./start.ts";
import type { Start } from "./start.ts";
import { stamp } from "./time.ts";

export const VERBS = [
  "wipe",
  "reboot",
  "power-on",
  "power-off",
  "power-cycle",
  "identify",
  "retry",
  "rotate-bmc-password",
] as const;
export type Verb = (typeof VERBS)[number];

/** What a request makes of a machine. `refused`: nothing, and why. */
export type Answer =
  | { readonly refused: string }
  | { readonly course: Course }
  /** Beside what the machine does anyhow. */
  | { readonly outcome: string; readonly changes?: Changes; readonly effects?: readonly LifecycleEffect[] };

/** The request that has not been handled yet. */
export function newRequest({ wanted, record }: Machine): string | undefined {
  return wanted.request !== undefined && wanted.request !== record.request?.value ? wanted.request : undefined;
}

export function answer(machine: Machine, request: string, now: number): Answer {
  const [verb] = request.trim().split(/\s+/, 1);
  if (!isVerb(verb)) return { refused: `there is no verb "${(verb ?? "").slice(0, 40)}"; there are ${VERBS.join(", ")}` };
  // A move or a restore brings annotations along and leaves the status behind: what was asked once, long ago, must not be done again.
  if (machine.record.phase === undefined)
    return { refused: "it was there before anything of the machine was on record; ask anew" };
  if (!machine.wanted.accepted) return { refused: "the machine is not accepted (spec.accepted)" };
  if (machine.wanted.deleting) return { refused: "the machine is being deleted" };
  if (verb === "wipe") return wipe(machine, now);
  if (verb === "retry") return retry(machine, now);
  if (verb === "rotate-bmc-password") return rotate(machine, request);
  if (verb !== "identify" && verb !== "power-on" && isBeingWritten(machine, now)) {
    return { refused: "its disks are being wiped at this moment" };
  }
  return power(machine, verb, request, now);
}

function isVerb(text: string | undefined): text is Verb {
  return VERBS.some((verb) => verb === text);
}

function wipe(machine: Machine, now: number): Answer {
  const { wanted, seen, record } = machine;
  if (seen.binding !== undefined || record.allocation !== undefined)
    return { refused: "the machine is allocated: delete its ServerBinding, which wipes it" };
  if (wanted.adopt) return { refused: "the machine is adopted (spec.adopt): what it runs stays" };
  const order = openOrder(machine);
  if (order !== undefined && !isGivenUp(order)) return { refused: `order ${order.id} to wipe it is under way` };
  return { course: ordered(machine, "request", "requested by annotation", now) };
}

/** What has been given up begins anew. */
function retry(machine: Machine, now: number): Answer {
  const order = openOrder(machine);
  const { action, allocation } = machine.record;
  const isFree = machine.seen.binding === undefined && allocation === undefined && !machine.wanted.adopt;
  const anew: Wipe | undefined =
    order?.state === "failed" && isFree
      ? { ...newOrder(machine, order.by, order.reason, now), ...(order.mode && { mode: order.mode }) }
      : undefined;
  const isFailed = action?.state === "failed" || machine.record.phase === "Failed";
  if (anew === undefined && !isFailed) return { refused: "nothing of it has failed" };
  // That it was started for whoever holds it stays on record: a machine that is on for no reason of ours would be left alone.
  const isTheirs = machine.seen.binding !== undefined && action?.do === "boot-environment";
  const again: Action | undefined = isTheirs ? { ...action, state: "failed", attempts: 0, retryAt: stamp(now) } : undefined;
  return { outcome: "begun anew", changes: { action: again, ...(anew && { wipe: anew }) } };
}

function rotate(machine: Machine, request: string): Answer {
  const agent = agentOf(machine);
  if (agent === undefined)
    return { refused: "its agent, which has to do it, is not connected: power it on first (request power-on)" };
  return { outcome: "its agent was told", effects: [{ do: "order", kind: "rotateBmc", id: rotationOrder(request)! }] };
}

/** The agent's order of a request for another password of the BMC; undefined for other requests. */
export function rotationOrder(request: string): string | undefined {
  return request.startsWith("rotate-bmc-password") ? `rotate-bmc/${keyOf(request)}` : undefined;
}

type PowerVerb = Exclude<Verb, "wipe" | "retry" | "rotate-bmc-password">;

function power(machine: Machine, verb: PowerVerb, request: string, now: number): Answer {
  const start = wayTo(machine, verb);
  if ("wait" in start) return { refused: start.wait.waitingFor.replace(/^/, "it would have to wait for ") };
  return { course: userAction(machine, { verb, request }, start, now) };
}

/** By the agent where it is there: it stops in order. */
function wayTo(machine: Machine, verb: PowerVerb): Start {
  const { seen, wanted } = machine;
  const agent = agentOf(machine);
  const bmc = (action: Extract<Means, { by: "bmc" }>["verb"]): Start => ({ means: { by: "bmc", verb: action } });
  const hasBmc = seen.power.way === "bmc";
  const byAgent: Start | undefined = agent && { means: { by: "agent", boot: agent.boot } };
  switch (verb) {
    case "reboot":
      return byAgent ?? startOf(machine, "to reboot");
    case "power-cycle":
      return startOf(machine, "to be power cycled");
    case "power-off":
      return (
        byAgent ??
        (hasBmc ? bmc("soft-off") : startOf({ ...machine, wanted: { ...wanted, wakeOnLan: false } }, "to be switched off"))
      );
    case "power-on":
      return hasBmc ? bmc("on") : wanted.wakeOnLan ? { means: { by: "wake" } } : startOf(machine, "to be switched on");
    case "identify":
      return hasBmc ? bmc("identify") : { wait: { reason: "NoBmc", waitingFor: "a BMC, which has the light" } };
  }
}

/** Whether somebody asked for the action, and it is not the life cycle's own. */
export function isByRequest({ id }: Action): boolean {
  return id.split("/")[1]?.startsWith("request.") === true;
}

/** An action by request that is under way: the life cycle stands back until it has ended. */
export function requested(machine: Machine, now: number): Course | undefined {
  const { action, request } = machine.record;
  if (action?.state !== "running" || request === undefined) return undefined;
  const verb = action.do as PowerVerb;
  if (!isFor(action, { do: verb, context: `request.${keyOf(request.value)}` })) return undefined;
  return userAction(machine, { verb, request: request.value }, wayTo(machine, verb), now);
}

function userAction(
  machine: Machine,
  { verb, request }: { verb: PowerVerb; request: string },
  start: Start,
  now: number,
): Course {
  const goal = {
    do: verb satisfies Doing,
    context: `request.${keyOf(request)}`,
    because: "requested by annotation",
    urgency: "user",
    most: 1,
  } as const;
  const pursuit = pursue(machine, goal, start, now);
  const { action, intent, effects, wait, state } = pursuit;
  const outcome =
    state === "reached"
      ? "done"
      : state === "under-way"
        ? "under way"
        : `failed: ${action?.error ?? wait?.waitingFor ?? "no way"}`;
  const before = machine.record.request;
  const at = before?.value === request && before.outcome === outcome ? before.at : stamp(now);
  const handled = { value: request, outcome, at };
  return {
    phase: phaseAsItWas(machine),
    effects,
    ...(intent && { intent: { ...intent, request: handled } }),
    changes: { request: handled, ...(action && { action }) },
    ...(state === "under-way" &&
      wait && { waiting: { ...wait, reason: "Request", waitingFor: `its request ${verb}: ${wait.waitingFor}` } }),
  };
}

function keyOf(request: string): string {
  return Math.floor(fraction(request) * 2 ** 32).toString(36);
}
