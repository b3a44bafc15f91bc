/** The listening door on node's TCP, TLS, HTTP/1.1 and HTTP/2. */
import type { Server as Http1Server } from "node:http";
import type { ServerHttp2Session } from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { Fault } from "#std/fault.ts";
import type { Incoming, Listen, ListenOptions } from "../serve.ts";
import { Exchange } from "./serve/exchange.ts";
import { createHttp1 } from "./serve/http1.ts";
import { serveHttp2 } from "./serve/http2.ts";
import { CONNECTIONS, GRACE, KEEP_ALIVE } from "./serve/limits.ts";
import type { Wire } from "./serve/wire.ts";

/** Rejects with Fault `io.address-in-use` or `io.listen-failed` (no such address, no permission, key and certificate do not fit). */
export const listen: Listen = async (options, handler) => {
  const { limits, tls } = options;
  const exchanges = new Set<Exchange>();
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const peers = new WeakMap<Duplex, Incoming["peer"]>();
  let closing = false;

  const onRequest = (wire: Wire, socket: Duplex): ((complete: boolean) => void) => {
    const exchange = new Exchange(wire, peers.get(socket)!, limits);
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
  const onSecure = (socket: TLSSocket): void => {
    peers.set(socket, peerOf(socket));
    if (socket.alpnProtocol !== "h2") return void http1.emit("connection", socket);
    const session = serveHttp2(socket, { limits, onRequest });
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  };
  const server = tls === undefined ? http1 : secure(tls, limits, http1, onSecure);
  server.maxConnections = CONNECTIONS;
  server.prependListener("connection", (socket: Socket) => {
    sockets.add(socket);
    peers.set(socket, peerOf(socket));
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
        if (server !== http1) http1.close(() => {});
        for (const session of sessions) session.close();
        for (const exchange of exchanges) exchange.abort(() => reason);
        http1.closeIdleConnections();
      }),
  };
};

/** TLS before HTTP: the handshake's ALPN says which HTTP, and asks for a client certificate without insisting on one. */
function secure(
  tls: NonNullable<ListenOptions["tls"]>,
  limits: ListenOptions["limits"],
  http1: Http1Server,
  onSecure: (socket: TLSSocket) => void,
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
      onSecure,
    );
  } catch (cause) {
    throw new Fault("io.listen-failed", `cannot serve TLS: ${(cause as Error).message}`, {
      fault: "caller",
      retry: "never",
      cause,
    });
  }
  server.on("tlsClientError", (_error: Error, socket: TLSSocket) => socket.destroy());
  // Node's HTTP server starts to enforce its time limits when it listens; this one never does, it is handed its sockets.
  http1.emit("listening");
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

function peerOf(socket: Socket | TLSSocket): Incoming["peer"] {
  const address = socket.remoteAddress ?? "";
  const certificate = "authorized" in socket && socket.authorized ? socket.getPeerX509Certificate()?.raw : undefined;
  return certificate === undefined ? { address } : { address, certificate };
}
