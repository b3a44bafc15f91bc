/**
 * The way out for bodies of any length. Pieces queue here, not in the socket: they go out joined into writes of about 64 KB, one
 * at a time, so that ten thousand small pieces are not ten thousand TLS records, a burst of watch events is one write, and a peer
 * that does not read is noticed by the one write that does not get done.
 */
import type { ListenOptions, Sink } from "../../serve.ts";
import { Turns } from "./turns.ts";
import { Watchdog } from "./watchdog.ts";
import type { Wire } from "./wire.ts";

/** Bytes of one write; shorter bodies need no outlet. */
export const WRITE = 64 * 1024;
/** Written pieces that may lie at the front of the queue before they are dropped from it. */
const SPENT = 256;
/** An event for a thousand watchers is a thousand writes, 30 µs each: this many are no more than a few milliseconds. */
const FLUSHES = 64;

/** Of all outlets, because there is one event loop for all. */
const flushes = new Turns(FLUSHES);

export class Outlet implements Sink {
  readonly #wire: Wire;
  readonly #limit: number;
  readonly #stalled: Watchdog;
  #queue: Buffer[] = [];
  /** The first piece of the queue that is not written yet, and how much of it is. */
  #next = 0;
  #offset = 0;
  /** Bytes queued or in the write under way. */
  #bytes = 0;
  #missing: number | undefined;
  #busy = false;
  #ending = false;
  #closed = false;
  #trailers: Readonly<Record<string, string>> | undefined;
  #waiting: { readonly most: number; readonly resume: () => void }[] = [];

  /** `promised`: the body's length as the headers have it; a stream that ends with less, or more, is cut, so that the client knows. */
  constructor(wire: Wire, limits: ListenOptions["limits"], promised?: number) {
    this.#wire = wire;
    this.#missing = promised;
    this.#limit = limits.buffered;
    this.#stalled = new Watchdog(limits.stalled, () => wire.cut());
  }

  write(bytes: Buffer): void {
    if (this.#ending || bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#bytes += bytes.length;
    if (this.#missing !== undefined) this.#missing -= bytes.length;
    this.#schedule();
  }

  get full(): boolean {
    return this.#closed || this.#bytes >= this.#limit;
  }

  onDrain(resume: () => void, most = this.#limit - 1): void {
    if (this.#closed || this.#bytes > most) this.#waiting.push({ most, resume });
    else queueMicrotask(resume);
  }

  end(trailers?: Readonly<Record<string, string>>): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#trailers = trailers;
    this.#schedule();
  }

  /** The wire is gone: nothing is kept for it any more, and it stays full, so that whoever writes until it is does not write on. */
  close(): void {
    this.#ending = true;
    this.#closed = true;
    this.#queue = [];
    this.#next = 0;
    this.#waiting = [];
    this.#stalled.close();
  }

  /** Not at once but in a later turn, so that whatever else is written until then goes along. */
  #schedule(): void {
    if (this.#busy) return;
    this.#busy = true;
    flushes.add(() => this.#flush());
  }

  #flush(): void {
    if (this.#closed) return;
    const bytes = this.#take();
    if (bytes !== undefined) {
      this.#stalled.arm();
      // A wire that is gone fails each write at once, long before it says that it is closed: whoever writes on would do so for ever.
      this.#wire.write(bytes, (error) => (error ? this.close() : this.#written(bytes.length)));
      return;
    }
    this.#busy = false;
    this.#stalled.disarm();
    if (!this.#ending) return;
    if ((this.#missing ?? 0) === 0) this.#wire.end(undefined, this.#trailers);
    else this.#wire.cut();
  }

  #written(length: number): void {
    if (this.#closed) return;
    this.#bytes -= length;
    if (this.#waiting.length > 0) this.#resume();
    this.#flush();
  }

  #resume(): void {
    const ready = this.#waiting.filter(({ most }) => this.#bytes <= most);
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter(({ most }) => this.#bytes > most);
    for (const { resume } of ready) resume();
  }

  /** The front of the queue: a slice of a long piece, or as many short ones as fit, joined. Undefined when the queue is empty. */
  #take(): Buffer | undefined {
    const first = this.#queue[this.#next];
    if (first === undefined) return undefined;
    const part = first.subarray(this.#offset, this.#offset + WRITE);
    const parts = [part];
    let length = part.length;
    this.#offset += length;
    while (this.#offset >= this.#queue[this.#next]!.length) {
      this.#offset = 0;
      const piece = this.#queue[++this.#next];
      if (piece === undefined || length + piece.length > WRITE) break;
      parts.push(piece);
      length += piece.length;
      this.#offset = piece.length;
    }
    if (this.#next === this.#queue.length || this.#next >= SPENT) {
      this.#queue.splice(0, this.#next);
      this.#next = 0;
    }
    return parts.length === 1 ? part : Buffer.concat(parts, length);
  }
}
