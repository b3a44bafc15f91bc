/** HTTP between the hosts of the simulation: who listens where, and connections that end when one side does. */
import type { HttpRequest, HttpResponse, HttpTarget, OpenHttp } from "#io/http.ts";
import { verifyMemoryPair } from "#io/memory/pki.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import type { Handler, Listen, Listener, ListenOptions, Principal } from "#io/serve.ts";
import { Fault } from "#std/fault.ts";

export interface WebOptions {
  /** Called with every client's address before it is served: it has been seen on the wire. */
  readonly seen: (address: string) => void;
  /** Milliseconds since 1970: when certificates are looked at. */
  readonly now: () => number;
  /** Called with every request; what it returns is called with the trailers and the status of the answer, if that comes to its end. */
  readonly overhear?: (
    from: string,
    request: HttpRequest,
  ) => ((trailers: Readonly<Record<string, string>>, status: number) => void) | undefined;
}

interface Door {
  readonly handler: Handler;
  readonly tls: ListenOptions["tls"];
  /** Exchanges under way. */
  readonly open: Set<AbortController>;
}

export class Web {
  readonly #options: WebOptions;
  readonly #doors = new Map<string, Door>();

  constructor(options: WebOptions) {
    this.#options = options;
  }

  /** The listening door of a host. */
  listenAt(address: string): Listen {
    return async ({ port, tls }, handler): Promise<Listener> => {
      const key = `${address}:${port}`;
      if (this.#doors.has(key)) {
        throw new Fault("io.address-in-use", `cannot listen on ${key}: somebody does`, { fault: "world", retry: "later" });
      }
      const door: Door = { handler, tls, open: new Set() };
      this.#doors.set(key, door);
      const close = async (): Promise<void> => {
        if (this.#doors.get(key) === door) this.#doors.delete(key);
        cutOff(door, key);
      };
      return { host: address, port, close };
    };
  }

  /** The door of a client at `from`, to any server. */
  openFrom(from: string): OpenHttp {
    return (target) => {
      const { host, port, protocol } = new URL(target.server);
      const authority = port === "" ? `${host}:${protocol === "https:" ? 443 : 80}` : host;
      return {
        request: (request) => this.request(from, authority, request, { target }),
        close: async () => {},
      };
    };
  }

  /** A host whose processes are gone: connections break, new ones are refused. */
  cut(address: string): void {
    for (const [key, door] of this.#doors) {
      if (!key.startsWith(`${address}:`)) continue;
      this.#doors.delete(key);
      cutOff(door, key);
    }
  }

  /**
   * One exchange from a client's address; `done` is called when it is over. `target`: who the client is, and whom it trusts, where the
   * other side wants to know. Faults `io.unreachable` and `io.closed`.
   */
  async request(
    from: string,
    authority: string,
    request: HttpRequest,
    { done, target }: { readonly done?: () => void; readonly target?: HttpTarget } = {},
  ): Promise<HttpResponse> {
    const door = this.#doors.get(authority);
    if (door === undefined) {
      done?.();
      throw new Fault("io.unreachable", `${authority}: connection refused`, { fault: "world", retry: "soon" });
    }
    this.#options.seen(from);
    const heard = this.#options.overhear?.(from, request);
    const [host = "", port = "80"] = authority.split(":");
    const principal = door.tls && this.#shake(door.tls, target);
    const transport = createMemoryTransport(door.handler, {
      address: from,
      local: { address: host, port: Number(port) },
      ...(principal && { principal }),
    });
    const exchange = new AbortController();
    door.open.add(exchange);
    request.signal?.addEventListener("abort", () => exchange.abort(request.signal?.reason), { once: true });
    if (request.signal?.aborted === true) exchange.abort(request.signal.reason);
    const headers = { host: authority, ...request.headers };
    const over = (): void => {
      door.open.delete(exchange);
      done?.();
    };
    try {
      const answer = await transport.request({ ...request, headers, signal: exchange.signal });
      return { ...answer, body: whole(answer.body, over, () => heard?.(answer.trailers?.() ?? {}, answer.status)) };
    } catch (error) {
      over();
      throw error;
    }
  }

  /** What a TLS handshake comes to: who the client is; undefined: nobody in particular. */
  #shake(
    { certificate, key, clientCa }: NonNullable<ListenOptions["tls"]>,
    target: HttpTarget | undefined,
  ): Principal | undefined {
    const now = this.#options.now();
    if (target?.ca === undefined || verifyMemoryPair({ certificate, key }, { authority: target.ca, now }) === undefined)
      throw new Fault("io.unreachable", "unable to verify the first certificate", { fault: "peer", retry: "later" });
    if (target.certificate === undefined) return undefined;
    const shown = verifyMemoryPair({ certificate: target.certificate, key: target.key ?? "" }, { authority: clientCa, now });
    if (shown === undefined) throw new Fault("io.unreachable", "tls: bad certificate", { fault: "peer", retry: "later" });
    return { name: shown.commonName, groups: shown.organizations };
  }
}

async function* whole(
  body: AsyncIterable<Uint8Array>,
  done: () => void,
  ended: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
    ended();
  } finally {
    done();
  }
}

function cutOff({ open }: Door, key: string): void {
  for (const exchange of open) exchange.abort(broken(key));
  open.clear();
}

function broken(key: string): Fault {
  return new Fault("io.closed", `${key}: connection reset`, { fault: "world", retry: "soon" });
}
