/** The door to plain TCP: what machines send that is no HTTP, and whom it is sent on to. */

export interface TcpConnection {
  readonly peer: { readonly address: string; readonly port: number };
  /** Nothing is received until `resume`: what the peer sends waits on its side. */
  pause(): void;
  resume(): void;
  /** Hands the bytes over; false: more is waiting than should, and `onDrain` says when it has gone. */
  write(bytes: Uint8Array): boolean;
  /** Ends it at once. */
  destroy(): void;
}

export interface TcpEvents {
  /** The receiver's to keep. */
  data(bytes: Uint8Array): void;
  drain?(): void;
  /** Once, however it ended. */
  closed(): void;
}

export interface TcpListenOptions {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** At once, from everywhere and from one address; the newest of too many is cut. */
  readonly connections: number;
  readonly perAddress: number;
}

export interface TcpListener {
  readonly port: number;
  /** Cuts what is open. */
  close(): Promise<void>;
}

/** Rejects with Fault `io.address-in-use` or `io.listen-failed`. */
export type ListenTcp = (options: TcpListenOptions, accept: (connection: TcpConnection) => TcpEvents) => Promise<TcpListener>;

/** Rejects with Fault `io.unreachable` (world, soon), or the signal's reason. */
export type ConnectTcp = (
  to: { readonly host: string; readonly port: number },
  events: TcpEvents,
  signal?: AbortSignal,
) => Promise<TcpConnection>;
