/** A listener with real TLS on a free loopback port, and the ways to talk to it that a test needs. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { issue, type Pair } from "#apiserver/certificate.ts";
import { openPki, type Pki, servingNames } from "#apiserver/pki.ts";
import { createMemoryDisk } from "#io/memory/disk.ts";
import { systemClock } from "#io/node/clock.ts";
import { systemEntropy } from "#io/node/entropy.ts";
import { listen } from "#io/node/serve.ts";
import type { Handler, Listener, ListenOptions, Outgoing } from "#io/serve.ts";

export const LIMITS: ListenOptions["limits"] = { headers: 10_000, idle: 60_000, buffered: 1024 * 1024, stalled: 10_000 };

export interface Tls extends Listener {
  readonly pki: Pki;
  readonly url: string;
  /** PEM files for curl and openssl. */
  readonly files: { readonly ca: string; readonly certificate: string; readonly key: string };
  /** A client certificate like the admin's, from an authority that the listener does not know. */
  readonly impostor: Pair;
  /** A TLS connection that speaks HTTP/1.1 unless told otherwise, once its handshake is done. */
  connect(options?: ConnectionOptions): Promise<TLSSocket>;
  curl(...args: string[]): Promise<string>;
}

export async function startTls(handler: Handler, limits: Partial<ListenOptions["limits"]> = {}): Promise<Tls> {
  const pki = await openPki({
    disk: createMemoryDisk(),
    directory: "/pki",
    clock: systemClock,
    entropy: systemEntropy,
    names: servingNames("127.0.0.1", "localhost"),
  });
  const { certificate, key } = pki.serving;
  const tls = { key, certificate, clientCa: pki.authority };
  const listener = await listen({ host: "127.0.0.1", port: 0, tls, limits: { ...LIMITS, ...limits } }, handler);
  const directory = mkdtempSync(join(tmpdir(), "sidero-edge-"));
  const files = { ca: join(directory, "ca"), certificate: join(directory, "crt"), key: join(directory, "key") };
  writeFileSync(files.ca, pki.authority);
  writeFileSync(files.certificate, pki.admin.certificate);
  writeFileSync(files.key, pki.admin.key);
  const url = `https://127.0.0.1:${listener.port}`;
  return {
    ...listener,
    pki,
    url,
    files,
    impostor: await impostor(),
    async connect(options) {
      const socket = connectTls({ port: listener.port, ca: pki.authority, ALPNProtocols: ["http/1.1"], ...options });
      socket.on("error", () => {});
      await once(socket, "secureConnect");
      return socket;
    },
    async curl(...args) {
      const { stdout } = await promisify(execFile)("curl", ["-sS", "--max-time", "20", "--cacert", files.ca, ...args], {
        encoding: "latin1",
        maxBuffer: 1e8,
      });
      return stdout;
    },
    async close() {
      await listener.close();
      rmSync(directory, { recursive: true });
    },
  };
}

async function impostor(): Promise<Pair> {
  const request = { now: Date.now(), lifetime: 60_000, serial: systemEntropy.bytes(16) };
  const authority = await issue({ ...request, purpose: { kind: "authority" }, name: "sidero-ca" });
  return issue({ ...request, purpose: { kind: "client" }, name: "sidero-admin", groups: ["system:masters"] }, authority);
}

export async function startPlain(handler: Handler, limits: Partial<ListenOptions["limits"]> = {}): Promise<Listener> {
  return listen({ host: "127.0.0.1", port: 0, limits: { ...LIMITS, ...limits } }, handler);
}

export async function dial(port: number): Promise<Socket> {
  const socket = connectTcp({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Everything the peer sends until it closes or resets the connection. */
export async function untilClosed(socket: Socket): Promise<string> {
  let received = "";
  socket.on("data", (bytes: Buffer) => (received += bytes.toString("latin1")));
  await closed(socket);
  return received;
}

/** Unlike node's `once`, also when the peer resets the connection. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => (socket.closed ? resolve() : socket.once("close", () => resolve())));
}

export function text(body: string, status = 200, headers: Outgoing["headers"] = {}): Outgoing {
  return { status, headers, body: [Buffer.from(body)] };
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until `condition` holds; a test that never gets there fails with its name. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await pause(5);
  }
}
