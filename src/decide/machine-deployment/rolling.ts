/** The next step of a rolling update (§2.6): new machines as far as there may be more, old ones away as far as there may be fewer. */
import type { Fleet, Plan, SetCount } from "./count.ts";
import { sizeOf, sumOf } from "./count.ts";

export function planRollingUpdate(fleet: Fleet): Plan {
  const { current, old } = fleet;
  const plan = new Map<string, number>();
  const size = grown(fleet);
  if (size !== current.spec) plan.set(current.name, size);
  for (const [name, spec] of shrunk(fleet, size)) plan.set(name, spec);
  if (plan.size > 0 || !isStuck(fleet)) return plan;
  const broken = old.find((set) => set.spec > steady(set));
  return broken === undefined ? plan : plan.set(broken.name, broken.spec - 1);
}

/** What the current set is to have now. Machines that are still being deleted count: their hardware is not free. */
function grown({ replicas, maxSurge, current, old }: Fleet): number {
  if (current.spec >= replicas) return replicas;
  const room = replicas + maxSurge - sumOf([current, ...old], sizeOf);
  return current.spec + Math.max(Math.min(room, replicas - current.spec), 0);
}

/** Available machines that stay for certain: of those on their way out, all may be available ones. */
function steady({ spec, available }: SetCount): number {
  return Math.min(spec, available);
}

/**
 * Old sets, the oldest first, and before all those that have machines which are of no use anyway. It is always assumed that a set
 * takes away an available machine, as long as it has one.
 */
function shrunk({ replicas, maxUnavailable, current, old }: Fleet, size: number): Plan {
  const least = replicas - maxUnavailable;
  const now = { ...current, spec: size };
  let [left, spare] = [
    sumOf([now, ...old], ({ spec }) => spec) - least - (size - steady(now)),
    sumOf([now, ...old], steady) - least,
  ];
  const specs = new Map(old.map((set) => [set.name, set.spec]));
  const take = (set: SetCount, most: number): void => {
    const [spec, available] = [specs.get(set.name)!, Math.min(specs.get(set.name)!, set.available)];
    const count = Math.max(Math.min(most, left, available <= spare ? spec : spare), 0);
    specs.set(set.name, spec - count);
    left -= count;
    spare -= Math.min(count, available);
  };
  for (const set of old) take(set, set.spec - steady(set));
  for (const set of old) take(set, specs.get(set.name)!);
  return new Map([...specs].filter(([name, spec]) => old.find((set) => set.name === name)!.spec !== spec));
}

/** Nothing moves, and nothing is under way that would change that: only old machines that do not come up stand in the way. */
function isStuck({ current, old }: Fleet): boolean {
  const isUp = current.status === current.spec && current.available === current.spec;
  return isUp && old.every((set) => set.status <= set.spec);
}
