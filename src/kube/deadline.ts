/** An end to waiting for others. */
import { Fault } from "#std/fault.ts";
import type { Clock, Timer } from "#io/clock.ts";

/** A signal that is aborted when `outer` is, when a limit of time passes, or on release; what it waits for need not know which. */
export class Deadline {
  readonly #clock: Clock;
  readonly #outer: AbortSignal | undefined;
  readonly #cut = new AbortController();
  readonly #stop = (): void => this.#cut.abort(this.#outer!.reason);
  #timer: Timer | undefined;

  constructor(clock: Clock, outer?: AbortSignal) {
    outer?.throwIfAborted();
    this.#clock = clock;
    this.#outer = outer;
    outer?.addEventListener("abort", this.#stop, { once: true });
  }

  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  /** Aborts with Fault `api.timeout` in `delay` milliseconds from now; a new limit takes the place of the one before. */
  limit(delay: number, message: string): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(delay, () =>
      this.#cut.abort(new Fault("api.timeout", message, { fault: "peer", retry: "soon" })),
    );
  }

  /** What really went wrong: why the signal was aborted, if it was; else `error` itself. */
  blame(error: unknown): unknown {
    return this.signal.aborted ? this.signal.reason : error;
  }

  /** Ends the limit, and whatever still hangs on the signal (an answer nobody reads on). */
  release(): void {
    this.#timer?.cancel();
    this.#outer?.removeEventListener("abort", this.#stop);
    this.#cut.abort();
  }
}
