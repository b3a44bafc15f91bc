/** The listening door on node's TCP, TLS, HTTP/1.1 and HTTP/2. */
import type { ServerHttp2Session } from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { Fault } from "#std/fault.ts";
import type { Listen, ListenOptions } from "../serve.ts";
import { type Ends, Exchange } from "./serve/exchange.ts";
import { createHttp1 } from "./serve/http1.ts";
import { serveHttp2 } from "./serve/http2.ts";
import { CONNECTIONS, GRACE, KEEP_ALIVE } from "./serve/limits.ts";
import { awaitPreface } from "./serve/preface.ts";
import type { Wire } from "./serve/wire.ts";

/** Rejects with Fault `io.address-in-use` or `io.listen-failed` (no such address, no permission, key and certificate do not fit). */
export const listen: Listen = async (options, handler) => {
  const { limits, tls } = options;
  const exchanges = new Set<Exchange>();
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const ends = new WeakMap<Duplex, Ends>();
  let closing = false;

  const onRequest = (wire: Wire, socket: Duplex): ((complete: boolean) => void) => {
    const exchange = new Exchange(wire, ends.get(socket)!, limits);
    exchanges.add(exchange);
    void exchange.run(handler);
    return (complete) => {
      exchanges.delete(exchange);
      exchange.closed(complete);
      // Its connection is idle only now: the listener need not wait for it to be cut.
      if (closing) setImmediate(() => http1.closeIdleConnections());
    };
  };
  const http1 = createHttp1({ limits, closing: () => closing, onRequest });
  const serve = (socket: Socket | TLSSocket, isHttp2: boolean): void => {
    ends.set(socket, endsOf(socket));
    if (!isHttp2) return void http1.emit("connection", socket);
    const session = serveHttp2(socket, { limits, onRequest });
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  };
  const server =
    tls === undefined
      ? createServer({ allowHalfOpen: true, noDelay: true }, (socket) => awaitPreface(socket, limits.headers, serve))
      : secure(tls, limits, serve);
  server.maxConnections = CONNECTIONS;
  const crowd = new Crowd(limits.perAddress);
  server.prependListener("connection", (socket: Socket) => {
    sockets.add(socket);
    crowd.enter(socket);
    socket.setKeepAlive(true, KEEP_ALIVE);
    socket.once("close", () => sockets.delete(socket));
  });

  const { address, port } = await bind(server, options);
  return {
    host: address,
    port,
    close: () =>
      new Promise((resolve) => {
        closing = true;
        const reason = new Fault("io.closed", "the server is shutting down", { fault: "ours", retry: "soon" });
        const cut = setTimeout(() => sockets.forEach((socket) => socket.destroy()), GRACE);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        http1.close(() => {});
        for (const session of sessions) session.close();
        // Nobody has asked for anything on a connection that has not said which HTTP it speaks.
        if (tls === undefined) for (const socket of sockets) if (!ends.has(socket)) socket.destroy();
        for (const exchange of exchanges) exchange.abort(() => reason);
        http1.closeIdleConnections();
      }),
  };
};

/** Connections by the addresses they come from. */
class Crowd {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** Counts the connection for as long as it lasts; one too many is cut at once. */
  enter(socket: Socket): void {
    const { remoteAddress: address = "" } = socket;
    const count = (this.#counts.get(address) ?? 0) + 1;
    this.#counts.set(address, count);
    socket.once("close", () => {
      const left = this.#counts.get(address)! - 1;
      if (left === 0) this.#counts.delete(address);
      else this.#counts.set(address, left);
    });
    if (count > this.#most) socket.destroy();
  }
}

/** TLS before HTTP: the handshake's ALPN says which HTTP, and asks for a client certificate without insisting on one. */
function secure(
  tls: NonNullable<ListenOptions["tls"]>,
  limits: ListenOptions["limits"],
  serve: (socket: TLSSocket, isHttp2: boolean) => void,
): Server {
  let server: Server;
  try {
    server = createTlsServer(
      {
        key: tls.key,
        cert: tls.certificate,
        ca: tls.clientCa,
        requestCert: true,
        rejectUnauthorized: false,
        ALPNProtocols: ["h2", "http/1.1"],
        minVersion: tls.minVersion ?? "TLSv1.2",
        ...(tls.ciphers === undefined ? {} : { ciphers: tls.ciphers }),
        handshakeTimeout: limits.headers,
        noDelay: true,
      },
      (socket) => serve(socket, socket.alpnProtocol === "h2"),
    );
  } catch (cause) {
    throw new Fault("io.listen-failed", `cannot serve TLS: ${(cause as Error).message}`, {
      fault: "caller",
      retry: "never",
      cause,
    });
  }
  server.on("tlsClientError", (_error: Error, socket: TLSSocket) => socket.destroy());
  return server;
}

function bind(server: Server, { host, port }: ListenOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.on("error", (cause: NodeJS.ErrnoException) => {
      const code = cause.code === "EADDRINUSE" ? "io.address-in-use" : "io.listen-failed";
      const why = cause.code === "EADDRINUSE" ? "the address is in use" : cause.message;
      reject(new Fault(code, `cannot listen on ${host}:${port}: ${why}`, { fault: "world", retry: "later", cause }));
    });
    server.listen({ host, port, backlog: 1024 }, () => resolve(server.address() as AddressInfo));
  });
}

function endsOf(socket: Socket | TLSSocket): Ends {
  const address = plainAddress(socket.remoteAddress);
  const certificate = "authorized" in socket && socket.authorized ? socket.getPeerX509Certificate()?.raw : undefined;
  return {
    peer: certificate === undefined ? { address } : { address, certificate },
    local: { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 },
  };
}

/** A listener on `::` sees callers of IPv4 as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
function plainAddress(address = ""): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
