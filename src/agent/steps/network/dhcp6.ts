/**
 * A DHCPv6 client for one interface (RFC 8415 §18.2): gets an address, keeps it renewed, starts anew when it is lost. busybox has none that
 * Debian builds. Without prefix delegation, rapid commit, confirm and release: the machine will be switched off, not suspended.
 */
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { Machine } from "#io/machine.ts";
import type { OpenUdp, UdpSocket } from "#io/udp.ts";
import { parseMac } from "#std/address.ts";
import { toLatin1 } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { CLIENT_PORT, RELAYS_AND_SERVERS, SERVER_PORT } from "#wire/dhcp/v6/constants.ts";
import { decode } from "#wire/dhcp/v6/decode.ts";
import { encode } from "#wire/dhcp/v6/encode.ts";
import type { Duid, Ia, IaAddress, Message, MessageType } from "#wire/dhcp/v6/packet.ts";

export interface Dhcp6Options {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly log: Log;
  readonly open: OpenUdp;
  /** A number from 0 up to 1. */
  readonly chance: () => number;
  readonly signal?: AbortSignal;
}

/** §7.6, in milliseconds; the longest wait is shorter than the standard's hour, since somebody waits for this machine. */
const WAIT = { first: 1_000, last: 30_000 } as const;
const ETHERNET = 1;
/** RFC 3646: DNS servers and search list. */
const REQUESTED = [23, 24];
/** The identity of our one association. */
const IA = 1;

interface Lease {
  readonly server: Duid;
  readonly address: IaAddress;
  /** Milliseconds until it is to be renewed. */
  readonly renewal: number;
}

/** Goes on until `signal`; never rejects. Addresses are put in force with `ip`, as those of the command line. */
export async function runDhcp6(options: Dhcp6Options, name: string): Promise<void> {
  const { machine, clock, log, signal } = options;
  const mac = parseMac(toLatin1((await machine.read(`/sys/class/net/${name}/address`)) ?? new Uint8Array()).trim());
  if (mac === undefined) return log.warn(`no DHCPv6 on ${name}: it has no MAC address`);
  const client = { ...options, clientId: { kind: "link-layer", htype: ETHERNET, address: mac } as const };
  const isOver = (): boolean => signal?.aborted === true;
  while (!isOver()) {
    try {
      await holdAddress(client, name);
    } catch (error) {
      if (isOver()) return;
      log.warn(`DHCPv6 on ${name}: ${Fault.from(error).message}`);
      await sleep(clock, WAIT.last, signal).catch(() => undefined);
    }
  }
}

interface Client extends Dhcp6Options {
  readonly clientId: Duid;
}

/** From nothing to an address, and as long as it is renewed. */
async function holdAddress(client: Client, name: string): Promise<void> {
  const { machine, clock, log, signal } = client;
  const exchange = await openExchange(client, name);
  try {
    let lease = await acquire(exchange);
    const cidr = `${lease.address.address}/128`;
    await machine.run("ip", ["-6", "addr", "add", cidr, "dev", name]);
    log.info(`${name} has ${cidr} by DHCPv6`);
    for (;;) {
      await sleep(clock, lease.renewal, signal);
      // Between renewal and the end of the address there is time for several attempts.
      const patience = lease.address.validLifetime - lease.renewal;
      const renewed = leaseOf(await exchange.ask("renew", lease, (message) => message.type === "reply", patience));
      if (renewed?.address.address !== lease.address.address) break;
      lease = renewed;
    }
    await machine.run("ip", ["-6", "addr", "del", cidr, "dev", name]);
    log.warn(`${name} has lost ${cidr}: it was not renewed`);
  } finally {
    await exchange.close();
  }
}

/** Solicit, Advertise, Request, Reply (§18.2.1, §18.2.2), for ever. */
async function acquire(exchange: Exchange): Promise<Lease> {
  for (;;) {
    const offer = leaseOf(
      await exchange.ask("solicit", undefined, (message) => message.type === "advertise" && leaseOf(message) !== undefined),
    );
    if (offer === undefined) continue;
    const lease = leaseOf(await exchange.ask("request", offer, (message) => message.type === "reply", 10 * WAIT.first));
    if (lease !== undefined) return lease;
  }
}

interface Exchange {
  /** Sends until an answer is wanted or `patience` milliseconds have passed: then undefined. */
  ask(
    type: MessageType,
    lease: Lease | undefined,
    isWanted: (answer: Message) => boolean,
    patience?: number,
  ): Promise<Message | undefined>;
  close(): Promise<void>;
}

async function openExchange({ open, clock, clientId, chance, signal }: Client, name: string): Promise<Exchange> {
  let hear: (message: Message) => void = () => {};
  const where = { family: 6, host: "::", port: CLIENT_PORT, interface: name, reuseAddress: true } as const;
  const socket: UdpSocket = await open(where, ({ bytes }) => {
    const message = readMessage(bytes);
    if (message !== undefined) hear(message);
  });
  return {
    close: () => socket.close(),
    ask: async (type, lease, isWanted, patience = Infinity) => {
      const transactionId = Math.floor(chance() * 2 ** 24);
      const started = clock.monotonic();
      const { promise: answered, resolve } = Promise.withResolvers<Message>();
      hear = (message) => {
        if (message.transactionId === transactionId && isSame(message.options.clientId, clientId) && isWanted(message))
          resolve(message);
      };
      for (let wait: number = WAIT.first; clock.monotonic() - started < patience; wait = Math.min(2 * wait, WAIT.last)) {
        const elapsedTime = Math.min(clock.monotonic() - started, 655_350);
        const options = { clientId, iaNa: [association(lease)], elapsedTime, requestedOptions: REQUESTED };
        const message: Message = {
          kind: "message",
          type,
          transactionId,
          options: lease === undefined ? options : { ...options, serverId: lease.server },
        };
        // An interface that has no address of its own yet cannot send: the next attempt may.
        await socket.send(encode(message), { address: RELAYS_AND_SERVERS, port: SERVER_PORT }).catch(() => undefined);
        const answer = await Promise.race([answered, sleep(clock, wait * (0.9 + chance() / 5), signal)]);
        if (answer !== undefined) return answer;
      }
      return undefined;
    },
  };
}

function association(lease: Lease | undefined): Ia {
  return { id: IA, t1: 0, t2: 0, options: lease === undefined ? {} : { addresses: [lease.address] } };
}

/** What does not decode, or is a relay's, is not for us. */
function readMessage(bytes: Uint8Array): Message | undefined {
  try {
    const packet = decode(bytes);
    return packet.kind === "message" ? packet : undefined;
  } catch {
    return undefined;
  }
}

/** The address in an answer; undefined when it has none for us (§18.2.10.1), or refuses. */
function leaseOf(answer: Message | undefined): Lease | undefined {
  const ia = answer?.options.iaNa?.find(({ id }) => id === IA);
  const address = ia?.options.addresses?.find(({ validLifetime }) => validLifetime > 0);
  const server = answer?.options.serverId;
  if (ia === undefined || address === undefined || server === undefined) return undefined;
  // §14.2: 0 leaves it to the client; half of the preferred lifetime is recommended. Never in a busy loop, never past the end.
  const wished = ia.t1 > 0 ? ia.t1 : address.preferredLifetime / 2;
  return { server, address, renewal: Math.max(1_000, Math.min(wished, address.validLifetime / 2, 2 ** 31)) };
}

function isSame(a: Duid | undefined, b: Duid): boolean {
  return a?.kind === "link-layer" && b.kind === "link-layer" && a.address.join() === b.address.join();
}
