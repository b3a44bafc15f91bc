/** One request and its answer, whatever the protocol: what a Handler is given and how what it returns goes out. */
import { Fault } from "#std/fault.ts";
import type { Handler, Incoming, ListenOptions, Outgoing } from "../../serve.ts";
import { wireHeaders } from "./header.ts";
import { Outlet, WRITE } from "./outlet.ts";
import { Watchdog } from "./watchdog.ts";
import type { Wire } from "./wire.ts";

/** The two ends of a connection. */
export type Ends = Required<Pick<Incoming, "peer" | "local">>;

const NOTHING = Buffer.alloc(0);

function tooLarge(limit: number): Fault {
  return new Fault("io.too-large", `the body is longer than ${limit} bytes`, { fault: "peer", retry: "never", facts: { limit } });
}

function gone(): Fault {
  return new Fault("io.closed", "the client went away", { fault: "peer", retry: "never" });
}

export class Exchange implements Incoming {
  readonly peer: Incoming["peer"];
  readonly local: Ends["local"];
  readonly #wire: Wire;
  readonly #limits: ListenOptions["limits"];
  #abort: AbortController | undefined;
  /** Why; a fault is only made for somebody who looks. */
  #aborted: (() => Fault) | undefined;
  #body: Promise<Buffer> | undefined;
  #outlet: Outlet | undefined;
  readonly #stalled: Watchdog;
  #settled: Outgoing["settled"];
  #gone = false;

  constructor(wire: Wire, ends: Ends, limits: ListenOptions["limits"]) {
    this.#wire = wire;
    this.peer = ends.peer;
    this.local = ends.local;
    this.#limits = limits;
    this.#stalled = new Watchdog(limits.stalled, () => wire.cut());
  }

  get method(): string {
    return this.#wire.method;
  }

  get target(): string {
    return this.#wire.target;
  }

  get headers(): Incoming["headers"] {
    return this.#wire.headers;
  }

  /** Made when somebody asks for it: most requests are answered before anything could abort them. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#aborted !== undefined) this.#abort.abort(this.#aborted());
    }
    return this.#abort.signal;
  }

  body(limit: number): Promise<Buffer> {
    return (this.#body ??= this.#read(limit));
  }

  async *pieces(): AsyncGenerator<Buffer, void> {
    const { input } = this.#wire;
    if (input === undefined) return;
    try {
      // Whoever stops reading has an answer to send: the stream is for both.
      for await (const piece of input.iterator({ destroyOnReturn: false })) yield piece as Buffer;
    } catch {
      throw gone();
    }
  }

  /** Runs the handler and sends its answer. Never rejects: a handler that does, against its contract, loses its exchange. */
  async run(handler: Handler): Promise<void> {
    try {
      const outgoing = await handler(this);
      if (this.#gone) return outgoing.settled?.(false);
      this.#settled = outgoing.settled;
      this.#send(outgoing);
    } catch {
      this.#wire.cut();
    }
  }

  /** The listener closes: streams are asked to end, everything else may finish. */
  abort(reason: () => Fault): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = reason;
    this.#abort?.abort(reason());
  }

  /** The wire is gone, after a whole answer or in the middle of one. */
  closed(complete: boolean): void {
    this.#gone = true;
    this.#outlet?.close();
    this.#stalled.close();
    if (!complete) this.abort(gone);
    this.#settled?.(complete);
  }

  #read(limit: number): Promise<Buffer> {
    const { input, headers } = this.#wire;
    if (input === undefined) return Promise.resolve(NOTHING);
    if (Number(headers["content-length"]) > limit) return Promise.reject(tooLarge(limit));
    if (headers["expect"]?.toLowerCase() === "100-continue") this.#wire.sendContinue();
    return new Promise((resolve, reject) => {
      let pieces: Buffer[] = [];
      let length = 0;
      this.#stalled.arm();
      input.on("data", (piece: Buffer) => {
        this.#stalled.arm();
        length += piece.length;
        if (length <= limit) return pieces.push(piece);
        // The rest is read and forgotten, so that the peer gets to see its answer.
        pieces = [];
        reject(tooLarge(limit));
      });
      const lost = (): void => reject(gone());
      input.once("close", lost);
      input.on("error", lost);
      input.once("end", () => {
        // Both still come to a stream that has ended well; faults are not made for nothing.
        input.off("close", lost);
        this.#stalled.disarm();
        resolve(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces));
      });
    });
  }

  #send({ status, headers, body }: Outgoing): void {
    const wire = this.#wire;
    const bodiless = wire.method === "HEAD" || status === 204 || status === 304;
    const length = "open" in body ? undefined : body.reduce((sum, piece) => sum + piece.length, 0);
    wire.head(status, wireHeaders(headers), status === 204 || status === 304 ? undefined : length);
    if (bodiless || length === 0) return this.#end();
    if ("open" in body) {
      const promised = headers["content-length"];
      this.#outlet = new Outlet(wire, this.#limits, promised === undefined ? undefined : Number(promised));
      return body.open(this.#outlet);
    }
    if (length! <= WRITE) return this.#end(body.length === 1 ? body[0] : Buffer.concat(body, length));
    this.#outlet = new Outlet(wire, this.#limits);
    for (const piece of body) this.#outlet.write(piece);
    this.#outlet.end();
  }

  #end(bytes?: Buffer): void {
    this.#stalled.arm();
    this.#wire.end(bytes);
  }
}
