/** The order of a merged list in a strategic merge patch: patch items as the patch orders them, others where they were. */
import type { Json } from "#std/json.ts";

/** What identifies a list element: its merge key's value, or a scalar itself. */
export type KeyOf = (item: Json) => Json;

/** Elements that `by` names, and the others. */
export function partition(items: readonly Json[], by: readonly Json[], keyOf: KeyOf): { inside: Json[]; outside: Json[] } {
  const named = new Set(by.map(keyOf));
  const inside: Json[] = [];
  const outside: Json[] = [];
  for (const item of items) (named.has(keyOf(item)) ? inside : outside).push(item);
  return { inside, outside };
}

/** Sorted as `order` has them; what it does not name keeps its place at the end. */
export function sortedBy(items: readonly Json[], order: readonly Json[], keyOf: KeyOf): Json[] {
  const places = placesOf(order, keyOf);
  const placeOf = (item: Json): number => places.get(keyOf(item)) ?? order.length;
  return items.toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** Interleaves two sorted lists: an element of `left` goes before one of `right` only if the live list has it before. */
export function mergeOrder(left: readonly Json[], right: readonly Json[], live: readonly Json[], keyOf: KeyOf): Json[] {
  const places = placesOf(live, keyOf);
  const merged: Json[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    const before = places.get(keyOf(left[i]!));
    const after = places.get(keyOf(right[j]!));
    merged.push(before !== undefined && after !== undefined && before < after ? left[i++]! : right[j++]!);
  }
  return [...merged, ...left.slice(i), ...right.slice(j)];
}

/** Without repetitions, first occurrence kept. */
export function scalars(items: readonly Json[]): Json[] {
  return [...new Set(items)];
}

function placesOf(order: readonly Json[], keyOf: KeyOf): Map<Json, number> {
  const places = new Map<Json, number>();
  order.forEach((item, i) => {
    const key = keyOf(item);
    if (!places.has(key)) places.set(key, i);
  });
  return places;
}
