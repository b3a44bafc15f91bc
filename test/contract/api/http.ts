/** A plain HTTPS client: sends what it is told byte for byte, and knows nothing about Kubernetes. */
import type { ClientRequest } from "node:http";
import { Agent, request } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import type { Credentials } from "../../peers/kubeconfig.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

const SLICE = 256 * 1024;

/** In slices with pauses: a server that has had enough answers and hangs up, and the answer must be read before the hang-up is felt. */
async function write(sent: ClientRequest, body: string | Uint8Array): Promise<void> {
  const bytes = Buffer.from(body);
  let answered = false;
  sent.once("response", () => {
    answered = true;
  });
  let start = 0;
  for (; bytes.length - start > SLICE && !answered; start += SLICE) {
    sent.write(bytes.subarray(start, start + SLICE));
    await delay(5);
  }
  if (!answered && !sent.destroyed) sent.end(bytes.subarray(start));
}

export class Http {
  readonly #credentials: Credentials;
  readonly #agent: Agent;
  /** For calls that bring their own Authorization: a client certificate would speak first. */
  readonly #stranger: Agent;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
    const { ca, cert, key } = credentials;
    const options = { keepAlive: true, maxSockets: 32, ca, rejectUnauthorized: ca !== undefined };
    this.#agent = new Agent({ ...options, cert, key });
    this.#stranger = new Agent(options);
  }

  /** Resolves when the answer is complete, or when `onChunk` returns false (the connection is then closed). */
  send(call: Call, onChunk?: (chunk: Buffer) => boolean, signal?: AbortSignal, onHeaders?: () => void): Promise<Answer> {
    const { token, server } = this.#credentials;
    const { hostname, port } = new URL(server);
    const agent = call.headers?.["authorization"] === undefined ? this.#agent : this.#stranger;
    const headers = { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...call.headers };
    return new Promise((resolve, reject) => {
      const sent = request({ agent, hostname, port, method: call.method, path: call.path, headers, signal }, (received) => {
        onHeaders?.();
        const chunks: Buffer[] = [];
        const done = (): void =>
          resolve({ status: received.statusCode!, headers: received.headers, body: Buffer.concat(chunks) });
        received.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          if (onChunk !== undefined && !onChunk(chunk)) {
            done();
            received.destroy();
          }
        });
        received.on("end", done);
        received.on("error", reject);
      });
      sent.on("error", reject);
      void write(sent, call.body ?? "");
    });
  }

  close(): void {
    this.#agent.destroy();
    this.#stranger.destroy();
  }
}
