/** The door to WireGuard: one interface of this host, with the peers that it is told. */

export interface WireguardKeys {
  /** Base64 of 32 bytes. */
  readonly privateKey: string;
  readonly publicKey: string;
}

export interface TunnelPeer {
  /** Base64. */
  readonly publicKey: string;
  /** The only IPv6 address that it may send from. */
  readonly address: string;
}

export interface TunnelOptions {
  /** Of the interface. */
  readonly name: string;
  /** Base64. */
  readonly privateKey: string;
  /** This host's in the tunnel, IPv6. */
  readonly address: string;
  readonly prefixLength: number;
  /** UDP. */
  readonly port: number;
  readonly mtu: number;
}

export interface Tunnel {
  /** Who does it. */
  readonly by: "kernel" | "wireguard-go" | "memory";
  /** Instead of those before; whoever stays keeps its session. */
  setPeers(peers: readonly TunnelPeer[]): Promise<void>;
  /** When each key last shook hands, milliseconds since 1970; those that never did are missing. */
  handshakes(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

/** Rejects with Fault `io.no-tunnel`, which says what is missing. */
export type OpenTunnel = (options: TunnelOptions) => Promise<Tunnel>;
