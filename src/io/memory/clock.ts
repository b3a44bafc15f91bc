/** Time that passes when a test says so. */
import type { Clock, Timer } from "#io/clock.ts";

interface Pending extends Timer {
  readonly due: number;
  readonly fire: () => void;
}

export class VirtualClock implements Clock {
  readonly #epoch: number;
  #elapsed = 0;
  /** In the order they fire: by due time, then by when they were set. */
  readonly #timers: Pending[] = [];

  /** `start` is what {@link now} says first, in milliseconds since 1970. */
  constructor(start: number = Date.UTC(2030, 0, 1)) {
    this.#epoch = start;
  }

  /** Whole, as everybody's. */
  now(): number {
    return Math.floor(this.#epoch + this.#elapsed);
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(delay: number, fire: () => void): Timer {
    const due = this.#elapsed + Math.max(0, delay);
    const timer: Pending = { due, fire, cancel: () => this.#remove(timer) };
    this.#timers.splice(this.#firstLaterThan(due), 0, timer);
    return timer;
  }

  /** How many timers are pending. */
  get pending(): number {
    return this.#timers.length;
  }

  /**
   * Lets `milliseconds` pass: fires what comes due, in order, also what is set on the way. Before each instant and at the end,
   * everything that is ready to run (promises, immediates) gets its turn.
   */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#elapsed + milliseconds;
    await settle();
    while (this.#timers.length > 0 && this.#timers[0]!.due <= end) {
      this.#elapsed = this.#timers[0]!.due;
      while (this.#timers[0]?.due === this.#elapsed) this.#timers.shift()!.fire();
      await settle();
    }
    this.#elapsed = end;
  }

  #firstLaterThan(due: number): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timers[middle]!.due <= due) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #remove(timer: Pending): void {
    const index = this.#timers.indexOf(timer);
    if (index >= 0) this.#timers.splice(index, 1);
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
