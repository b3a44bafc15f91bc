/**
 * `GET /sidero/logs/<machine>`: what a machine has logged by SideroLink, as lines of JSON; `lines=N` for the last ones, `follow=true` for those that come
 * as well. For administrators, like everything that is not health or version: logs may quote anything.
 */
import type { ApiRequest } from "#apiserver/request.ts";
import type { Outgoing, Sink } from "#io/serve.ts";
import type { MachineLogs } from "#link/logs/machine-logs.ts";
import { Fault } from "#std/fault.ts";

export const LOGS_PATH = "/sidero/logs/";

export type LogRoute = (request: ApiRequest) => Promise<Outgoing>;

/** Bytes that a reader who follows may be behind; then lines are left out, and a line says so. */
const MOST_BEHIND = 1024 * 1024;
const MOST_LINES = 1_000_000;

export function createLogRoute(logs: MachineLogs): LogRoute {
  return async ({ path, query, signal }) => {
    const machine = path.slice(LOGS_PATH.length);
    const lines = linesOf(query.get("lines"));
    // What has been taken so far; whoever waited for all of a flood would wait for ever.
    await logs.room();
    const follows = query.get("follow") === "true";
    return {
      status: 200,
      headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
      body: { open: (sink) => void send(new Outlet(sink, signal), logs, { machine, lines, follows }) },
    };
  };
}

function linesOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (/^\d{1,7}$/.test(text) && Number(text) <= MOST_LINES) return Number(text);
  throw new Fault("api.bad-request", `lines: "${text}" is no number up to ${MOST_LINES}`, { fault: "caller", retry: "never" });
}

interface Wanted {
  readonly machine: string;
  readonly lines: number | undefined;
  readonly follows: boolean;
}

async function send(outlet: Outlet, logs: MachineLogs, { machine, lines, follows }: Wanted): Promise<void> {
  // In one turn with the beginning of the read: nothing is missing between the two, and nothing double.
  const queue = new Queue();
  const unfollow = follows ? logs.follow(machine, (bytes) => queue.push(bytes)) : undefined;
  try {
    for await (const piece of logs.read(machine, lines)) await outlet.write(piece);
    while (follows) await outlet.write(await queue.next(outlet.signal));
    outlet.end();
  } catch {
    // The reader has gone away, or the disk has failed: what has arrived is whole lines but for the last.
    outlet.end();
  } finally {
    unfollow?.();
  }
}

/** What a reader has not been sent yet. */
class Queue {
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #left = 0;
  #wake: () => void = () => {};

  push(bytes: Uint8Array): void {
    if (this.#bytes + bytes.length > MOST_BEHIND) this.#left += bytes.reduce((sum, byte) => sum + (byte === 0x0a ? 1 : 0), 0);
    else {
      this.#pieces.push(bytes);
      this.#bytes += bytes.length;
    }
    this.#wake();
  }

  async next(signal: AbortSignal): Promise<Uint8Array> {
    while (this.#pieces.length === 0 && this.#left === 0) {
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        if (signal.aborted) reject(signal.reason as Error);
        signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      });
    }
    const note =
      this.#left === 0
        ? ""
        : `${JSON.stringify({ msg: `${this.#left} lines were left out: they came faster than they were read`, "talos-level": "warning" })}\n`;
    const all = Buffer.concat([...this.#pieces, Buffer.from(note)]);
    [this.#pieces, this.#bytes, this.#left] = [[], 0, 0];
    return all;
  }
}

class Outlet {
  readonly #sink: Sink;
  readonly signal: AbortSignal;

  constructor(sink: Sink, signal: AbortSignal) {
    this.#sink = sink;
    this.signal = signal;
  }

  /** Resolves when there is room for more; rejects when the reader has gone away. */
  async write(bytes: Uint8Array): Promise<void> {
    this.signal.throwIfAborted();
    this.#sink.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    if (!this.#sink.full) return;
    await new Promise<void>((resolve, reject) => {
      this.signal.addEventListener("abort", () => reject(this.signal.reason as Error), { once: true });
      this.#sink.onDrain(resolve);
    });
  }

  end(): void {
    this.#sink.end();
  }
}
