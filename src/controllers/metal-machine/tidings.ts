/**
 * Those that wait for a Server say in their status what keeps all of them from it. That changes with every Server; a hundred changes are told at
 * once, and the more are waiting the more seldom, so that telling never costs more than a few writes a second.
 */
import type { Clock, Timer } from "#io/clock.ts";

/** Milliseconds from a change to its being told, and what each that waits adds. */
const DELAY = 2000;
const DELAY_EACH = 50;

export class Tidings {
  readonly #clock: Clock;
  readonly #waitingFor: (serverClass: string) => readonly string[];
  readonly #timers = new Map<string, Timer>();
  #tell: ((keys: readonly string[]) => void) | undefined;

  constructor(clock: Clock, waitingFor: (serverClass: string) => readonly string[]) {
    this.#clock = clock;
    this.#waitingFor = waitingFor;
  }

  /** Returns what ends it. */
  listen(tell: (keys: readonly string[]) => void): () => void {
    this.#tell = tell;
    return () => {
      this.#tell = undefined;
      for (const timer of this.#timers.values()) timer.cancel();
      this.#timers.clear();
    };
  }

  /** The figures of these classes have changed. */
  of(classes: readonly string[]): void {
    if (this.#tell === undefined) return;
    for (const serverClass of classes) {
      const { length } = this.#waitingFor(serverClass);
      if (length === 0 || this.#timers.has(serverClass)) continue;
      const fire = (): void => {
        this.#timers.delete(serverClass);
        this.#tell?.(this.#waitingFor(serverClass));
      };
      this.#timers.set(serverClass, this.#clock.after(DELAY + DELAY_EACH * length, fire));
    }
  }
}
