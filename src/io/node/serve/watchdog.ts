/** One re-armed timer for "nothing has moved for so long": arming and disarming cost no more than an assignment or two. */
export class Watchdog {
  readonly #delay: number;
  readonly #bark: () => void;
  #timer: NodeJS.Timeout | undefined;
  #armed = false;

  /** Calls `bark` once when armed for `delay` ms without being armed again, disarmed or closed. */
  constructor(delay: number, bark: () => void) {
    this.#delay = delay;
    this.#bark = bark;
  }

  arm(): void {
    this.#armed = true;
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#expire(), this.#delay).unref();
    else this.#timer.refresh();
  }

  disarm(): void {
    this.#armed = false;
  }

  close(): void {
    this.#armed = false;
    clearTimeout(this.#timer);
  }

  #expire(): void {
    if (this.#armed) this.#bark();
  }
}
