/** The door to plain TCP on node's sockets. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Fault } from "#std/fault.ts";
import type { ConnectTcp, ListenTcp, TcpConnection, TcpEvents } from "../tcp.ts";

/** Milliseconds of silence after which the kernel asks whether the peer is still there. */
const KEEP_ALIVE = 60_000;
const CONNECT_TIME = 10_000;

export const listenTcp: ListenTcp = async ({ host, port, connections, perAddress }, accept) => {
  const open = new Set<Socket>();
  const crowd = new Map<string, number>();
  const server = createServer((socket) => {
    const address = plain(socket.remoteAddress);
    const count = crowd.get(address) ?? 0;
    if (count >= perAddress) return void socket.on("error", () => {}).destroy();
    crowd.set(address, count + 1);
    open.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      const left = crowd.get(address)! - 1;
      if (left === 0) crowd.delete(address);
      else crowd.set(address, left);
    });
    const connection = wrap(socket, address);
    attend(socket, accept(connection));
  });
  server.maxConnections = connections;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const code = cause.code === "EADDRINUSE" ? "io.address-in-use" : "io.listen-failed";
      reject(new Fault(code, `cannot listen on ${host}:${port}: ${cause.message}`, { fault: "world", retry: "later", cause }));
    });
    server.listen({ host, port }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
};

export const connectTcp: ConnectTcp = (to, events, signal) =>
  new Promise((resolve, reject) => {
    const socket = connect({ ...to, signal });
    const refuse = (cause: unknown): void => {
      socket.destroy();
      const fault = new Fault("io.unreachable", `cannot connect to ${to.host}:${to.port}: ${Fault.from(cause).message}`, {
        fault: "world",
        retry: "soon",
        cause,
      });
      reject(signal?.aborted ? (signal.reason as Error) : fault);
    };
    const timer = setTimeout(() => refuse(new Error("no answer")), CONNECT_TIME);
    socket.once("error", refuse);
    socket.once("close", () => clearTimeout(timer));
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", refuse);
      attend(socket, events);
      resolve(wrap(socket, plain(socket.remoteAddress)));
    });
  });

function attend(socket: Socket, events: TcpEvents): void {
  socket.setKeepAlive(true, KEEP_ALIVE);
  // "close" comes after it.
  socket.on("error", () => {});
  socket.on("data", (bytes: Buffer) => events.data(bytes));
  if (events.drain !== undefined) socket.on("drain", () => events.drain!());
  socket.once("close", () => events.closed());
}

function wrap(socket: Socket, address: string): TcpConnection {
  return {
    peer: { address, port: socket.remotePort ?? 0 },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    write: (bytes) => socket.write(bytes),
    destroy: () => void socket.destroy(),
  };
}

/** A listener on `::` sees callers of IPv4 as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
function plain(address = ""): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
