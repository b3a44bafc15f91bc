/**
 * The whole API server in memory: memory journal, virtual clock, seeded entropy, the edge in front. Requests come in as HTTP, from an
 * administrator in this process; nothing listens anywhere.
 */
import type { HttpTransport } from "#io/http.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { MemoryJournal } from "#io/memory/journal.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import { digest } from "#io/node/digest.ts";
import type { Extension } from "#schema/definition.ts";
import type { KubeObject } from "#schema/meta.ts";
import { coreDefinitions } from "#kinds/core/definitions.ts";
import { createAuthenticator } from "#apiserver/authenticate.ts";
import { createEdge } from "#apiserver/edge.ts";
import type { ApiServer } from "#apiserver/server.ts";
import { createApiServer } from "#apiserver/server.ts";
import { createStore } from "#apiserver/store/mvcc.ts";
import type { Store } from "#apiserver/store/store.ts";

export interface FixtureOptions {
  /** Rows from before, and faults: a new empty journal when absent. */
  readonly journal?: MemoryJournal;
  readonly clock?: VirtualClock;
  readonly seed?: number;
  readonly crds?: readonly KubeObject[];
  readonly extensions?: ReadonlyMap<string, Extension>;
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** The body as text. */
  readonly text: string;
  /** The body as JSON; throws for anything else. */
  readonly json: T;
}

export interface RequestOptions {
  /** Sent as JSON unless it is a string or bytes. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Fixture {
  readonly clock: VirtualClock;
  readonly journal: MemoryJournal;
  readonly store: Store;
  readonly server: ApiServer;
  /** As an administrator; for clients, caches and controllers. */
  readonly transport: HttpTransport;
  request<T = KubeObject>(method: string, target: string, options?: RequestOptions): Promise<Answer<T>>;
  /** A request that must succeed; returns its body. */
  get<T = KubeObject>(target: string, headers?: Readonly<Record<string, string>>): Promise<T>;
  create<T = KubeObject>(target: string, body: unknown): Promise<T>;
  put<T = KubeObject>(target: string, body: unknown): Promise<T>;
  patch<T = KubeObject>(target: string, body: unknown): Promise<T>;
  remove<T = KubeObject>(target: string, options?: unknown): Promise<T>;
  /** Everything that follows from the requests so far has happened. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/** Started and idle: namespaces and CRDs are there. */
export async function startFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const clock = options.clock ?? new VirtualClock();
  const journal = options.journal ?? new MemoryJournal();
  const entropy = new SeededEntropy(options.seed ?? 1);
  const store = await createStore({ journal, clock });
  const server = createApiServer({
    store,
    definitions: coreDefinitions,
    ...(options.crds === undefined ? {} : { crds: options.crds }),
    ...(options.extensions === undefined ? {} : { extensions: options.extensions }),
    version: { version: "0.0.0-test", platform: "linux/amd64" },
    clock,
    entropy,
    digest,
  });
  const edge = createEdge({ authenticate: createAuthenticator({ clock }), handler: server.handler, clock, entropy });
  const transport = createMemoryTransport(edge, { principal: { name: "admin", groups: ["system:masters"] } });
  await server.start();
  await server.idle();

  async function request<T>(method: string, target: string, { body, headers = {} }: RequestOptions = {}): Promise<Answer<T>> {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const bytes = bodyOf(body);
    const answer = await transport.request({
      method,
      target,
      headers: { accept: "application/json", ...(bytes === undefined ? {} : { "content-type": type }), ...headers },
      ...(bytes === undefined ? {} : { body: bytes }),
    });
    const pieces: Uint8Array[] = [];
    for await (const piece of answer.body) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      get json() {
        return JSON.parse(text) as T;
      },
    };
  }

  async function succeed<T>(method: string, target: string, rest?: RequestOptions): Promise<T> {
    const answer = await request<T>(method, target, rest);
    if (answer.status >= 300) throw new Error(`${method} ${target}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  return {
    clock,
    journal,
    store,
    server,
    transport,
    request,
    get: (target, headers = {}) => succeed("GET", target, { headers }),
    create: (target, body) => succeed("POST", target, { body }),
    put: (target, body) => succeed("PUT", target, { body }),
    patch: (target, body) => succeed("PATCH", target, { body }),
    remove: (target, body) => succeed("DELETE", target, body === undefined ? {} : { body }),
    idle: () => server.idle(),
    async stop() {
      await transport.close();
      await server.stop();
      await store.close();
    },
  };
}

function bodyOf(body: unknown): Uint8Array | undefined {
  if (body === undefined || body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}
