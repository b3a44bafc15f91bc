/** How many requests may be on their way here at once. A body is held in memory before anybody knows whose it is, and anybody can send one. */
import type { Clock } from "#io/clock.ts";
import type { Incoming } from "#io/serve.ts";
import { Fault } from "#std/fault.ts";

export interface IntakeLimits {
  /** Bodies that are being received. */
  readonly bodies: number;
  /** Of them, from one address: it may be that of a gateway which many machines are behind. */
  readonly perAddress: number;
  /** Milliseconds until a body must be there; a machine's report takes a few. */
  readonly time: number;
}

export const LIMITS: IntakeLimits = { bodies: 256, perAddress: 64, time: 15_000 };

export class Intake {
  readonly #clock: Clock;
  readonly #limits: IntakeLimits;
  readonly #byAddress = new Map<string, number>();
  #taken = 0;

  constructor(clock: Clock, limits: IntakeLimits = LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** The body; rejects as {@link Incoming.body}, and with Fault `agent.busy` when there is no room or it takes too long. */
  async body(incoming: Incoming, limit: number): Promise<Buffer> {
    const { bodies, perAddress, time } = this.#limits;
    const { address } = incoming.peer;
    const own = this.#byAddress.get(address) ?? 0;
    if (own >= perAddress || this.#taken >= bodies)
      throw busy(`${own >= perAddress ? own : this.#taken} requests are on their way`);
    this.#byAddress.set(address, own + 1);
    this.#taken++;
    const give = (): void => this.#give(address);
    const body = incoming.body(limit);
    // One that is late keeps its place until its connection has been cut: so long it takes memory.
    body.then(give, give);
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = this.#clock.after(time, () => reject(busy(`the request was not there after ${time / 1000} s`)));
    return Promise.race([body, late]).finally(() => timer.cancel());
  }

  #give(address: string): void {
    const own = this.#byAddress.get(address)! - 1;
    if (own === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, own);
    this.#taken--;
  }
}

function busy(message: string): Fault {
  return new Fault("agent.busy", message, { fault: "peer", retry: "soon" });
}
