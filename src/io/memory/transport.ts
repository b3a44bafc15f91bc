/** HTTP without a network: a client's requests go straight to a handler in this process, streams and backpressure included. */
import { Fault } from "#std/fault.ts";
import type { HttpRequest, HttpResponse, HttpTransport } from "../http.ts";
import type { Handler, Incoming, Outgoing, Principal, Sink } from "../serve.ts";

export interface MemoryTransportOptions {
  /** Who the requests come from; absent: an anonymous client, as one from the network without credentials. */
  readonly principal?: Principal;
  /** The client's address, if it is to look as if it came from a network. */
  readonly address?: string;
  /** The end of the connection that it came to. */
  readonly local?: Incoming["local"];
  /** Bytes a stream may have buffered before its sink is full. */
  readonly buffered?: number;
}

const BUFFERED = 1024 * 1024;

export function createMemoryTransport(handler: Handler, options: MemoryTransportOptions = {}): HttpTransport {
  const open = new Set<AbortController>();
  const { address = "in-process", local } = options;
  const peer = { address, ...(options.principal === undefined ? {} : { principal: options.principal }) };
  let closed = false;

  const request = async (asked: HttpRequest): Promise<HttpResponse> => {
    if (closed) throw gone("the transport is closed");
    asked.signal?.throwIfAborted();
    const abort = new AbortController();
    const stop = (): void => abort.abort(asked.signal!.reason);
    let settled: Outgoing["settled"];
    const settle = (complete: boolean): void => {
      open.delete(abort);
      asked.signal?.removeEventListener("abort", stop);
      settled?.(complete);
    };
    open.add(abort);
    abort.signal.addEventListener("abort", () => settle(false), { once: true });
    asked.signal?.addEventListener("abort", stop, { once: true });
    const answered = handler({ ...incoming(asked, peer, abort.signal), ...(local && { local }) }).then((outgoing) => {
      settled = outgoing.settled;
      if (abort.signal.aborted) settle(false);
      return outgoing;
    });
    try {
      const { status, headers, body } = await unlessAborted(answered, abort.signal);
      const pipe = new Pipe(options.buffered ?? BUFFERED, abort.signal);
      if (asked.method === "HEAD") pipe.end();
      else pipe.take(body);
      return { status, headers, body: reading(pipe, abort, settle), trailers: () => pipe.trailers };
    } catch (error) {
      settle(false);
      throw error;
    }
  };
  const close = async (): Promise<void> => {
    closed = true;
    for (const abort of open) abort.abort(gone("the transport is closed"));
  };
  return { request, close };
}

function gone(message: string): Fault {
  return new Fault("io.closed", message, { fault: "caller", retry: "never" });
}

function incoming(asked: HttpRequest, peer: Incoming["peer"], signal: AbortSignal): Incoming {
  const bytes = asked.body ?? new Uint8Array(0);
  const body = async (limit: number): Promise<Buffer> => {
    if (bytes.length > limit) {
      throw new Fault("io.too-large", `the body is longer than ${limit} bytes`, {
        fault: "peer",
        retry: "never",
        facts: { limit },
      });
    }
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  return { method: asked.method, target: asked.target, headers: asked.headers ?? {}, peer, body, signal };
}

function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** The body as the client reads it. Leaving it unread half-way (`break`) is a client that went away. */
async function* reading(
  pipe: Pipe,
  abort: AbortController,
  settle: (complete: boolean) => void,
): AsyncGenerator<Buffer, void, undefined> {
  let complete = false;
  try {
    yield* pipe.read();
    complete = true;
  } finally {
    if (complete) settle(true);
    else abort.abort(gone("the client went away"));
  }
}

/** A sink whose other end is read in this process. */
class Pipe implements Sink {
  readonly #limit: number;
  readonly #signal: AbortSignal;
  #queue: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  trailers: Readonly<Record<string, string>> = {};
  #waiting: { readonly most: number; readonly resume: () => void }[] = [];
  #wake: () => void = () => {};

  constructor(limit: number, signal: AbortSignal) {
    this.#limit = limit;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  take(body: Outgoing["body"]): void {
    if ("open" in body) return body.open(this);
    for (const piece of body) this.write(piece);
    this.end();
  }

  write(bytes: Buffer): void {
    if (this.#ended || this.#signal.aborted || bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#bytes += bytes.length;
    this.#wake();
  }

  get full(): boolean {
    return this.#bytes >= this.#limit;
  }

  onDrain(resume: () => void, most = this.#limit - 1): void {
    if (this.#bytes > most) this.#waiting.push({ most, resume });
    else queueMicrotask(resume);
  }

  end(trailers: Readonly<Record<string, string>> = {}): void {
    this.#ended = true;
    this.trailers = trailers;
    this.#wake();
  }

  async *read(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      this.#signal.throwIfAborted();
      const pieces = this.#queue;
      this.#queue = [];
      for (const piece of pieces) {
        yield piece;
        this.#signal.throwIfAborted();
        this.#bytes -= piece.length;
        this.#resume();
      }
      if (this.#queue.length > 0) continue;
      if (this.#ended) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #resume(): void {
    const ready = this.#waiting.filter(({ most }) => this.#bytes <= most);
    this.#waiting = this.#waiting.filter(({ most }) => this.#bytes > most);
    for (const { resume } of ready) resume();
  }
}
