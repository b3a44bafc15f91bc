/** A token bucket: so many at once, and so many a second in the long run. */
import type { Clock } from "./clock.ts";

export interface BucketOptions {
  /** In a second. */
  readonly rate: number;
  /** At once. */
  readonly burst: number;
}

export class Bucket {
  readonly #clock: Clock;
  readonly #rate: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;

  constructor(clock: Clock, { rate, burst }: BucketOptions) {
    this.#clock = clock;
    this.#rate = rate;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAt = clock.monotonic();
  }

  /** False when there is none left. */
  take(): boolean {
    return this.pay(1) === 0;
  }

  /** Takes so many, or none and says how many milliseconds it is until there are as many; more than fit are waited for like as many as fit. */
  pay(count: number): number {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) * this.#rate) / 1000);
    this.#filledAt = now;
    const missing = Math.min(count, this.#burst) - this.#tokens;
    if (missing > 0) return (missing * 1000) / this.#rate;
    this.#tokens -= count;
    return 0;
  }
}
