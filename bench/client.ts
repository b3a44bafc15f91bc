/** The load generator's way to a server: as little of its own work as can be. */
import { Pool } from "undici";
import { SERVERS } from "./object.ts";
import type { Target } from "./order.ts";

export interface Listed {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface Client {
  /** The answer's body; anything but success is an error. */
  send(method: string, path: string, body?: string): Promise<Buffer>;
  /** All Servers. */
  list(): Promise<{ metadata: { resourceVersion: string }; items: Listed[] }>;
  /** Resolves when the server has taken the watch; `onEvents` is then told how many events have come, until the client is closed. */
  watch(path: string, onEvents: (count: number) => void): Promise<void>;
  close(): Promise<void>;
}

const NEWLINE = 0x0a;

export function connect({ url, token }: Target, connections: number): Client {
  const pool = new Pool(url, {
    connections,
    pipelining: 1,
    allowH2: false,
    bodyTimeout: 0,
    connect: { rejectUnauthorized: false },
  });
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
  const send: Client["send"] = async (method, path, body = "") => {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const sent = body === "" ? { headers } : { headers: { ...headers, "content-type": type }, body };
    const response = await pool.request({ method, path, ...sent });
    const bytes = Buffer.from(await response.body.bytes());
    if (response.statusCode < 300) return bytes;
    throw new Error(`${method} ${path}: ${response.statusCode} ${bytes.toString().slice(0, 500)}`);
  };
  return {
    send,
    list: async () => JSON.parse((await send("GET", SERVERS)).toString()) as Awaited<ReturnType<Client["list"]>>,
    watch: (path, onEvents) =>
      new Promise((resolve, reject) => {
        pool.dispatch(
          { method: "GET", path, headers },
          {
            onRequestStart: () => {},
            onResponseStart: (_controller, status) => (status === 200 ? resolve() : reject(new Error(`watch: ${status}`))),
            onResponseData(_controller, bytes) {
              const count = linesIn(bytes);
              if (count > 0) onEvents(count);
            },
            onResponseEnd: () => {},
            onResponseError: (_controller, error) => reject(error),
          },
        );
      }),
    close: () => pool.destroy(),
  };
}

/** An event is a line. */
function linesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** The object with another hostname, as the body of an update. */
export function changed(server: Listed): string {
  return JSON.stringify({ ...server, spec: { ...server.spec, hostname: `changed-${server.metadata.resourceVersion}` } });
}
