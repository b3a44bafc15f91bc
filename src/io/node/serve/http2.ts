/** HTTP/2 (RFC 9113) on a socket whose TLS handshake chose it, or whose first bytes are its preface. */
import {
  constants,
  performServerHandshake,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Duplex } from "node:stream";
import type { ListenOptions } from "../../serve.ts";
import { HEADER_BYTES, STREAMS } from "./limits.ts";
import { Watchdog } from "./watchdog.ts";
import type { Wire } from "./wire.ts";

const { NGHTTP2_FLAG_END_STREAM, NGHTTP2_NO_ERROR, NGHTTP2_CANCEL } = constants;
/** RFC 9113 §8.2.2: these belong to a connection of HTTP/1.1. */
const CONNECTION_HEADERS = ["connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection"];

class Http2Wire implements Wire {
  readonly headers: Wire["headers"];
  readonly input: ServerHttp2Stream | undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #patience: number;

  /** `patience`: milliseconds for a body that nobody wants. */
  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, patience: number) {
    this.#patience = patience;
    headers["host"] ??= headers[":authority"];
    this.headers = headers as Wire["headers"];
    this.input = (flags & NGHTTP2_FLAG_END_STREAM) === 0 ? stream : undefined;
    this.#stream = stream;
  }

  get method(): string {
    return this.headers[":method"]!;
  }

  get target(): string {
    return this.headers[":path"] ?? "";
  }

  sendContinue(): void {
    if (!this.#stream.destroyed) this.#stream.additionalHeaders({ ":status": 100 });
  }

  head(status: number, headers: Record<string, string | string[]>, length: number | undefined): void {
    for (const name of CONNECTION_HEADERS) delete headers[name];
    if (length !== undefined) headers["content-length"] = String(length);
    const endStream = length === 0 || this.method === "HEAD";
    // A stream ends with trailers, be there any or not.
    const waitForTrailers = length === undefined && !endStream;
    this.#stream.respond({ ":status": status, ...headers }, { endStream, waitForTrailers });
  }

  write(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.#stream.write(bytes, done);
  }

  end(bytes?: Buffer, trailers: Readonly<Record<string, string>> = {}): void {
    const stream = this.#stream;
    stream.once("wantTrailers", () => stream.sendTrailers({ ...trailers }));
    stream.end(bytes);
    if (this.input !== undefined && !stream.readableEnded) this.#discard();
  }

  /**
   * The rest of a body nobody asked for: read and forgotten, but not for ever. RFC 9113 §8.1 would allow a reset without error at once, but it
   * overtakes trailers, and curl takes it for a failure.
   */
  #discard(): void {
    const stream = this.#stream;
    const timer = setTimeout(() => stream.close(NGHTTP2_NO_ERROR), this.#patience).unref();
    stream.once("close", () => clearTimeout(timer));
    stream.resume();
  }

  cut(): void {
    this.#stream.close(NGHTTP2_CANCEL);
    this.#stream.destroy();
  }
}

export interface Http2Options {
  readonly limits: ListenOptions["limits"];
  /** Called with every request; returns what to do when its wire is gone. */
  readonly onRequest: (wire: Wire, socket: Duplex) => (complete: boolean) => void;
}

/** Serves one connection until either side closes it. */
export function serveHttp2(socket: Duplex, options: Http2Options): ServerHttp2Session {
  const { limits } = options;
  const session = performServerHandshake(socket, {
    settings: { maxConcurrentStreams: STREAMS, maxHeaderListSize: HEADER_BYTES, enablePush: false },
  });
  let open = 0;
  // Counts only time without a request: bytes that trickle in without ever becoming one do not keep a connection.
  const first = new Watchdog(limits.headers, () => session.destroy());
  const unused = new Watchdog(limits.idle, () => session.close());
  first.arm();
  session.on("stream", (stream, headers, flags) => {
    open++;
    first.close();
    unused.disarm();
    const closed = options.onRequest(new Http2Wire(stream, headers, flags, limits.stalled), socket);
    // A reset is not a failure of ours; "close" follows and says all there is to say.
    stream.on("error", () => {});
    stream.once("close", () => {
      closed(stream.writableFinished && stream.rstCode === NGHTTP2_NO_ERROR);
      if (--open === 0) unused.arm();
    });
  });
  // Whose power was cut says nothing, and TCP takes a quarter of an hour to notice: whoever has a stream open is asked.
  let isAsked = false;
  const pulse = setInterval(() => {
    if (open === 0) return;
    // Half of a connection that the client has ended is none for a stream either.
    const isGone = isAsked || !session.ping(() => (isAsked = false));
    if (isGone) session.destroy();
    isAsked = true;
  }, limits.stalled / 2).unref();
  session.on("error", () => session.destroy());
  session.once("close", () => {
    first.close();
    unused.close();
    clearInterval(pulse);
  });
  return session;
}
