/** HTTP/1.1 (RFC 9112) on node's server, for sockets that others have accepted. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { ListenOptions } from "../../serve.ts";
import { HEADER_BYTES, REQUEST_TIME } from "./limits.ts";
import type { Wire } from "./wire.ts";

class Http1Wire implements Wire {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #mustClose: () => boolean;
  #continues = false;

  constructor(request: IncomingMessage, response: ServerResponse, mustClose: () => boolean) {
    this.#request = request;
    this.#response = response;
    this.#mustClose = mustClose;
  }

  get method(): string {
    return this.#request.method!;
  }

  get target(): string {
    return this.#request.url!;
  }

  get headers(): Wire["headers"] {
    return this.#request.headers as Wire["headers"];
  }

  get input(): IncomingMessage | undefined {
    const { headers } = this.#request;
    return headers["content-length"] === undefined && headers["transfer-encoding"] === undefined ? undefined : this.#request;
  }

  sendContinue(): void {
    this.#continues = true;
    this.#response.writeContinue();
  }

  head(status: number, headers: Record<string, string | string[]>, length: number | undefined): void {
    if (length !== undefined) headers["content-length"] = String(length);
    // A peer that was never told to continue may or may not send its body: what comes next cannot be read as a request.
    const undecided = this.#request.headers.expect !== undefined && !this.#continues;
    if (undecided || this.#mustClose()) headers["connection"] = "close";
    this.#response.writeHead(status, headers);
    // A stream may have nothing to say for long; its client must know that it is open.
    if (length === undefined) this.#response.flushHeaders();
  }

  write(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.#response.write(bytes, done);
  }

  end(bytes?: Buffer, trailers?: Readonly<Record<string, string>>): void {
    // Without chunks (HTTP/1.0, a known length) there is no place for them: node drops them.
    if (trailers !== undefined) this.#response.addTrailers(trailers);
    this.#response.end(bytes);
  }

  cut(): void {
    this.#response.destroy();
  }
}

export interface Http1Options {
  readonly limits: ListenOptions["limits"];
  /** True once the listener is closing: answers then end their connection. */
  readonly closing: () => boolean;
  /** Called with every request; returns what to do when its wire is gone. */
  readonly onRequest: (wire: Wire, socket: Duplex) => (complete: boolean) => void;
}

/** A server that is given its sockets with `emit("connection", socket)`. */
export function createHttp1(options: Http1Options): Server {
  const { limits } = options;
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const closed = options.onRequest(new Http1Wire(request, response, options.closing), request.socket);
    response.once("close", () => {
      closed(response.writableFinished);
      if (!request.complete) discard(request, limits.stalled);
    });
  };
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: limits.headers,
      requestTimeout: Math.max(REQUEST_TIME, limits.headers),
      keepAliveTimeout: limits.idle,
      connectionsCheckingInterval: Math.min(limits.headers, 5_000),
      joinDuplicateHeaders: true,
    },
    serve,
  );
  server.on("checkContinue", serve);
  server.on("checkExpectation", serve);
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuse(socket, error.code));
  // Node's HTTP server starts to enforce its time limits when it listens; this one never does.
  server.emit("listening");
  return server;
}

/** The rest of a body nobody asked for: read and forgotten, but not for ever. */
function discard(request: IncomingMessage, time: number): void {
  const timer = setTimeout(() => request.socket.destroy(), time).unref();
  request.once("close", () => clearTimeout(timer));
  request.once("end", () => clearTimeout(timer));
  request.resume();
}

/** What could not be read as a request gets Go's answer (net/http) and the door. `code` is node's for what went wrong. */
export function refuse(socket: Duplex, code = ""): void {
  const reasons: Record<string, string> = {
    HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
    ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
  };
  const reason = reasons[code] ?? "400 Bad Request";
  if (!socket.writable || code === "ECONNRESET") return void socket.destroy();
  socket.end(`HTTP/1.1 ${reason}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${reason}`);
}
