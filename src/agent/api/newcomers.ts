/** How many new machines are taken in. A token costs no more than asking for a script, and each new Server stays until somebody deletes it. */
import { Bucket, type BucketOptions } from "#io/bucket.ts";
import type { Clock } from "#io/clock.ts";
import { refusal } from "./faults.ts";

export interface NewcomerLimits {
  readonly inAll: BucketOptions;
  /** It may be the address of a gateway which many machines are behind. */
  readonly perAddress: BucketOptions;
}

/** A hall of machines at once, and from one address a row of them; later some thousands a day. */
const LIMITS: NewcomerLimits = { inAll: { rate: 1, burst: 4096 }, perAddress: { rate: 0.1, burst: 256 } };
/** Addresses remembered; the one that came first is forgotten. */
const MOST = 16_384;

export class Newcomers {
  readonly #clock: Clock;
  readonly #limits: NewcomerLimits;
  readonly #inAll: Bucket;
  readonly #byAddress = new Map<string, Bucket>();

  constructor(clock: Clock, limits: NewcomerLimits = LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
    this.#inAll = new Bucket(clock, limits.inAll);
  }

  /** To be called before a Server is made. Fault `agent.busy` when that is too many. */
  admit(address: string): void {
    const own = this.#byAddress.get(address) ?? new Bucket(this.#clock, this.#limits.perAddress);
    this.#byAddress.set(address, own);
    if (this.#byAddress.size > MOST) this.#byAddress.delete(this.#byAddress.keys().next().value!);
    if (!own.take()) throw refusal("agent.busy", `too many new machines register from ${address}: try again later`);
    if (!this.#inAll.take()) throw refusal("agent.busy", "too many new machines register at once: try again later");
  }
}
