/** One resource's visible objects: by position, and in the order of lists. */
import type { StoredEntry } from "./entry.ts";
import { positionOf } from "./entry.ts";
import type { ListOptions, Page } from "./store.ts";

/** How some positions differ from now at an earlier revision; undefined: the object was not there. */
export type Past = ReadonlyMap<string, StoredEntry | undefined>;

export class Table {
  readonly #entries = new Map<string, StoredEntry>();
  /** Sorted by code unit. */
  #positions: string[] = [];

  get size(): number {
    return this.#entries.size;
  }

  get(position: string): StoredEntry | undefined {
    return this.#entries.get(position);
  }

  set(entry: StoredEntry): void {
    if (!this.#entries.has(entry.position))
      this.#positions.splice(firstAtLeast(this.#positions, entry.position), 0, entry.position);
    this.#entries.set(entry.position, entry);
  }

  delete(position: string): void {
    if (this.#entries.delete(position)) this.#positions.splice(firstAtLeast(this.#positions, position), 1);
  }

  /** As {@link set} and {@link delete} for many objects at once: positions are in order again after {@link sort}. */
  load(position: string, entry: StoredEntry | undefined): void {
    if (entry === undefined) this.#entries.delete(position);
    else this.#entries.set(position, entry);
  }

  sort(): void {
    this.#positions = [...this.#entries.keys()].sort();
  }

  /** A page of the present with `past` laid over it. */
  page(options: ListOptions, past: Past): Omit<Page, "revision"> {
    const { namespace = "", match, limit = 0, after } = options;
    const positions = past.size === 0 ? this.#positions : this.#positionsIn(past);
    // Everything in a namespace lies between `namespace/` and `namespace0`, the next code unit after the slash.
    let index = namespace === "" ? 0 : firstAtLeast(positions, `${namespace}/`);
    const end = namespace === "" ? positions.length : firstAtLeast(positions, `${namespace}0`);
    if (after !== undefined) index = Math.max(index, firstAfter(positions, positionOf(after.namespace, after.name)));

    const entries: StoredEntry[] = [];
    for (; index < end && (limit === 0 || entries.length < limit); index++) {
      const position = positions[index]!;
      const entry = past.get(position) ?? this.#entries.get(position)!;
      if (match === undefined || match(entry)) entries.push(entry);
    }
    const last = entries.at(-1);
    const remaining = Math.max(0, end - index);
    const next = remaining === 0 || last === undefined ? undefined : { namespace: last.namespace, name: last.name };
    return { entries, next, remaining };
  }

  #positionsIn(past: Past): string[] {
    const positions = this.#positions.filter((position) => !past.has(position));
    for (const [position, entry] of past) if (entry !== undefined) positions.push(position);
    return positions.sort();
  }
}

/** Index of the first position that is not less than `bound`. */
function firstAtLeast(positions: readonly string[], bound: string): number {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (positions[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first position that is greater than `bound`. */
function firstAfter(positions: readonly string[], bound: string): number {
  const index = firstAtLeast(positions, bound);
  return positions[index] === bound ? index + 1 : index;
}
