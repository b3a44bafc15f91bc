/**
 * The tunnel, which one of all replicas terminates at a time. Whoever's turn it is opens it, with the peers of now and what is served by it, and closes it
 * when the turn ends. One that cannot be opened, or ends by itself, is opened anew; meanwhile others may have their turn.
 */
import { type Clock, sleep, timestamp } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import { noTunnel, type Tunnel, type TunnelPeer } from "#io/tunnel.ts";
import { Fault } from "#std/fault.ts";
import { equal } from "#std/json.ts";

export type TunnelStatus =
  | { readonly is: "up"; readonly since: string; readonly by: Tunnel["by"]; readonly lacks?: string }
  | { readonly is: "down"; readonly since: string; readonly because: string }
  /** Another replica terminates it: the one of this identity. */
  | { readonly is: "elsewhere"; readonly since: string; readonly holder: string };

/** Milliseconds between two attempts. */
const RETRY = { first: 1000, most: 60_000 };

export interface KeepOptions {
  readonly open: () => Promise<Tunnel>;
  /** What others reach by the tunnel; opened once it is there, closed before it. */
  readonly serve: () => Promise<{ close(): Promise<void> }>;
  /**
   * Calls `work` when it is this process' turn, with a signal that ends it, and resolves or rejects with it; `onOther` is told whose turn it is meanwhile.
   * Rejects when the turn was lost.
   */
  readonly turn: (
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<void>,
    onOther: (holder: string) => void,
  ) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  /** Told once it is known, and whenever it is another one. */
  readonly onStatus: (status: TunnelStatus) => void;
}

export class KeptTunnel implements Pick<Tunnel, "setPeers" | "handshakes"> {
  readonly #options: KeepOptions;
  #tunnel: Tunnel | undefined;
  #peers: readonly TunnelPeer[] = [];
  #status: TunnelStatus | undefined;
  #delay = RETRY.first;

  constructor(options: KeepOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#tunnel !== undefined;
  }

  /** Who is in it is known when it is there. */
  setPeers(peers: readonly TunnelPeer[]): Promise<void> {
    this.#peers = peers;
    return this.#tunnel?.setPeers(peers) ?? Promise.resolve();
  }

  handshakes(): Promise<ReadonlyMap<string, number>> {
    return this.#tunnel?.handshakes() ?? Promise.reject(noTunnel("SideroLink does not end here"));
  }

  /** Resolves when it is closed after `signal` was aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, turn } = this.#options;
    while (!signal.aborted) {
      try {
        await turn(
          signal,
          (tenure) => this.#terminate(tenure),
          (holder) => this.#tell({ is: "elsewhere", since: timestamp(clock), holder }),
        );
      } catch (error) {
        this.#tell({ is: "down", since: timestamp(clock), because: Fault.from(error).message });
      }
      await sleep(clock, this.#delay, signal).catch(() => {});
      this.#delay = Math.min(this.#delay * 2, RETRY.most);
    }
  }

  /** Rejects with why it cannot be opened, or has ended by itself. */
  async #terminate(signal: AbortSignal): Promise<void> {
    const { open, serve, clock } = this.#options;
    const tunnel = await open();
    try {
      // From here on who comes and goes is told to it; calls go one after the other.
      this.#tunnel = tunnel;
      await tunnel.setPeers(this.#peers);
      const served = await serve();
      try {
        const { by, lacks } = tunnel;
        this.#tell({ is: "up", since: timestamp(clock), by, ...(lacks === undefined ? {} : { lacks }) });
        this.#delay = RETRY.first;
        const because = await endOf(tunnel, signal);
        if (because !== undefined) throw because;
      } finally {
        await served.close();
      }
    } finally {
      this.#tunnel = undefined;
      await tunnel.close();
    }
  }

  #tell(status: TunnelStatus): void {
    const { log, onStatus } = this.#options;
    const before = this.#status;
    if (before !== undefined && equal({ ...before, since: "" }, { ...status, since: "" })) return;
    this.#status = status;
    if (status.is === "down") log.error("there is no SideroLink, and it is tried again", { because: status.because });
    onStatus(status);
  }
}

/** Undefined once `signal` is aborted. */
async function endOf({ lost }: Tunnel, signal: AbortSignal): Promise<Fault | undefined> {
  if (signal.aborted) return undefined;
  const over = Promise.withResolvers<undefined>();
  const stop = (): void => over.resolve(undefined);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await (lost === undefined ? over.promise : Promise.race([lost, over.promise]));
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
