/** How long a machine is busy with itself, whatever it does at once. */
import type { Clock } from "#io/clock.ts";

export class Work {
  readonly #clock: Clock;
  #running = 0;
  #since = 0;
  #total = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds so far. */
  get total(): number {
    return this.#total + (this.#running > 0 ? this.#clock.monotonic() - this.#since : 0);
  }

  async during<T>(work: Promise<T>): Promise<T> {
    if (this.#running++ === 0) this.#since = this.#clock.monotonic();
    try {
      return await work;
    } finally {
      if (this.#running > 0 && --this.#running === 0) this.#total += this.#clock.monotonic() - this.#since;
    }
  }

  /** The power is gone, and what was under way with it. */
  stop(): void {
    this.#total = this.total;
    this.#running = 0;
  }
}
