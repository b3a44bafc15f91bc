/** The UDP sockets that all BMCs share: one for each family, open as long as anybody needs it. Thousands of BMCs need no thousands of ports. */
import { formatIpv6, parseIpv6 } from "#std/address.ts";
import type { Datagram, OpenUdp, UdpSocket } from "#io/udp.ts";

export interface Line {
  /** Rejects as the door does. */
  send(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

type Receive = (bytes: Uint8Array) => void;

interface Shared {
  readonly socket: Promise<UdpSocket>;
  readonly lines: Map<string, Set<Receive>>;
  users: number;
}

export class IpmiSockets {
  readonly #openUdp: OpenUdp;
  readonly #shared = new Map<4 | 6, Shared>();

  constructor(openUdp: OpenUdp) {
    this.#openUdp = openUdp;
  }

  /** What comes from that address and port goes to `receive`, and to everybody else who listens to it. Rejects as the door does. */
  async open(address: string, port: number, receive: Receive): Promise<Line> {
    const family = address.includes(":") ? 6 : 4;
    const shared = this.#share(family);
    const key = keyOf(address, port);
    const receivers = shared.lines.get(key) ?? new Set();
    shared.lines.set(key, receivers.add(receive));
    shared.users++;
    let isOpen = true;
    const close = async (): Promise<void> => {
      if (!isOpen) return;
      isOpen = false;
      receivers.delete(receive);
      if (receivers.size === 0 && shared.lines.get(key) === receivers) shared.lines.delete(key);
      if (--shared.users > 0) return;
      this.#shared.delete(family);
      await shared.socket.then(
        (socket) => socket.close(),
        () => {},
      );
    };
    try {
      const socket = await shared.socket;
      return { send: (bytes) => socket.send(bytes, { address, port }), close };
    } catch (error) {
      await close();
      throw error;
    }
  }

  #share(family: 4 | 6): Shared {
    const known = this.#shared.get(family);
    if (known !== undefined) return known;
    const lines: Shared["lines"] = new Map();
    const receive = ({ bytes, from }: Datagram): void => {
      for (const receiver of lines.get(keyOf(from.address, from.port)) ?? []) receiver(bytes);
    };
    const shared: Shared = { socket: this.#openUdp({ family, host: "", port: 0 }, receive), lines, users: 0 };
    this.#shared.set(family, shared);
    return shared;
  }
}

/** The doors name senders canonically; people do not. */
function keyOf(address: string, port: number): string {
  const ipv6 = address.includes(":") ? parseIpv6(address) : undefined;
  return `${ipv6 === undefined ? address : formatIpv6(ipv6)} ${port}`;
}
