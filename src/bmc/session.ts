/** The one session with a BMC: opened for the first call, kept as long as it is used, and always ended. */
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import type { Bmc } from "./bmc.ts";

/** Milliseconds that a BMC may take to say good-bye. */
const FAREWELL = 5000;

export class Session {
  readonly #make: () => Promise<Bmc>;
  readonly #clock: Clock;
  #bmc: Promise<Bmc> | undefined;
  #isUsed = false;
  #closing: Promise<void> = Promise.resolve();

  /** `make` reads the credentials. */
  constructor(make: () => Promise<Bmc>, clock: Clock) {
    this.#make = make;
    this.#clock = clock;
  }

  /** Rejects as `make` does; it is asked again then. */
  async get(): Promise<Bmc> {
    // A BMC that has one session to give has none as long as the old one is not ended.
    await this.#closing;
    if (this.#bmc === undefined) {
      const made = this.#make();
      this.#bmc = made;
      made.catch(() => {
        if (this.#bmc === made) this.#bmc = undefined;
      });
    }
    this.#isUsed = true;
    return this.#bmc;
  }

  /** Ends it. Resolves when the BMC knows, or has had its time. What has been learnt of the BMC stays. */
  drop(): Promise<void> {
    if (this.#isUsed && this.#bmc !== undefined) {
      const ended = this.#bmc.then((bmc) => bmc.close()).catch(() => {});
      const late = new AbortController();
      this.#closing = Promise.race([ended, sleep(this.#clock, FAREWELL, late.signal).catch(() => {})]).finally(() =>
        late.abort(),
      );
    }
    this.#isUsed = false;
    return this.#closing;
  }

  /** Ends it; the next call begins from nothing, with credentials read anew. */
  forget(): Promise<void> {
    const ended = this.drop();
    this.#bmc = undefined;
    return ended;
  }
}
