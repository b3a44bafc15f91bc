/**
 * What is done to a machine's power, as it stands on record. The id says everything that carrying it on after a crash needs:
 * `boot-agent/<what for>/<try>/<when, base 36>/<by what>`, where the last is a BMC's command, `agent:<boot>` or `wake`.
 */
import type { AgentOrder } from "../agent-order.ts";
import type { PowerAction, PowerStep } from "../power.ts";
import { isInstalled } from "./installed.ts";
import type { Action, Machine } from "./machine.ts";
import { stamp } from "./time.ts";

export type Doing = "boot-agent" | "boot-environment" | "power-off" | "power-on" | "reboot" | "power-cycle" | "identify";

/** How it is brought about. */
export type Means =
  | { readonly by: "bmc"; readonly verb: PowerAction | "identify" }
  | { readonly by: "agent"; readonly boot: string }
  | { readonly by: "wake" };

export interface Goal {
  readonly do: Doing;
  /** What for, without a slash: two actions for the same thing are tries of one. */
  readonly context: string;
  readonly because: string;
  readonly urgency: "user" | "lifecycle";
  /** Tries. */
  readonly most: number;
}

const STARTS: ReadonlySet<string> = new Set<Doing>(["boot-agent", "boot-environment", "power-on", "reboot", "power-cycle"]);

/** Whether the machine comes up anew by it. */
export function isStart(action: Action): boolean {
  return STARTS.has(action.do);
}

export function isFor(action: Action | undefined, goal: Pick<Goal, "do" | "context">): action is Action {
  return action !== undefined && action.id.startsWith(`${goal.do}/${goal.context}/`);
}

/** The action of a goal's next try. */
export function begun(goal: Goal, means: Means, before: Action | undefined, now: number): Action {
  const attempts = (before?.attempts ?? 0) + 1;
  const how = means.by === "bmc" ? means.verb : means.by === "agent" ? `agent:${means.boot}` : "wake";
  return {
    id: [goal.do, goal.context, attempts, now.toString(36), how].join("/"),
    do: goal.do,
    because: goal.because,
    state: "running",
    attempts,
    startedAt: before?.startedAt ?? stamp(now),
    triedAt: stamp(now),
  };
}

/** When its last try began, to the millisecond; long ago when what is on record is no time. */
export function actionTime(action: Action): number {
  const time = Number.parseInt(action.id.split("/").at(-2) ?? "", 36);
  return (Number.isNaN(time) ? Date.parse(action.triedAt ?? action.startedAt) : time) || 0;
}

export function meansOf(action: Action): Means {
  const how = action.id.split("/").at(-1) ?? "";
  if (how === "wake") return { by: "wake" };
  return how.startsWith("agent:") ? { by: "agent", boot: how.slice(6) } : { by: "bmc", verb: how as PowerAction };
}

/** For the BMC, in order. */
export function stepsOf(action: Action, verb: PowerAction | "identify", machine: Machine): PowerStep[] {
  if (verb === "identify") return [{ do: "identify", on: true }];
  const power: PowerStep = { do: "power", action: verb };
  const { firmware } = machine.wanted;
  const boots = action.do === "boot-agent" || action.do === "boot-environment" || (isStart(action) && mustComeToUs(machine));
  return boots ? [{ do: "boot-once", boot: { device: "pxe", firmware } }, power] : [power];
}

/** Whoever restarts it by request restarts it to where it has to go. */
function mustComeToUs(machine: Machine): boolean {
  const { binding } = machine.seen;
  if (machine.wanted.adopt) return false;
  const state = machine.record.wipe?.state;
  return binding === undefined ? state === "ordered" || state === "failed" : !isInstalled(machine, binding);
}

/** For the agent. */
export function orderOf(action: Action): AgentOrder {
  return action.do === "power-off" ? "powerOff" : "reboot";
}
