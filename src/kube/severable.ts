/** A transport whose exchanges can all be broken off: a peer that has died without a word keeps its connections open for hours. */
import type { HttpTransport } from "#io/http.ts";
import type { Fault } from "#std/fault.ts";

export interface Severable extends HttpTransport {
  /** What is under way rejects with the reason; what comes later goes ahead. */
  sever(reason: Fault): void;
}

export function severable(transport: HttpTransport): Severable {
  const open = new Set<AbortController>();
  return {
    async request(request) {
      const cut = new AbortController();
      const { signal } = request;
      const stop = (): void => cut.abort(signal!.reason);
      if (signal?.aborted === true) stop();
      signal?.addEventListener("abort", stop, { once: true });
      open.add(cut);
      const done = (): void => {
        open.delete(cut);
        signal?.removeEventListener("abort", stop);
      };
      try {
        const response = await transport.request({ ...request, signal: cut.signal });
        return { ...response, body: whole(response.body, done) };
      } catch (error) {
        done();
        throw error;
      }
    },
    sever(reason) {
      for (const cut of open) cut.abort(reason);
      open.clear();
    },
    close: () => transport.close(),
  };
}

async function* whole(body: AsyncIterable<Uint8Array>, done: () => void): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
  } finally {
    done();
  }
}
