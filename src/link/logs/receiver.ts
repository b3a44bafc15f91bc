/**
 * Where machines send their logs (facts §7.5): TCP and UDP, by the tunnel alone, so that the address says who it is. Whoever sends more than is his share
 * waits (TCP) or is not heard (UDP).
 */
import { Bucket } from "#io/bucket.ts";
import { type Clock, sleep, timestamp } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { ListenTcp, TcpConnection, TcpEvents } from "#io/tcp.ts";
import type { OpenUdp } from "#io/udp.ts";
import { Fault } from "#std/fault.ts";
import { recordObject } from "#wire/kmsg-log/format.ts";
import { createLines } from "#wire/kmsg-log/lines.ts";
import { LONGEST_RECORD, type LogRecord, parseRecord } from "#wire/kmsg-log/record.ts";
import type { MachineLogs } from "./machine-logs.ts";

export interface LogReceiverOptions {
  readonly listenTcp: ListenTcp;
  readonly openUdp: OpenUdp;
  /** In the tunnel; IPv6. */
  readonly address: string;
  readonly port: number;
  /** Name of the machine with this address in the tunnel: of its Server, or the UUID of one that has none. */
  readonly nameAt: (address: string) => string | undefined;
  readonly logs: Pick<MachineLogs, "append" | "room">;
  /** Who else gets what was taken. */
  readonly forward?: (machine: string, record: LogRecord) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface LogReceiver {
  /** Messages that could not be read, and datagrams that there was no room for. */
  readonly dropped: number;
  close(): Promise<void>;
}

/** A machine has one for its kernel and one for its services, and old ones that it has forgotten; sixty thousand descriptors are shared with all others. */
const CONNECTIONS = { connections: 16_384, perAddress: 4 };
/** Bytes of one machine. A kernel that boots says some hundred kilobytes at once. */
const SHARE = { rate: 256 * 1024, burst: 4 * 1024 * 1024 };
/** Lines of all machines in one turn of the event loop, which others are waiting for: some milliseconds. */
const TURN = 128;
/** Milliseconds until a connection whose machine has too much waiting is read again. */
const PAUSE = 1000;

/** Rejects as the doors do. */
export async function openLogReceiver(options: LogReceiverOptions): Promise<LogReceiver> {
  const { address, port, nameAt, logs, clock, log } = options;
  const encoder = new TextEncoder();
  const shares = new Map<string, Bucket>();
  const stop = new AbortController();
  let dropped = 0;
  let [taken, turn] = [0, undefined as Promise<void> | undefined];

  /** Thousands of machines that boot at once say more than fits into one turn. */
  const waitTurn = async (): Promise<void> => {
    while (taken >= TURN) {
      turn ??= sleep(clock, 0, stop.signal).finally(() => ([taken, turn] = [0, undefined]));
      await turn;
    }
    taken++;
  };

  /** False: there is no room. */
  const take = (machine: string, bytes: Uint8Array): boolean => {
    let record: LogRecord;
    try {
      record = parseRecord(bytes);
    } catch {
      dropped++;
      return true;
    }
    const line = encoder.encode(JSON.stringify(recordObject(record, { received: timestamp(clock) })));
    if (!logs.append(machine, line)) return false;
    options.forward?.(machine, record);
    return true;
  };
  const shareOf = (from: string): Bucket => {
    const share = shares.get(from) ?? new Bucket(clock, SHARE);
    shares.set(from, share);
    return share;
  };

  const accept = (connection: TcpConnection): TcpEvents => {
    const from = connection.peer.address;
    const lines = createLines(LONGEST_RECORD);
    let before = 0;
    if (nameAt(from) === undefined) connection.destroy();
    const work = async (bytes: Uint8Array): Promise<void> => {
      const delay = shareOf(from).pay(bytes.length);
      if (delay > 0) await sleep(clock, delay, stop.signal);
      for (const line of lines.push(bytes)) {
        await waitTurn();
        // Looked up each time: an address may get another machine while a connection of the one before is still open.
        const machine = nameAt(from);
        if (machine === undefined) return connection.destroy();
        while (!take(machine, line)) {
          await logs.room();
          await sleep(clock, PAUSE, stop.signal);
        }
      }
      dropped += lines.dropped - before;
      before = lines.dropped;
    };
    // While one piece is at work the next ones are not read, but for what was under way.
    let busy = Promise.resolve();
    let pieces = 0;
    return {
      data(bytes) {
        if (pieces++ === 0) connection.pause();
        busy = busy
          .then(() => work(bytes))
          .catch((error: unknown) => {
            connection.destroy();
            if (!stop.signal.aborted)
              log.error("a log of a machine was not taken", { address: from, because: Fault.from(error) });
          })
          .then(() => {
            if (--pieces === 0) connection.resume();
          });
      },
      closed() {},
    };
  };

  const tcp = await options.listenTcp({ host: address, port, ...CONNECTIONS }, accept);
  try {
    const udp = await options.openUdp({ family: 6, host: address, port }, ({ bytes, from }) => {
      const machine = nameAt(from.address);
      if (machine === undefined || shareOf(from.address).pay(bytes.length) > 0 || !take(machine, bytes)) dropped++;
    });
    const sweeping = sweep(shares, nameAt, clock, stop.signal);
    return {
      get dropped() {
        return dropped;
      },
      close: async () => {
        stop.abort(new Fault("link.closed", "the log receiver is closing", { fault: "ours", retry: "soon" }));
        await Promise.all([tcp.close(), udp.close(), sweeping]);
      },
    };
  } catch (error) {
    await tcp.close();
    throw error;
  }
}

const SWEEPING = 600_000;

/** Forgets the shares of machines that are gone. */
async function sweep(
  shares: Map<string, Bucket>,
  nameAt: (address: string) => string | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(clock, SWEEPING, signal).catch(() => {});
    for (const address of shares.keys()) if (nameAt(address) === undefined) shares.delete(address);
  }
}
