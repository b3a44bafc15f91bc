/** The door to frames below IP: what comes in on one interface with one EtherType. Only listens. */
export interface PacketSocket {
  /** The frames, Ethernet header included, that have come since the last time; at most 64. */
  take(): Uint8Array[];
  close(): void;
}

export interface PacketOptions {
  /** Index of the interface. */
  readonly index: number;
  readonly etherType: number;
  /** Multicast MAC address to listen to as well, such as `01:80:c2:00:00:0e`. */
  readonly group: string;
}

/** Throws Fault `io.no-permission`, `io.no-interface` or `io.listen-failed`. Linux, needs CAP_NET_RAW. */
export type OpenPackets = (options: PacketOptions) => PacketSocket;
