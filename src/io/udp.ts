/** The door to UDP, and to what the machine's network interfaces are. Node's twin binds to one interface; the memory twin is a switch in the process. */
export interface UdpEndpoint {
  /** IPv4 or IPv6 text, without zone. */
  readonly address: string;
  readonly port: number;
}

export interface Datagram {
  /** The receiver's to keep. */
  readonly bytes: Uint8Array;
  readonly from: UdpEndpoint;
}

export interface UdpOptions {
  readonly family: 4 | 6;
  /** Address to bind; "" for every address. */
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Name of the only interface to receive from and send by (SO_BINDTODEVICE; needs CAP_NET_RAW). Absent: all, by the routing table. */
  readonly interface?: string;
  /** May send to 255.255.255.255 and to networks' broadcast addresses. */
  readonly broadcast?: boolean;
  /** Several sockets may bind the same address and port (one for each interface). */
  readonly reuseAddress?: boolean;
  /** Multicast groups to join on `interface`. */
  readonly groups?: readonly string[];
}

export interface UdpSocket {
  /** What it is bound to. */
  readonly address: string;
  readonly port: number;
  /** Hands the datagram to the system; until it resolves the bytes must not change. Rejects with Fault `io.unreachable`, `io.too-large` or `io.failed`; never blocks the loop. */
  send(bytes: Uint8Array, to: UdpEndpoint): Promise<void>;
  close(): Promise<void>;
}

/** Rejects with Fault `io.address-in-use`, `io.no-permission`, `io.no-interface` or `io.listen-failed`, naming address, port and interface. */
export type OpenUdp = (options: UdpOptions, receive: (datagram: Datagram) => void) => Promise<UdpSocket>;

export interface Interface {
  readonly name: string;
  /** As the kernel numbers it. */
  readonly index: number;
  /** `52:54:00:12:34:56`; undefined for those that have none. */
  readonly mac?: string;
  readonly isUp: boolean;
  readonly isLoopback: boolean;
  /** Addresses with prefix lengths. */
  readonly addresses: readonly { readonly address: string; readonly prefix: number; readonly family: 4 | 6 }[];
}

export interface Interfaces {
  list(): Promise<readonly Interface[]>;
  /** Hardware address of a neighbour, as the kernel's table (`ip neigh`) has it; undefined when it has none. */
  neighbour(address: string): Promise<string | undefined>;
}
