/** Machines are replaced when somebody deletes them (§2.6). */
import type { Fleet, Plan } from "./count.ts";
import { sizeOf, sumOf } from "./count.ts";

/** `live`: machines of an old set that are not being deleted, by its name. */
export function planOnDelete({ replicas, current, old }: Fleet, live: ReadonlyMap<string, number>): Plan {
  const plan = new Map<string, number>();
  const specs = old.map((set) => ({ set, spec: Math.min(set.spec, live.get(set.name) ?? 0) }));
  let excess = Math.min(current.spec, replicas) + specs.reduce((sum, { spec }) => sum + spec, 0) - replicas;
  for (const each of specs) {
    const count = Math.max(Math.min(each.spec, excess), 0);
    each.spec -= count;
    excess -= count;
    if (each.spec !== each.set.spec) plan.set(each.set.name, each.spec);
  }
  // The place of a deleted machine is free when it is gone.
  const room = replicas - sumOf(old, ({ name, status }) => Math.max(plan.get(name) ?? 0, status)) - sizeOf(current);
  const size = current.spec >= replicas ? replicas : current.spec + Math.max(room, 0);
  if (size !== current.spec) plan.set(current.name, size);
  return plan;
}
