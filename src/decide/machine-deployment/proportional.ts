/** A paused deployment replaces nothing, but keeps its number: what comes and goes is shared among its sets by their sizes (§2.6). */
import type { Fleet, Plan, SetCount } from "./count.ts";
import { sumOf } from "./count.ts";

/** `before`: of a set, how many machines there could be when it was scaled last (its annotation max-replicas). */
export function planProportional(fleet: Fleet, before: (set: SetCount) => number | undefined): Plan {
  const { replicas, maxSurge, current, old } = fleet;
  const sets = [current, ...old];
  const active = sets.filter(({ spec }) => spec > 0);
  if (active.length <= 1) return only(active[0] ?? current, replicas);
  const isSaturated = current.spec === replicas && current.available === replicas;
  if (isSaturated) return new Map(old.filter(({ spec }) => spec > 0).map(({ name }) => [name, 0]));

  const most = replicas > 0 ? replicas + maxSurge : 0;
  const total = most - sumOf(sets, ({ spec }) => spec);
  if (total === 0) return new Map();
  // The biggest first; among equals growth goes to the newest, and shrinking takes from the oldest.
  const sorted = active.toSorted((a, b) => b.spec - a.spec || (total > 0 ? b.created - a.created : a.created - b.created));
  let left = total;
  const specs = sorted.map((set) => {
    const wanted = most === 0 ? 0 : Math.round((set.spec * most) / (before(set) ?? most));
    const share = total > 0 ? Math.max(Math.min(wanted - set.spec, left), 0) : Math.min(Math.max(wanted - set.spec, left), 0);
    left -= share;
    return set.spec + share;
  });
  specs[0] = Math.max(specs[0]! + left, 0);
  return new Map(sorted.flatMap((set, i) => (specs[i] === set.spec ? [] : [[set.name, specs[i]!] as const])));
}

function only({ name, spec }: SetCount, replicas: number): Plan {
  return spec === replicas ? new Map() : new Map([[name, replicas]]);
}
