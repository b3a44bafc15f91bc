/** A clean machine that nobody holds is switched off, and stays off; without a BMC or Wake-on-LAN it rests in the agent, where it can be reached. */
import { actionTime, isFor } from "./action.ts";
import type { Goal } from "./action.ts";
import { holdOf } from "./hold.ts";
import type { Course, Machine, Wait } from "./machine.ts";
import { MOST_TRIES } from "./pace.ts";
import type { Pursuit } from "./pursue.ts";
import { pursue } from "./pursue.ts";
import { isSettingUp } from "./setup.ts";
import { agentOf, unreachable, unread } from "./start.ts";
import type { Start } from "./start.ts";
import { requestCommand } from "./told.ts";
import { MINUTE, parse } from "./time.ts";

/** Somebody who presses the button of a clean machine wants to look at something. */
const GRACE = 10 * MINUTE;
const WHAT = "to see that it is off";

export function resting(machine: Machine, now: number): Course {
  const { seen, wanted } = machine;
  const phase = "Available";
  if (holdOf(machine) === "on") {
    const waitingFor = "its request power-on to go, or another one: it stays on until then";
    return { phase, waiting: { reason: "KeptOn", waitingFor, remedy: requestCommand(machine.name, "power-off") } };
  }
  const setup = isSettingUp(machine, now);
  if (setup !== undefined) return { phase, waiting: setup };
  if (seen.power.way === "bmc") return switchedOff(machine, now);
  const agent = agentOf(machine);
  if (agent === undefined || !wanted.wakeOnLan) return { phase };
  const goal = { ...goalOf(machine, "it is clean and idle"), context: `rest-agent.${agent.boot}` };
  return pursued(machine, pursue(machine, goal, { means: { by: "agent", boot: agent.boot } }, now));
}

function goalOf({ record }: Machine, because: string): Goal {
  return { do: "power-off", context: `rest.${record.wipe?.id ?? "unknown"}`, because, urgency: "lifecycle", most: MOST_TRIES };
}

function switchedOff(machine: Machine, now: number): Course {
  const { seen, record } = machine;
  const { power } = seen;
  const agent = agentOf(machine);
  if (power.power === "off") return settled(machine);
  if (power.power === "unknown" && record.action?.state !== "running") {
    return { phase: "Available", waiting: power.breaker.state === "open" ? unreachable(machine, WHAT) : unread(WHAT) };
  }
  const grace = graceOf(machine, now);
  if (grace !== undefined && now < grace.deadline) return { phase: "Available", waiting: grace };
  const goal = goalOf(
    machine,
    grace === undefined ? "it is clean and idle" : "it is clean and idle, and somebody has switched it on",
  );
  const last = record.action;
  // The agent first: it stops in order. Whether it is off only the BMC can say; it is asked, and made to, when the agent has gone or will not go.
  if (agent !== undefined && !(isFor(last, goal) && last.state !== "done")) {
    const byAgent = { ...goal, context: `rest-agent.${agent.boot}`, most: 1 };
    if (!isFor(last, byAgent) || last.state === "running") {
      const told = pursue(machine, byAgent, { means: { by: "agent", boot: agent.boot } }, now);
      if (told.state === "under-way") return pursued(machine, told);
    }
  }
  if (isFor(last, goal) && last.state === "done" && now < actionTime(last) + MINUTE) {
    const deadline = actionTime(last) + MINUTE;
    return {
      phase: "Available",
      waiting: { reason: "PowerOff", waitingFor: "its BMC to say that it is off", deadline, next: "switched off again" },
    };
  }
  const start: Start =
    power.breaker.state === "open" ? { wait: unreachable(machine, WHAT) } : { means: { by: "bmc", verb: "off" } };
  return pursued(machine, pursue(machine, goal, start, now, "anew"));
}

/** Off: what was still under way has come about. */
function settled({ record: { action } }: Machine): Course {
  const isDone = action?.do === "power-off" && action.state !== "done" && /\/rest(?:-agent)?\./.test(action.id);
  if (!isDone) return { phase: "Available" };
  const { error: _, retryAt: __, ...rest } = action;
  const tell = { do: "tell", type: "Normal", reason: "Server Management", message: "Server powered off." } as const;
  return { phase: "Available", effects: [tell], changes: { action: { ...rest, state: "done" } } };
}

/** For one that was off before and that nobody here has switched on. */
function graceOf({ record, name }: Machine, now: number): (Wait & { readonly deadline: number }) | undefined {
  const { phase, power, waiting } = record;
  const isGoing = waiting?.reason === "SwitchedOn";
  if (!isGoing && !(phase === "Available" && power === "off")) return undefined;
  const since = isGoing ? parse(waiting.since) || now : now;
  return {
    reason: "SwitchedOn",
    waitingFor: "whoever has switched it on: it is clean, and nobody holds it",
    since,
    deadline: since + GRACE,
    next: "switched off",
    remedy: `to keep it on: ${requestCommand(name, "power-on")}`,
  };
}

function pursued({ name }: Machine, pursuit: Pursuit): Course {
  const { action, intent, effects, wait, state } = pursuit;
  const waiting: Wait | undefined =
    state === "exhausted"
      ? {
          reason: "PowerFailed",
          waitingFor: wait?.waitingFor ?? "its BMC to switch it off",
          remedy: `see to its BMC, then: ${requestCommand(name, "retry")}`,
        }
      : (wait ?? { reason: "PowerOff", waitingFor: "its BMC to say that it is off" });
  return { phase: "Available", waiting, effects, ...(intent && { intent }), ...(action && { changes: { action } }) };
}
