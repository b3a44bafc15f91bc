/** gRPC's bytes over one HTTP exchange after the other, by the clock of the machine. */
import { Code, ConnectError } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { createTransport } from "@connectrpc/connect/protocol-grpc";
import type { HttpRequest, HttpResponse } from "#io/http.ts";
import type { Life } from "../machine/life.ts";

/** Milliseconds. */
const CALL = 30_000;
const MOST_BYTES = 4 * 1024 * 1024;

/** gRPC's bytes over the simulated network. An end of the machine ends it without a word. */
export function grpcOver(
  authority: string,
  life: Life,
  request: (request: HttpRequest) => Promise<HttpResponse>,
  token: () => string | undefined,
): Transport {
  const transport = createTransport({
    baseUrl: `http://${authority}`,
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: MOST_BYTES,
    readMaxBytes: MOST_BYTES,
    writeMaxBytes: MOST_BYTES,
    httpClient: async ({ url, method, header, body, signal }) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of body ?? []) pieces.push(piece);
      const bearer = token();
      if (bearer !== undefined) header.set("authorization", `Bearer ${bearer}`);
      const answer = await life.live(
        request({
          method,
          target: new URL(url).pathname,
          headers: Object.fromEntries(header),
          body: Buffer.concat(pieces),
          ...(signal === undefined ? {} : { signal }),
        }),
      );
      const trailer = new Headers();
      return { status: answer.status, header: headersOf(answer.headers), body: read(answer, trailer, life), trailer };
    },
  });
  return {
    // connect counts the time of a call by the clock on the wall.
    async unary(method, signal, timeout, ...rest) {
      const late = new AbortController();
      const stop = (): void => late.abort(signal?.reason);
      signal?.addEventListener("abort", stop, { once: true });
      const timer = life.after(timeout ?? CALL, () => late.abort(new ConnectError("no answer in time", Code.DeadlineExceeded)));
      try {
        return await life.live(transport.unary(method, late.signal, undefined, ...rest));
      } finally {
        timer.cancel();
        signal?.removeEventListener("abort", stop);
      }
    },
    stream: (method, signal, _timeout, ...rest) => transport.stream(method, signal, undefined, ...rest),
  };
}

async function* read(answer: HttpResponse, trailer: Headers, life: Life): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = answer.body[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await life.live(pieces.next());
    if (done === true) break;
    yield value;
  }
  for (const [name, value] of Object.entries(answer.trailers?.() ?? {})) trailer.set(name, value);
}

function headersOf(headers: HttpResponse["headers"]): Headers {
  const found = new Headers();
  for (const [name, value] of Object.entries(headers)) found.set(name, Array.isArray(value) ? value.join(", ") : value);
  return found;
}
