/** The door to HTTP as a server. Node's twin listens on TCP (HTTP/1.1 and HTTP/2, with TLS or without); tests call a handler directly. */

/** A caller inside this process, vouched for by whoever made its transport. */
export interface Principal {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface Incoming {
  readonly method: string;
  /** Path and query as they came, still percent-encoded. */
  readonly target: string;
  /** Lower-case names; repeated headers joined by ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly peer: {
    /** IPv4 in dotted form whatever the listener's family. */
    readonly address: string;
    /** DER of a client certificate that chains to the listener's client CA; undefined when none was shown. */
    readonly certificate?: Uint8Array;
    /** Who calls when the caller is part of this process. Set by the memory transport alone: nothing from a network can claim it. */
    readonly principal?: Principal;
  };
  /** Where the request came in: this host's end of the connection. Undefined for callers inside this process. */
  readonly local?: { readonly address: string; readonly port: number };
  /** The whole body; rejects with Fault `io.too-large` beyond `limit` bytes and `io.closed` when the client goes away. */
  body(limit: number): Promise<Buffer>;
  /**
   * Instead of `body`: its pieces as they come, for as long as the client sends; the answer may begin before. Rejects with Fault `io.closed` when the client goes
   * away. Absent where requests are whole before they are handled.
   */
  readonly pieces?: () => AsyncIterable<Buffer>;
  /** Aborted when the client goes away or the listener closes. */
  readonly signal: AbortSignal;
}

/** Where a streamed answer (a watch) is written; the writer looks at `full` and stops until `onDrain`. */
export interface Sink {
  /** Takes the bytes without copying; never blocks. */
  write(bytes: Buffer): void;
  /** More is buffered than this stream may hold: write nothing more until drained. */
  readonly full: boolean;
  /** Calls `resume` once, when no more than `most` bytes are still here (absent: when no longer full); never if the client goes away first. */
  onDrain(resume: () => void, most?: number): void;
  /** Ends the stream cleanly. Trailers (lower-case names) reach clients of HTTP/2, and those of HTTP/1.1 where the answer is in chunks. */
  end(trailers?: Readonly<Record<string, string>>): void;
}

export interface Outgoing {
  readonly status: number;
  /** Lower-case names. Content-Length is added by the listener for bodies that are not streams. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Pieces are written one after the other without being joined; a stream is opened once headers are out. */
  readonly body: readonly Buffer[] | { open(sink: Sink): void };
  /** Called once: true when the whole answer has left this process, false when it never will. A stream may not have been opened. */
  readonly settled?: (complete: boolean) => void;
}

/** Must not reject: whatever goes wrong is an answer. */
export type Handler = (incoming: Incoming) => Promise<Outgoing>;

export interface ListenOptions {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** PEM. Absent: plain HTTP/1.1, and h2c for clients that know of it (RFC 9113 §3.3). */
  readonly tls?: {
    readonly key: string;
    readonly certificate: string;
    readonly clientCa: string;
    /** Default: TLS 1.2. */
    readonly minVersion?: "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";
    /** OpenSSL's cipher list; absent: the runtime's. */
    readonly ciphers?: string;
  };
  readonly limits: {
    /** Connections at once from one address, so that no host takes all there can be. Absent: no bound. */
    readonly perAddress?: number;
    /** Milliseconds until all request headers must be there. */
    readonly headers: number;
    /** Milliseconds a kept-alive connection may be idle. */
    readonly idle: number;
    /** Bytes a stream may have buffered before its sink is full. */
    readonly buffered: number;
    /** Milliseconds a peer may leave a full stream (or an unread answer, or a ping of HTTP/2) untouched before it is cut. */
    readonly stalled: number;
  };
}

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Stops accepting, aborts signals of requests under way, ends when all connections are closed. */
  close(): Promise<void>;
}

export type Listen = (options: ListenOptions, handler: Handler) => Promise<Listener>;
