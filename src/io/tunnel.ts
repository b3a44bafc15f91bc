/** The door to WireGuard: one interface of this host, with the peers that it is told. */
import { Fault } from "#std/fault.ts";

export interface WireguardKeys {
  /** Base64 of 32 bytes. */
  readonly privateKey: string;
  readonly publicKey: string;
}

export interface TunnelPeer {
  /** Base64. */
  readonly publicKey: string;
  /** The only IPv6 address that it may send from, and that is sent to it. */
  readonly address: string;
}

export interface TunnelOptions {
  /** Of the interface; at most 15 bytes. One that is there already is replaced. */
  readonly name: string;
  /** Base64. */
  readonly privateKey: string;
  /** This host's in the tunnel, IPv6. */
  readonly address: string;
  readonly prefixLength: number;
  /** UDP. */
  readonly port: number;
  readonly mtu: number;
  /** Ports of this host that peers may reach through the tunnel, where there is nftables; they may ping in any case. Absent: all. */
  readonly open?: { readonly tcp: readonly number[]; readonly udp: readonly number[] };
}

export interface Tunnel {
  /** Who does it. */
  readonly by: "kernel" | "wireguard-go" | "memory";
  /** What protects the host and the peers from each other less than it should; undefined when nothing is missing. */
  readonly lacks?: string;
  /**
   * Instead of those before; whoever stays keeps its session. Of two that have one address the later one gets it. Rejects with Fault `io.no-tunnel`; then
   * some may be set, and the next call sets them all. Calls go one after the other.
   */
  setPeers(peers: readonly TunnelPeer[]): Promise<void>;
  /** When each key last shook hands, milliseconds since 1970; those that never did are missing. */
  handshakes(): Promise<ReadonlyMap<string, number>>;
  /** Resolves to why, when the interface has ended by itself; never, when it is closed. Absent: it cannot. */
  readonly lost?: Promise<Fault>;
  /** The interface is gone, and all that was set up for it. Never rejects. */
  close(): Promise<void>;
}

/** Rejects with Fault `io.no-tunnel` (world, later), which says what is missing. */
export type OpenTunnel = (options: TunnelOptions) => Promise<Tunnel>;

/** What every twin says. */
export function noTunnel(message: string, cause?: unknown): Fault {
  return new Fault("io.no-tunnel", message, { fault: "world", retry: "later", ...(cause === undefined ? {} : { cause }) });
}
