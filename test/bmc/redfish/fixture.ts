/** Our client to a handler in this process, on a clock that runs as fast as it is waited for. */
import { createRedfishBmc, type RedfishBmc, type RedfishOptions } from "#bmc/redfish/client.ts";
import { silent } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import type { Handler } from "#io/serve.ts";

export const never = new AbortController().signal;

export interface Connected {
  readonly bmc: RedfishBmc;
  readonly clock: VirtualClock;
  /** The result, time passing meanwhile. */
  run<T>(work: Promise<T>): Promise<T>;
}

export function connect(handler: Handler, options: Partial<RedfishOptions> = {}): Connected {
  const clock = new VirtualClock();
  const bmc = createRedfishBmc({
    server: "https://bmc.example",
    open: () => createMemoryTransport(handler),
    clock,
    log: silent,
    ...options,
  });
  const run = async <T>(work: Promise<T>): Promise<T> => {
    let isOver = false;
    const over = work.finally(() => (isOver = true));
    over.catch(() => {});
    // Whatever needs longer hangs.
    for (let i = 0; !isOver && i < 10_000; i++) await clock.advance(100);
    if (!isOver) throw new Error("it never ends");
    return over;
  };
  return { bmc, clock, run };
}
