/** The door to ICMPv6, for what routers and hosts say to each other (RFC 4861). The kernel writes and checks the checksums. */
import type { Datagram } from "./udp.ts";

export interface Icmp6Options {
  /** The only interface to receive from and send by. */
  readonly interface: string;
  /** Message types to receive; others stay with the kernel. */
  readonly types: readonly number[];
  /** Multicast groups to join on `interface`. */
  readonly groups: readonly string[];
}

export interface Icmp6Socket {
  /** Sends with hop limit 255, as RFC 4861 asks. Rejects with Fault `io.unreachable` or `io.failed`. */
  send(bytes: Uint8Array, to: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * What is received begins with the ICMPv6 type; `from.port` is 0. It may arrive up to 100 ms late. Rejects with Fault
 * `io.no-permission`, `io.no-interface` or `io.listen-failed`.
 */
export type OpenIcmp6 = (options: Icmp6Options, receive: (datagram: Datagram) => void) => Promise<Icmp6Socket>;
