/** A file as the answer to a request: whole, in part, or not again. */
import type { Incoming, Outgoing, Sink } from "#io/serve.ts";
import { Fault } from "#std/fault.ts";
import type { Admission } from "./admission.ts";
import { select, type Validators } from "./range.ts";

export interface File extends Validators {
  readonly size: number;
  /** Content-Type. */
  readonly type: string;
  /** Bytes from `start` up to, not including, `end`; they are not copied. */
  read(start: number, end: number): AsyncIterable<Buffer> | Iterable<Buffer>;
}

/** What became of a download that was begun. */
export interface Download {
  readonly start: number;
  readonly end: number;
  readonly size: number;
  /** Bytes that have left this process; at the granularity of chunks where it broke off. */
  readonly sent: number;
  readonly complete: boolean;
  /** Why not, when it was not the client that went away. */
  readonly fault?: Fault;
}

/** Bytes on their way for one download: enough to keep 10 Gbit/s busy while the next are fetched. */
const CHUNK = 256 * 1024;

export function answerWith(
  file: File,
  { method, headers, signal, peer }: Pick<Incoming, "headers" | "signal" | "peer"> & { readonly method: "GET" | "HEAD" },
  admission: Admission,
  ended: (download: Download) => void,
): Outgoing {
  const { size } = file;
  const selection = select(headers, method, size, file);
  const validators = { etag: file.etag, "last-modified": new Date(file.modified).toUTCString(), "accept-ranges": "bytes" };
  switch (selection.status) {
    case 304:
    case 412:
      return { status: selection.status, headers: validators, body: [] };
    case 416:
      return { status: 416, headers: { ...validators, "content-range": `bytes */${size}` }, body: [] };
    case 200:
    case 206: {
      const { status, start, end } = selection;
      const range = status === 206 ? { "content-range": `bytes ${start}-${end - 1}/${size}` } : {};
      const described = { ...validators, "content-type": file.type, "content-length": String(end - start), ...range };
      if (method === "HEAD") return { status, headers: described, body: { open() {} } };
      const progress = { sent: 0, fault: undefined as Fault | undefined };
      return {
        status,
        headers: described,
        body: { open: (sink) => void send(file, { start, end }, sink, { admission, signal, progress, ...peer }) },
        settled: (complete) => ended({ start, end, size, complete, sent: progress.sent, ...faultOf(progress) }),
      };
    }
  }
}

function faultOf({ fault }: { readonly fault: Fault | undefined }): { readonly fault?: Fault } {
  return fault === undefined ? {} : { fault };
}

interface Sending {
  readonly admission: Admission;
  readonly address: string;
  readonly signal: AbortSignal;
  readonly progress: { sent: number; fault: Fault | undefined };
}

async function send(file: File, { start, end }: { start: number; end: number }, sink: Sink, sending: Sending): Promise<void> {
  const { admission, address, signal, progress } = sending;
  try {
    for (let at = start; at < end;) {
      const next = Math.min(at + CHUNK, end);
      const release = await admission.admit(next - at, signal, address);
      try {
        for await (const piece of file.read(at, next)) sink.write(piece);
        await drained(sink, signal);
      } finally {
        release();
      }
      progress.sent += next - at;
      at = next;
    }
  } catch (error) {
    if (!signal.aborted) progress.fault = Fault.from(error);
  }
  // With less than was promised the listener cuts the answer off.
  sink.end();
}

/** Resolves when all that was written has left; rejects when the client goes away. */
function drained(sink: Sink, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    sink.onDrain(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, 0);
  });
}
