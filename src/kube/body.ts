/** Reading answers without trusting their size: a whole body, or JSON lines as a watch sends them. */
import { Fault } from "#std/fault.ts";
import type { Json } from "#std/json.ts";

const NEWLINE = 0x0a;

/** Bytes gathered from many pieces: never more than `limit` of them, copied O(1) times each however small the pieces are. */
class Gathered {
  readonly #limit: number;
  #bytes = new Uint8Array(0);
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#limit) {
      const message = `the API server's answer is longer than ${this.#limit} bytes`;
      throw new Fault("api.answer-too-large", message, { fault: "peer", retry: "later" });
    }
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.#limit, Math.max(length, 2 * this.#bytes.length)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }

  /** A view that the next `add` overwrites. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }
}

/** The whole body; Fault `api.answer-too-large` beyond `limit` bytes, before they are kept. */
export async function readWhole(body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const gathered = new Gathered(limit);
  for await (const piece of body) gathered.add(piece);
  return gathered.take();
}

/** JSON of a body or a line; anything else is Fault `api.malformed`. */
export function parseJson(bytes: Uint8Array): Json {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Json;
  } catch (cause) {
    throw new Fault("api.malformed", `the API server's answer is not JSON (${bytes.length} bytes)`, {
      fault: "peer",
      retry: "soon",
      cause,
    });
  }
}

/**
 * The JSON values of a stream of lines; empty lines are left out. A line longer than `limit` bytes is Fault
 * `api.answer-too-large`. A last line without its newline was cut off on the way and is dropped: the watch resumes before it.
 */
export async function* readLines(body: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Json, void, undefined> {
  const line = new Gathered(limit);
  for await (const piece of body) {
    let start = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
      line.add(piece.subarray(start, end));
      start = end + 1;
      const bytes = line.take();
      if (bytes.length > 0) yield parseJson(bytes);
    }
    line.add(piece.subarray(start));
  }
}
