/** Records that are to be written, and how many there are of each kind of machine. */
import type { Place } from "#decide/flight/logbook.ts";

export class Dirty {
  readonly #places = new Map<string, Place>();
  readonly #counts: Record<Place, number> = { passing: 0, arriving: 0, known: 0 };

  get size(): number {
    return this.#places.size;
  }

  count(place: Place): number {
    return this.#counts[place];
  }

  has(record: string): boolean {
    return this.#places.has(record);
  }

  get(record: string): Place | undefined {
    return this.#places.get(record);
  }

  set(record: string, place: Place): void {
    this.delete(record);
    this.#places.set(record, place);
    this.#counts[place]++;
  }

  delete(record: string): void {
    const place = this.#places.get(record);
    if (place === undefined) return;
    this.#places.delete(record);
    this.#counts[place]--;
  }

  [Symbol.iterator](): IterableIterator<[string, Place]> {
    return this.#places.entries();
  }
}
