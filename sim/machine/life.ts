/**
 * One power-on of a machine. Everything that runs in it (firmware, iPXE, kernel, agent) has its time from here and ends without a word when the
 * power goes: no timer fires any more, and nothing that it waits for ever comes.
 */
import type { Clock, Timer } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";

export class Life implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  readonly #ends = new Set<() => void>();
  #alive = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get alive(): boolean {
    return this.#alive;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  after(delay: number, fire: () => void): Timer {
    if (!this.#alive) return { cancel() {} };
    const inner = this.#clock.after(delay, () => {
      this.#timers.delete(timer);
      fire();
    });
    const timer: Timer = {
      cancel: () => {
        this.#timers.delete(timer);
        inner.cancel();
      },
    };
    this.#timers.add(timer);
    return timer;
  }

  sleep(delay: number): Promise<void> {
    return sleep(this, delay);
  }

  /** What comes of it, as long as there is somebody to see it. */
  live<T>(result: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      result.then(
        (value) => void (this.#alive && resolve(value)),
        (error: unknown) => void (this.#alive && reject(error as Error)),
      );
    });
  }

  /** Called when the power goes. Returns what takes that back. */
  onEnd(end: () => void): () => void {
    if (this.#alive) this.#ends.add(end);
    else end();
    return () => void this.#ends.delete(end);
  }

  end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    for (const end of this.#ends) end();
    this.#ends.clear();
  }
}
