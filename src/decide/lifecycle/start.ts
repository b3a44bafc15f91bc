/** How a machine can be started, or started anew, right now: by its BMC, by its agent, by Wake-on-LAN, or by a person only. */
import type { Means } from "./action.ts";
import { actionTime, isStart } from "./action.ts";
import type { Seen, Machine, Wait } from "./machine.ts";

/** The agent's connection, unless it is of the system that we have switched off meanwhile: such a stream takes a while to be missed. */
export function agentOf({ record: { action }, seen: { agent } }: Machine): Seen["agent"] {
  if (agent === undefined || action === undefined || action.state === "failed") return agent;
  const isReplaced = (isStart(action) || action.do === "power-off") && agent.since < actionTime(action);
  return isReplaced && !action.id.endsWith(`/agent:${agent.boot}`) ? undefined : agent;
}

export type Start = { readonly means: Means } | { readonly wait: Wait };

/** Into the network if the BMC can say so; else as its firmware is set up, which has to be network first. */
export function startOf(machine: Machine, what: string): Start {
  const { wanted, seen } = machine;
  const { power } = seen;
  const agent = agentOf(machine);
  if (power.way === "bmc") {
    const isAway = power.breaker.state === "open";
    if (power.power === "off" && !isAway) return { means: { by: "bmc", verb: "on" } };
    if (power.power === "on" && !isAway) return { means: { by: "bmc", verb: "cycle" } };
    if (agent !== undefined) return { means: { by: "agent", boot: agent.boot } };
    return { wait: isAway ? unreachable(machine, what) : unread(what) };
  }
  if (agent !== undefined) return { means: { by: "agent", boot: agent.boot } };
  if (wanted.wakeOnLan) return { means: { by: "wake" } };
  return { wait: power.way === "unusable" ? unusable(machine, what) : person(what) };
}

export function unreachable({ seen: { power } }: Machine, what: string): Wait {
  const { error = "it does not answer", retryAt, since } = power.breaker;
  return {
    reason: "BmcUnreachable",
    waitingFor: `its BMC to answer, ${what}: ${error}`,
    ...(since !== undefined && { since }),
    ...(retryAt !== undefined && { deadline: retryAt }),
    next: "its BMC is asked again",
    remedy: "see that the BMC is there, and that address and credentials in spec.bmc are right",
  };
}

export function unread(what: string): Wait {
  return { reason: "PowerUnknown", waitingFor: `its BMC to say whether it is on, ${what}`, next: "its BMC is asked again" };
}

function unusable({ seen: { power } }: Machine, what: string): Wait {
  return {
    reason: "BmcUnusable",
    waitingFor: `a BMC that can be used, ${what}: ${power.problem ?? "what is configured cannot work"}`,
    remedy: "correct spec.bmc or spec.managementApi, or start the machine by hand",
  };
}

function person(what: string): Wait {
  return {
    reason: "PersonNeeded",
    waitingFor: `somebody to switch it on or restart it, ${what}: it has no BMC, and its agent is not connected`,
    next: "it boots over the network and goes on by itself",
    remedy: "press its button; or give it a BMC (spec.bmc), or spec.wakeOnLan",
  };
}
