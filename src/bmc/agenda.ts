/** Who is to be looked at when: one timer for all machines, and nothing to do for those whose time has not come. */
import type { Clock, Timer } from "#io/clock.ts";

interface Entry {
  readonly key: string;
  /** Monotonic. */
  readonly at: number;
}

export class Agenda {
  readonly #clock: Clock;
  readonly #onDue: (key: string) => void;
  /** A binary heap, the earliest first. Entries that were changed stay in it until their time, and are known by their being another one. */
  readonly #heap: Entry[] = [];
  readonly #entries = new Map<string, Entry>();
  #timer: { readonly at: number; readonly timer: Timer } | undefined;

  constructor(clock: Clock, onDue: (key: string) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Machines that are on it. */
  get size(): number {
    return this.#entries.size;
  }

  /** Puts the key on the agenda in `delay` milliseconds, instead of when it was. */
  set(key: string, delay: number): void {
    const entry = { key, at: this.#clock.monotonic() + Math.max(0, delay) };
    this.#entries.set(key, entry);
    this.#push(entry);
    this.#wind();
  }

  delete(key: string): void {
    this.#entries.delete(key);
    this.#wind();
  }

  clear(): void {
    this.#entries.clear();
    this.#heap.length = 0;
    this.#wind();
  }

  #wind(): void {
    while (this.#heap.length > 0 && this.#entries.get(this.#heap[0]!.key) !== this.#heap[0]) this.#pop();
    // Whoever is put off again and again leaves entries behind.
    if (this.#heap.length > 64 + 4 * this.#entries.size) this.#compact();
    const at = this.#heap[0]?.at;
    if (at === this.#timer?.at) return;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    if (at === undefined) return;
    this.#timer = { at, timer: this.#clock.after(Math.max(0, at - this.#clock.monotonic()), () => this.#ring()) };
  }

  #ring(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    while (this.#heap.length > 0 && this.#heap[0]!.at <= now) {
      const entry = this.#pop();
      if (this.#entries.get(entry.key) !== entry) continue;
      this.#entries.delete(entry.key);
      this.#onDue(entry.key);
    }
    this.#wind();
  }

  #compact(): void {
    const live = [...this.#entries.values()].sort((a, b) => a.at - b.at);
    this.#heap.length = 0;
    for (const entry of live) this.#heap.push(entry);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (heap[parent]!.at <= entry.at) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      if (heap[child]!.at >= last.at) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
