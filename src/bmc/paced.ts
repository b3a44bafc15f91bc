/** Calls of one BMC as it can bear them: not too close together, and none that lasts for ever. */
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import { formatDuration } from "#std/duration.ts";
import { Fault } from "#std/fault.ts";
import type { Meters } from "./metrics.ts";
import type { CallName, FleetSettings } from "./settings.ts";

export interface PacerPorts {
  readonly clock: Clock;
  readonly meters: Meters;
  readonly settings: Pick<FleetSettings, "pace" | "calls">;
}

/** One for each BMC, for as long as it is known: what a session before this one did counts too. */
export class Pacer {
  readonly #ports: PacerPorts;
  /** When the last call began, and when the pace would have it all made up for (a leaky bucket). Monotonic. */
  #lastAt = Number.NEGATIVE_INFINITY;
  #paidUntil = Number.NEGATIVE_INFINITY;

  constructor(ports: PacerPorts) {
    this.#ports = ports;
  }

  /**
   * Waits for its turn, then calls. Rejects with what `run` rejects with, with the reason of `stop`, or with Fault `bmc.unreachable` when it
   * takes longer than it may; `run` is aborted then, and not waited for.
   */
  async call<T>(name: CallName, protocol: string, stop: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, meters, settings } = this.#ports;
    stop.throwIfAborted();
    const wait = this.#reserve();
    if (wait > 0) await sleep(clock, wait, stop);
    const began = clock.monotonic();
    const limit = settings.calls[name];
    const own = new AbortController();
    const { promise: given, reject: giveUp } = Promise.withResolvers<never>();
    const end = (reason: unknown): void => {
      giveUp(reason);
      own.abort(reason);
    };
    const timer = clock.after(limit, () => end(tooLong(name, limit)));
    const onStop = (): void => end(stop.reason);
    stop.addEventListener("abort", onStop, { once: true });
    let result = "ok";
    try {
      return await Promise.race([run(own.signal), given]);
    } catch (error) {
      result = stop.aborted ? "stopped" : Fault.from(error).code;
      throw error;
    } finally {
      timer.cancel();
      stop.removeEventListener("abort", onStop);
      meters.call(protocol, name, result, (clock.monotonic() - began) / 1000);
    }
  }

  /** Takes the next place; milliseconds until it comes. */
  #reserve(): number {
    const { least, mean, burst } = this.#ports.settings.pace;
    const now = this.#ports.clock.monotonic();
    const at = Math.max(now, this.#lastAt + least, this.#paidUntil - mean * (burst - 1));
    this.#lastAt = at;
    this.#paidUntil = Math.max(this.#paidUntil, at) + mean;
    return at - now;
  }
}

function tooLong(name: CallName, limit: number): Fault {
  return new Fault("bmc.unreachable", `the BMC has not answered within ${formatDuration(limit)} (${name})`, {
    fault: "world",
    retry: "soon",
  });
}
