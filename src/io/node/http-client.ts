/** The HTTP client door on undici: one server, a keep-alive pool, streamed answers, and no retries of its own. */
import { errors, Pool } from "undici";
import { Fault } from "#std/fault.ts";
import type { HttpResponse, HttpTransport, Judge, OpenHttp } from "../http.ts";
import { judgedConnector } from "./judged.ts";

export interface HttpClientOptions {
  /** `https://host:port`; a path in it goes before every target. */
  readonly server: string;
  /** PEM of the authorities that may have signed the server's certificate; absent: the system's. */
  readonly ca?: string;
  /** PEM: who we are, when a certificate says it. */
  readonly certificate?: string;
  readonly key?: string;
  /** Who we are, when a bearer token says it; a function is asked for every request, so that tokens may change. */
  readonly token?: string | (() => Promise<string>);
  /** The name the server's certificate must have, where it is not the one in `server`. */
  readonly serverName?: string;
  /** Accepts any certificate. For tests, and kubeconfigs that say so. */
  readonly insecure?: boolean;
  /** Is asked about the server's certificate, whether it verifies or not; see {@link Judge}. */
  readonly judge?: Judge;
  /** Connections at once; absent: as many as there are requests. */
  readonly connections?: number;
  /** Milliseconds; absent: 10 s to connect, two minutes until headers come. */
  readonly connectTime?: number;
  readonly answerTime?: number;
}

/** Milliseconds until a connection must be up, TLS included. */
const CONNECT_TIME = 10_000;
/** Milliseconds a server may think before it answers; API servers give up after a minute. */
const ANSWER_TIME = 120_000;

/**
 * Requests reject with Fault `io.unreachable` (no connection, or it broke), `io.untrusted` (the server's certificate), `io.closed`
 * (after close), or the reason of their signal; so does reading a body.
 */
export function createHttpClient(options: HttpClientOptions): HttpTransport {
  const { origin, pathname } = new URL(options.server);
  const prefix = pathname.replace(/\/+$/, "");
  const { judge, connectTime = CONNECT_TIME } = options;
  const pool = new Pool(origin, {
    connections: options.connections ?? null,
    headersTimeout: options.answerTime ?? ANSWER_TIME,
    // Watches are silent for as long as nothing happens.
    bodyTimeout: 0,
    // A watch on HTTP/1.1 has its connection and its backpressure to itself, and repeated headers stay apart.
    allowH2: false,
    connect:
      judge !== undefined
        ? judgedConnector({ judge, timeout: connectTime, ca: options.ca, serverName: options.serverName })
        : {
            timeout: connectTime,
            keepAlive: true,
            rejectUnauthorized: options.insecure !== true,
            ...(options.ca === undefined ? {} : { ca: options.ca }),
            ...(options.certificate === undefined ? {} : { cert: options.certificate }),
            ...(options.key === undefined ? {} : { key: options.key }),
            ...(options.serverName === undefined ? {} : { servername: options.serverName }),
          },
  });
  return {
    async request({ method, target, headers, body, signal }) {
      try {
        const token = typeof options.token === "function" ? await options.token() : options.token;
        const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
        const answer = await pool.request({
          method,
          path: prefix + target,
          headers: { ...headers, ...authorization },
          body: body ?? null,
          signal: signal ?? null,
        });
        return {
          status: answer.statusCode,
          headers: answer.headers as HttpResponse["headers"],
          body: pieces(answer.body, origin, signal),
        };
      } catch (error) {
        throw faultOf(error, origin, signal);
      }
    },
    close: () => pool.destroy(new errors.ClientDestroyedError()),
  };
}

/** The door's twin on the network: one connection to each, which is what small servers like. */
export const openHttp: OpenHttp = (target) => createHttpClient({ connections: 1, ...target });

/** A body whose failures are Faults. */
export async function* pieces(
  body: AsyncIterable<Buffer>,
  origin: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* body;
  } catch (error) {
    throw faultOf(error, origin, signal);
  }
}

/** Node's codes for certificates that do not verify (tls, X509_V_ERR_*). */
const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/;

/** What undici and the network say, as the Faults of {@link createHttpClient}. */
export function faultOf(error: unknown, origin: string, signal: AbortSignal | undefined): Error {
  if (signal?.aborted) return signal.reason as Error;
  if (Fault.is(error)) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (error instanceof errors.ClientDestroyedError || error instanceof errors.ClientClosedError) {
    return new Fault("io.closed", "the client is closed", { fault: "caller", retry: "never", cause: error });
  }
  if (UNTRUSTED.test(code)) {
    return new Fault("io.untrusted", `the certificate of ${origin} is not trusted: ${message}`, {
      fault: "peer",
      retry: "later",
      cause: error,
    });
  }
  return new Fault("io.unreachable", `${origin}: ${message || code}`, { fault: "world", retry: "soon", cause: error });
}
