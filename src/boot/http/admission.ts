/**
 * How much of all downloads may be on its way to sockets at once. Downloads send a chunk at a time and queue for each: a boot storm slows
 * everybody evenly, and memory stays bounded. Scripts and other small answers do not come here.
 */
import type { Clock, Timer } from "#io/clock.ts";

export interface AdmissionOptions {
  /** Bytes on their way at once. Chunks of peers that do not read may take as much again. */
  readonly limit: number;
  /** Milliseconds after which a chunk that has not left is no longer waited for by others. */
  readonly patience: number;
  readonly clock: Clock;
}

interface Held {
  readonly bytes: number;
  readonly since: number;
  isSlow: boolean;
}

interface Waiting {
  readonly bytes: number;
  readonly admit: (release: () => void) => void;
}

export class Admission {
  readonly #limit: number;
  readonly #patience: number;
  readonly #clock: Clock;
  /** In the order in which they were admitted. */
  readonly #held = new Set<Held>();
  readonly #waiting = new Set<Waiting>();
  #moving = 0;
  #slow = 0;
  #timer: Timer | undefined;
  #peak = 0;

  constructor({ limit, patience, clock }: AdmissionOptions) {
    this.#limit = limit;
    this.#patience = patience;
    this.#clock = clock;
  }

  /** Bytes on their way at the worst moment so far. */
  get peak(): number {
    return this.#peak;
  }

  get inFlight(): number {
    return this.#moving + this.#slow;
  }

  /**
   * Resolves, first come, first served, when `bytes` may be sent, to what is to be called once they have left or never will; rejects with the
   * signal's reason. A chunk larger than the limit goes alone.
   */
  admit(bytes: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#waiting.size === 0 && this.#fits(bytes)) return Promise.resolve(this.#hold(bytes));
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#waiting.delete(waiting);
        reject(signal.reason as Error);
        this.#serve();
      };
      const waiting: Waiting = {
        bytes,
        admit(release) {
          signal.removeEventListener("abort", stop);
          resolve(release);
        },
      };
      this.#waiting.add(waiting);
      signal.addEventListener("abort", stop, { once: true });
      this.#serve();
    });
  }

  #fits(bytes: number): boolean {
    return this.#moving === 0 || this.#moving + bytes <= this.#limit;
  }

  #hold(bytes: number): () => void {
    const held: Held = { bytes, since: this.#clock.monotonic(), isSlow: false };
    this.#held.add(held);
    this.#moving += bytes;
    this.#peak = Math.max(this.#peak, this.inFlight);
    return () => {
      if (!this.#held.delete(held)) return;
      if (held.isSlow) this.#slow -= bytes;
      else this.#moving -= bytes;
      this.#serve();
    };
  }

  #serve(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const waiting of this.#waiting) {
      if (!this.#fits(waiting.bytes)) return this.#makeRoom();
      this.#waiting.delete(waiting);
      waiting.admit(this.#hold(waiting.bytes));
    }
  }

  /** The oldest chunks that are slow make room for those that wait, now or when they are due. */
  #makeRoom(): void {
    for (const held of this.#held) {
      if (held.isSlow) continue;
      if (this.#slow + held.bytes > this.#limit) return;
      const due = held.since + this.#patience - this.#clock.monotonic();
      if (due > 0) {
        this.#timer = this.#clock.after(due, () => this.#serve());
        return;
      }
      held.isSlow = true;
      this.#slow += held.bytes;
      this.#moving -= held.bytes;
      return this.#serve();
    }
  }
}
