/**
 * How many readings are under way at once. One that takes long gives its place to the next and goes on: BMCs that do not answer must not hold up
 * those that do. So at most `places` for each `turn` of the longest time-out are under way.
 */
import type { Clock } from "#io/clock.ts";

export class Places {
  readonly #clock: Clock;
  readonly #turn: number;
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock, { places, turn }: { readonly places: number; readonly turn: number }) {
    this.#clock = clock;
    this.#turn = turn;
    this.#free = places;
  }

  /** Runs `work` when there is a place; first come, first served. `work` must not reject. Returns what takes it back as long as it has not begun. */
  take(work: () => Promise<void>): () => void {
    const begin = (): void => {
      this.#waiting.delete(begin);
      this.#free--;
      let isHeld = true;
      const giveBack = (): void => {
        if (!isHeld) return;
        isHeld = false;
        timer.cancel();
        this.#free++;
        this.#next();
      };
      const timer = this.#clock.after(this.#turn, giveBack);
      void work().then(giveBack, giveBack);
    };
    this.#waiting.add(begin);
    this.#next();
    return () => this.#waiting.delete(begin);
  }

  #next(): void {
    if (this.#free <= 0) return;
    this.#waiting.values().next().value?.();
  }
}
