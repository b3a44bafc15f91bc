/** Sends logs of machines on as lines of JSON, with what upstream adds to them. Whoever receives them too slowly, or not at all, costs a bounded queue and no machine its log here. */
import { type Clock, sleep } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { ConnectTcp, TcpConnection } from "#io/tcp.ts";
import { Fault } from "#std/fault.ts";
import { recordObject } from "#wire/kmsg-log/format.ts";
import type { LogRecord } from "#wire/kmsg-log/record.ts";

/** What is known of a machine beside its name. */
export interface LogSource {
  readonly cluster?: string;
  readonly namespace?: string;
  readonly metal_machine?: string;
  readonly machine?: string;
}

export interface ForwardOptions {
  readonly connect: ConnectTcp;
  readonly to: { readonly host: string; readonly port: number };
  readonly sourceOf: (machine: string) => LogSource;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Forwarder {
  send(machine: string, record: LogRecord): void;
  /** Lines that there was no room for. */
  readonly lost: number;
  /** What waits is thrown away. */
  close(): Promise<void>;
}

const MOST_WAITING = 4 * 1024 * 1024;
/** Milliseconds between two attempts to connect. */
const RETRY = { first: 1000, most: 60_000 };

/** A line without its end. */
export function forwardLine(machine: string, record: LogRecord, source: LogSource): string {
  const given = Object.entries(source).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return JSON.stringify(recordObject(record, { server_uuid: machine, ...Object.fromEntries(given) }));
}

export function createForwarder({ connect, to, sourceOf, clock, log }: ForwardOptions): Forwarder {
  const encoder = new TextEncoder();
  const stop = new AbortController();
  let queue: Uint8Array[] = [];
  let [waiting, lost] = [0, 0];
  let wake: () => void = () => {};

  async function run(): Promise<void> {
    for (let delay = RETRY.first; !stop.signal.aborted; delay = Math.min(delay * 2, RETRY.most)) {
      try {
        await serve(() => (delay = RETRY.first / 2));
      } catch (error) {
        if (!stop.signal.aborted)
          log.warn("logs of machines cannot be sent on for now", { ...to, because: Fault.from(error), lost });
      }
      await sleep(clock, delay, stop.signal).catch(() => {});
    }
  }

  /** Until the connection ends. */
  async function serve(connected: () => void): Promise<void> {
    let isOpen = true;
    const connection: TcpConnection = await connect(
      to,
      {
        data() {},
        drain: () => wake(),
        closed() {
          isOpen = false;
          wake();
        },
      },
      stop.signal,
    );
    connected();
    log.info("logs of machines are sent on", to);
    const end = (): void => connection.destroy();
    stop.signal.addEventListener("abort", end, { once: true });
    try {
      for (let isFull = false; isOpen;) {
        if (isFull || queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        isFull = false;
        while (isOpen && !isFull && queue.length > 0) isFull = !connection.write(next());
      }
    } finally {
      stop.signal.removeEventListener("abort", end);
    }
  }

  function next(): Uint8Array {
    const bytes = queue.shift()!;
    waiting -= bytes.length;
    return bytes;
  }

  const running = run();
  return {
    get lost() {
      return lost;
    },
    send(machine, record) {
      const bytes = encoder.encode(`${forwardLine(machine, record, sourceOf(machine))}\n`);
      if (waiting + bytes.length > MOST_WAITING) return void lost++;
      queue.push(bytes);
      waiting += bytes.length;
      wake();
    },
    close: async () => {
      stop.abort(new Fault("link.closed", "closing", { fault: "ours", retry: "never" }));
      queue = [];
      wake();
      await running;
    },
  };
}
