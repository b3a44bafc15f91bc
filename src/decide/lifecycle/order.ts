/**
 * Orders to wipe (DESIGN §4.4). They are made here and nowhere else, each from positive evidence on record: the machine was Discovered and is
 * accepted now; its allocation is on record and its binding has gone; somebody has asked for it. Each is confirmed against what is true at that moment
 * before it is recorded, and again by the agent before the first byte is written.
 */
import { fraction, MOST_BOOTS } from "./pace.ts";
import type { Changes, Course, LifecycleEffect, Machine, Wipe } from "./machine.ts";
import { parse, stamp } from "./time.ts";

/** An order that is to be carried out, or has failed and may be tried again. */
export function openOrder({ record: { wipe } }: Machine): Wipe | undefined {
  return wipe !== undefined && wipe.state !== "done" && wipe.state !== "withdrawn" ? wipe : undefined;
}

/** Given up: nothing is done for it until somebody has looked. */
export function isGivenUp(order: Wipe): boolean {
  return order.state === "failed" && (order.attempts ?? 0) >= MOST_BOOTS;
}

/** An agent has begun, has not said that it has ended, and was heard of not long ago: it may be writing at this moment. */
export function isBeingWritten({ record: { wipe }, seen, settings }: Machine, now: number): boolean {
  if (wipe?.state !== "started") return false;
  const said = seen.orders.find(({ id, kind }) => id === wipe.id && kind === "wipe")?.state;
  if (said === "done" || said === "failed") return false;
  return now < writtenUntil(wipe, settings.rebootTimeout);
}

/** When an agent that is silent is given up. In steps, so that not every sign of life is a change of the status. */
export function writtenUntil(order: Wipe, patience: number): number {
  const heard = Math.max(...[order.heardAt, order.startedAt, order.attemptedAt].map((time) => parse(time) || 0));
  const step = Math.max(1, patience / 4);
  return Math.ceil((heard + patience) / step) * step;
}

export function newOrder(machine: Machine, by: Wipe["by"], reason: string, now: number): Wipe {
  const seed = `${machine.uid}/${by}/${now}/${machine.record.wipe?.id ?? ""}`;
  const half = (salt: string): string =>
    Math.floor(fraction(seed + salt) * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  return { id: `${half("a")}${half("b")}`, reason, by, orderedAt: stamp(now), state: "ordered", attempts: 0 };
}

/** The order is on record only if it is confirmed. What drives it is the turn after. */
export function ordered(machine: Machine, by: Wipe["by"], reason: string, now: number): Course {
  const wipe = newOrder(machine, by, reason, now);
  const { allocation } = machine.record;
  const { namespace, cluster } = allocation ?? {};
  const confirm: LifecycleEffect = {
    do: "confirm-free",
    ...(by === "release" && namespace !== undefined && cluster !== undefined && { cluster: { namespace, name: cluster } }),
  };
  const tell = {
    do: "tell",
    type: "Normal",
    reason: "Server Wipe",
    message: `Server is to be wiped: ${reason} (order ${wipe.id}).`,
  } as const;
  return {
    phase: by === "release" ? "Releasing" : "Wiping",
    waiting: { reason: "WipeOrdered", waitingFor: "its order to wipe to be carried out" },
    effects: [confirm, tell],
    changes: { wipe, allocation: undefined },
  };
}

/** The order in force ends without being carried out. */
export function withdrawn(machine: Machine, why: string, now: number): Changes {
  const order = openOrder(machine);
  return order === undefined ? {} : { wipe: { ...order, state: "withdrawn", finishedAt: stamp(now), detail: why } };
}
