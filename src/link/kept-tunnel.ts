/** A tunnel that is opened anew when its interface has ended by itself, with the peers it had. */
import { type Clock, sleep, timestamp } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import { noTunnel, type OpenTunnel, type Tunnel, type TunnelOptions, type TunnelPeer } from "#io/tunnel.ts";
import { Fault } from "#std/fault.ts";

export type KeptTunnel = Pick<Tunnel, "setPeers" | "handshakes" | "close">;

export type TunnelStatus =
  | { readonly is: "up"; readonly since: string; readonly by: Tunnel["by"]; readonly lacks?: string }
  | { readonly is: "down"; readonly since: string; readonly because: string };

/** Milliseconds between two attempts. */
const RETRY = { first: 1000, most: 60_000 };

export interface KeepOptions {
  readonly open: OpenTunnel;
  readonly clock: Clock;
  readonly log: Log;
  /** Told at once, and whenever it is another one. */
  readonly onStatus: (status: TunnelStatus) => void;
}

/** Rejects as `open` does when there is none to begin with. */
export async function keepTunnel(options: TunnelOptions, { open, clock, log, onStatus }: KeepOptions): Promise<KeptTunnel> {
  const stop = new AbortController();
  let tunnel: Tunnel | undefined = await open(options).catch((error: unknown) => {
    onStatus(downStatus(error, clock));
    throw error;
  });
  onStatus(upStatus(tunnel, clock));
  let peers: readonly TunnelPeer[] = [];

  async function reopen(): Promise<Tunnel | undefined> {
    for (let delay = RETRY.first; !stop.signal.aborted; delay = Math.min(delay * 2, RETRY.most)) {
      await sleep(clock, delay, stop.signal).catch(() => {});
      if (stop.signal.aborted) return undefined;
      let opened: Tunnel | undefined;
      try {
        opened = await open(options);
        await opened.setPeers(peers);
        return opened;
      } catch (error) {
        await opened?.close();
        log.warn("there is still no SideroLink", { because: Fault.from(error).message });
      }
    }
    return undefined;
  }

  async function keep(): Promise<void> {
    while (tunnel?.lost !== undefined && !stop.signal.aborted) {
      const stopped = new Promise<undefined>((resolve) =>
        stop.signal.addEventListener("abort", () => resolve(undefined), { once: true }),
      );
      const because = await Promise.race([tunnel.lost, stopped]);
      if (because === undefined) return;
      const gone = tunnel;
      tunnel = undefined;
      onStatus(downStatus(because, clock));
      log.error("SideroLink has ended by itself, and is opened anew", { because: because.message });
      await gone.close();
      tunnel = await reopen();
      if (tunnel === undefined) return;
      onStatus(upStatus(tunnel, clock));
    }
  }

  const keeping = keep();
  return {
    // Who is in it is known when it is back.
    setPeers: (all) => {
      peers = all;
      return tunnel?.setPeers(all) ?? Promise.resolve();
    },
    handshakes: () => tunnel?.handshakes() ?? Promise.reject(noTunnel("SideroLink is down")),
    close: async () => {
      stop.abort();
      await keeping;
      await tunnel?.close();
    },
  };
}

function downStatus(error: unknown, clock: Clock): TunnelStatus {
  return { is: "down", since: timestamp(clock), because: Fault.from(error).message };
}

function upStatus({ by, lacks }: Tunnel, clock: Clock): TunnelStatus {
  return { is: "up", since: timestamp(clock), by, ...(lacks === undefined ? {} : { lacks }) };
}
