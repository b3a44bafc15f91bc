/** What is read of a BMC beside the power: what it can, what it is, and how it is. Seldom, for some take minutes to say it. */
import type { BmcCapabilities, BmcInventory, Health, PowerAction } from "#decide/power.ts";
import type { Clock } from "#io/clock.ts";
import { Fault } from "#std/fault.ts";
import { equal } from "#std/json.ts";
import type { Bmc } from "./bmc.ts";
import { isOfBmc } from "./breaker.ts";
import type { CallName, FleetSettings } from "./settings.ts";

export type Call = <T>(name: CallName, run: (bmc: Bmc, signal: AbortSignal) => Promise<T>) => Promise<T>;

interface Facts {
  readonly capabilities?: BmcCapabilities;
  readonly inventory?: BmcInventory;
  readonly health?: Health;
}

export class Reading {
  readonly #clock: Clock;
  readonly #settings: Pick<FleetSettings, "identity" | "health" | "rest">;
  readonly #phase: number;
  #facts: Facts = {};
  /** Monotonic: when each is due. */
  #due = { capabilities: 0, inventory: 0, health: 0 };

  constructor(clock: Clock, settings: Pick<FleetSettings, "identity" | "health" | "rest">, phase: number) {
    this.#clock = clock;
    this.#settings = settings;
    this.#phase = phase;
    this.forget();
  }

  get facts(): Facts {
    return this.#facts;
  }

  lacks(action: PowerAction): boolean {
    return this.#facts.capabilities?.actions.includes(action) === false;
  }

  /** Everything is to be read again: at the next occasion, but for the health, which is spread over its period. */
  forget(): void {
    const now = this.#clock.monotonic();
    this.#due = { capabilities: now, inventory: now, health: now + this.#phase * this.#settings.health };
  }

  /**
   * Reads what is due, one after the other, while `isFree`; whether the facts are others now. Rejects with a Fault that says something against the
   * BMC's being there; what it only cannot say is not asked for again soon.
   */
  async readDue(call: Call, isFree: () => boolean): Promise<boolean> {
    const before = this.#facts;
    const { identity, health } = this.#settings;
    await this.#part("capabilities", identity, isFree, () => call("capabilities", (bmc, signal) => bmc.capabilities(signal)));
    await this.#part("inventory", identity, isFree, () => call("inventory", (bmc, signal) => bmc.inventory(signal)));
    await this.#part("health", health, isFree, async () => (await call("health", (bmc, signal) => bmc.health(signal))).overall);
    return this.#facts !== before;
  }

  async #part<K extends keyof Facts>(
    what: K,
    period: number,
    isFree: () => boolean,
    read: () => Promise<Facts[K]>,
  ): Promise<void> {
    const now = this.#clock.monotonic();
    if (now < this.#due[what] || !isFree()) return;
    try {
      const value = await read();
      if (!equal(value, this.#facts[what])) this.#facts = { ...this.#facts, [what]: value };
    } catch (error) {
      if (isOfBmc(Fault.from(error).code)) throw error;
    }
    // Readings come every `rest`: what is due a moment after one of them is not to wait for the next.
    this.#due[what] = now + period - this.#settings.rest / 2;
  }
}
