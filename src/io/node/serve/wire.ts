/** What HTTP/1.1 and HTTP/2 have in common, seen from the server: one request and the way its answer goes out. */
import type { Readable } from "node:stream";
import type { Incoming } from "../../serve.ts";

export interface Wire {
  readonly method: string;
  readonly target: string;
  readonly headers: Incoming["headers"];
  /** The request's body; undefined when the request has none. */
  readonly input: Readable | undefined;
  /** Tells a peer that asked with `Expect: 100-continue` to send its body. */
  sendContinue(): void;
  /** Status line and headers (fit for node; the wire may change the record). `length` is the body's, undefined for a stream. */
  head(status: number, headers: Record<string, string | string[]>, length: number | undefined): void;
  /** Calls `done` once the bytes have left this process, with an error when the wire is gone. One write at a time. */
  write(bytes: Buffer, done: (error?: Error | null) => void): void;
  /** Ends the answer, after `bytes` if there are any. Only a stream can have trailers. */
  end(bytes?: Buffer, trailers?: Readonly<Record<string, string>>): void;
  /** Cuts the exchange: HTTP/1.1 loses its connection, HTTP/2 resets the stream. */
  cut(): void;
}
