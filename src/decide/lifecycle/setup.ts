/** The machine's agent makes an account for Sidero on its BMC, where none is configured (AUTO_BMC_SETUP): at the first opportunity, once in each boot until it has worked. */
import type { LifecycleEffect, Machine, Wait } from "./machine.ts";
import { agentOf } from "./start.ts";
import { MINUTE } from "./time.ts";

/** A BMC that takes longer is not waited for. */
const PATIENCE = 5 * MINUTE;

export function setupOrder(boot: string): string {
  return `setup-bmc/${boot}`;
}

export function setupEffects(machine: Machine): LifecycleEffect[] {
  const agent = wantedOf(machine);
  if (agent === undefined) return [];
  const id = setupOrder(agent.boot);
  return machine.seen.orders.some((order) => order.id === id) ? [] : [{ do: "order", kind: "setupBmc", id }];
}

/** It would be a pity to switch the machine off just now: also before it has said that it is done, and has closed the account of before. */
export function isSettingUp(machine: Machine, now: number): Wait | undefined {
  const { agent: connected, orders } = machine.seen;
  const open = orders.filter(({ state }) => state === "sent" || state === "started");
  const isPatient = connected !== undefined && now < connected.since + PATIENCE;
  // A new password is under way only while somebody has asked for it; its agent answers, or goes.
  if (open.some(({ kind }) => (kind === "setupBmc" && isPatient) || (kind === "rotateBmc" && connected !== undefined))) {
    return { reason: "BmcSetup", waitingFor: "its agent to be done with its BMC" };
  }
  const agent = wantedOf(machine);
  if (agent === undefined || now >= agent.since + PATIENCE) return undefined;
  const order = machine.seen.orders.find(({ id }) => id === setupOrder(agent.boot));
  if (order !== undefined && (order.state === "done" || order.state === "failed")) return undefined;
  const next = "the machine goes on without, and it is tried in its next boot";
  return { reason: "BmcSetup", waitingFor: "its agent to set up its BMC", deadline: agent.since + PATIENCE, next };
}

function wantedOf(machine: Machine): ReturnType<typeof agentOf> {
  const { wanted, settings } = machine;
  const isWanted = settings.autoBmcSetup && wanted.accepted && wanted.lacksBmc && wanted.paused === undefined && !wanted.deleting;
  return isWanted ? agentOf(machine) : undefined;
}
