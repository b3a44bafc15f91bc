/** The TFTP server: a socket for each address of this host, one timer for all transfers. README.md says why. */
import type { Witness } from "#decide/sighting.ts";
import type { Clock, Timer } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { Interfaces, OpenUdp, UdpEndpoint, UdpSocket } from "#io/udp.ts";
import { Fault } from "#std/fault.ts";
import { LIMITS, Quota } from "./quota.ts";
import type { TftpLimits } from "./quota.ts";
import { Transfers } from "./transfers.ts";
import type { TftpFiles } from "./transfers.ts";

export interface TftpOptions {
  readonly openUdp: OpenUdp;
  /** `host` "": every address of this host, also those it gets later. */
  readonly address: { readonly host: string; readonly port: number };
  readonly interfaces: Pick<Interfaces, "list">;
  readonly files: TftpFiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly witness: Witness;
  readonly limits?: TftpLimits;
}

export interface Tftp {
  /**
   * Resolves when it listens. Rejects with the door's Fault when a given address cannot be had; without one (`host` ""), what cannot be had is logged and tried
   * again every few seconds.
   */
  start(): Promise<void>;
  /** What it listens on now. */
  readonly endpoints: readonly UdpEndpoint[];
  /** Transfers under way. */
  readonly running: number;
  close(): Promise<void>;
}

/** How often waits are looked at: a tenth of the shortest of them that matters to anyone. */
const SWEEP = 50;
/** How often addresses are looked for that this host did not have before. */
const LOOK = 5_000;

interface Port {
  readonly socket: UdpSocket;
  readonly transfers: Transfers;
}

/** Serves `files` by TFTP; see src/boot/tftp/README.md. */
export function createTftp(options: TftpOptions): Tftp {
  const { clock, log, address } = options;
  const quota = new Quota(options.limits ?? LIMITS);
  const ports = new Map<string, Port>();
  const troubles = new Map<string, string>();
  let sweeper: Timer | undefined;
  let looker: Timer | undefined;
  let isClosed = false;

  const sweep = (): void => {
    sweeper = undefined;
    for (const { transfers } of ports.values()) transfers.sweep();
    schedule();
  };
  const schedule = (): void => {
    if (sweeper !== undefined || isClosed) return;
    for (const { transfers } of ports.values()) {
      if (!transfers.isEmpty) {
        sweeper = clock.after(SWEEP, sweep);
        return;
      }
    }
  };

  const open = async (host: string): Promise<void> => {
    let socket: UdpSocket | undefined = undefined;
    const send = (bytes: Uint8Array, to: UdpEndpoint): void => {
      // A packet that the kernel does not take is a lost packet: it is sent again in time.
      socket?.send(bytes, to).catch(() => {});
    };
    const transfers = new Transfers({ ...options, quota, local: host, send });
    const family = host.includes(":") ? 6 : 4;
    socket = await options.openUdp({ family, host, port: address.port }, (datagram) => {
      transfers.hear(datagram);
      schedule();
    });
    if (isClosed) return socket.close();
    ports.set(host, { socket, transfers });
    log.info("TFTP: listening", { address: socket.address, port: socket.port });
  };

  /** Opens what is new and closes what is gone. */
  const look = async (): Promise<void> => {
    const hosts = await addresses(options.interfaces);
    for (const [host, { socket, transfers }] of ports) {
      if (hosts.has(host)) continue;
      ports.delete(host);
      transfers.abandon();
      await socket.close();
      log.info("TFTP: the address is gone", { address: host });
    }
    for (const host of hosts) {
      if (ports.has(host) || isClosed) continue;
      try {
        await open(host);
        troubles.delete(host);
      } catch (error) {
        const problem = Fault.from(error).message;
        if (troubles.get(host) !== problem) log.warn(`TFTP: cannot listen, trying again: ${problem}`, { address: host });
        troubles.set(host, problem);
      }
    }
  };
  const lookOn = (): void => {
    if (isClosed) return;
    looker = clock.after(LOOK, () => {
      look()
        .catch((error: unknown) => log.warn(`TFTP: cannot see this host's addresses: ${Fault.from(error).message}`))
        .finally(lookOn);
    });
  };

  return {
    async start() {
      if (address.host !== "") return open(address.host);
      await look();
      lookOn();
    },
    get endpoints() {
      return [...ports.values()].map(({ socket }) => ({ address: socket.address, port: socket.port }));
    },
    get running() {
      return quota.taken;
    },
    async close() {
      isClosed = true;
      sweeper?.cancel();
      looker?.cancel();
      for (const { transfers } of ports.values()) transfers.abandon();
      await Promise.all([...ports.values()].map(({ socket }) => socket.close()));
      ports.clear();
    },
  };
}

/** Link-local IPv6 addresses are left out: without their zone nobody can be answered. */
async function addresses(interfaces: Pick<Interfaces, "list">): Promise<Set<string>> {
  const up = (await interfaces.list()).filter(({ isUp }) => isUp);
  return new Set(
    up.flatMap((each) => each.addresses.map(({ address }) => address)).filter((address) => !/^fe[89ab]/i.test(address)),
  );
}
