/** A plain HTTPS client: sends what it is told byte for byte, and knows nothing about Kubernetes. */
import { Agent, request } from "node:https";
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

export class Http {
  readonly #credentials: Credentials;
  readonly #agent: Agent;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
    const { ca, cert, key } = credentials;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 32, ca, cert, key, rejectUnauthorized: ca !== undefined });
  }

  /** Resolves when the answer is complete, or when `onChunk` returns false (the connection is then closed). */
  send(call: Call, onChunk?: (chunk: Buffer) => boolean, signal?: AbortSignal, onHeaders?: () => void): Promise<Answer> {
    const { token, server } = this.#credentials;
    const { hostname, port } = new URL(server);
    const headers = { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...call.headers };
    return new Promise((resolve, reject) => {
      const sent = request(
        { agent: this.#agent, hostname, port, method: call.method, path: call.path, headers, signal },
        (received) => {
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
        },
      );
      sent.on("error", reject);
      sent.end(call.body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
