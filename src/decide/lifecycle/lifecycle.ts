/** The life cycle of a machine: one look, one decision. Pure; everything it knows is in the {@link Machine}. */
import { conditionsOf } from "./conditions.ts";
import type { Changes, LifecycleEffect, Machine } from "./machine.ts";
import { courseOf } from "./phase.ts";
import { setupEffects } from "./setup.ts";
import { news, tracked } from "./tracked.ts";
import { waitingOf } from "./waiting.ts";

/** In the form of the loop's decisions (`kube/controller.ts`). */
export interface LifecycleDecision {
  readonly intent?: Changes;
  readonly effects: readonly LifecycleEffect[];
  readonly status: Changes;
  readonly again?: number;
  readonly finalized?: boolean;
}

export function decideLifecycle(machine: Machine, now: number): LifecycleDecision {
  // It would be written over by a status of what was before.
  if (isToBeDisowned(machine)) return { effects: [{ do: "disown" }], status: {} };
  const course = courseOf(machine, now);
  const told = news(machine).map((each) => ({ do: "tell", type: "Normal", ...each }) as const);
  const status = {
    ...tracked(machine, course, now),
    phase: course.phase,
    waiting: waitingOf(machine, course.waiting, now),
    ...course.changes,
  };
  const wipe = "wipe" in status ? status.wipe : machine.record.wipe;
  const action = "action" in status ? status.action : machine.record.action;
  const again = againOf(course.waiting?.deadline, now);
  return {
    ...(course.intent && { intent: course.intent }),
    effects: [...(course.effects ?? []), ...setupEffects(machine), ...told],
    status: { ...status, conditions: conditionsOf(machine, wipe, action, now) },
    ...(again !== undefined && { again }),
    ...(course.finalized === true && { finalized: true }),
  };
}

function isToBeDisowned({ wanted, seen }: Machine): boolean {
  return wanted.isOwned && seen.binding !== undefined && wanted.paused === undefined;
}

/** Just after the deadline: one that has passed is not waited for. */
function againOf(deadline: number | undefined, now: number): number | undefined {
  return deadline === undefined || deadline <= now ? undefined : deadline - now + 1;
}
