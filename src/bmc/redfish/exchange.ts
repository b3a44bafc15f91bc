/** One request to a Redfish service and its whole answer: bounded in time and size, redirects followed on the same host. */
import type { Clock } from "#io/clock.ts";
import type { HttpTransport } from "#io/http.ts";
import { MOST_BYTES } from "#wire/redfish/constants.ts";
import { decode, type Document, pathOf } from "#wire/redfish/document.ts";
import { bmcFault, fromTransport } from "../fault.ts";

export interface Asked {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** With a query, if there is one. */
  readonly path: string;
  readonly body?: Document;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Undefined: no body. */
  readonly document: Document | undefined;
}

export interface ExchangeOptions {
  /** `https://192.0.2.1`: where redirects may lead. */
  readonly server: string;
  readonly transport: HttpTransport;
  readonly clock: Clock;
  /** Milliseconds for one request and its whole answer. */
  readonly timeout: number;
}

export type Exchange = (asked: Asked, signal: AbortSignal) => Promise<Answer>;

const MOST_REDIRECTS = 3;

/** Rejects with Faults `bmc.unreachable`, `bmc.untrusted`, `bmc.malformed`, `bmc.refused` (a redirect elsewhere), or the signal's reason. */
export function createExchange(options: ExchangeOptions): Exchange {
  return async (asked, signal) => {
    let { path } = asked;
    for (let redirects = 0; ; redirects++) {
      const answer = await once(options, { ...asked, path }, signal);
      const to = redirectOf(asked.method, answer, options.server);
      if (to === undefined) return answer;
      if (redirects === MOST_REDIRECTS) throw bmcFault("refused", `${asked.method} ${asked.path}: redirected without end`);
      path = to;
    }
  };
}

async function once(options: ExchangeOptions, { method, path, body, headers }: Asked, signal: AbortSignal): Promise<Answer> {
  const { transport, clock, timeout, server } = options;
  const late = new AbortController();
  const timer = clock.after(timeout, () =>
    late.abort(bmcFault("unreachable", `${server}: no answer to ${method} ${path} within ${timeout / 1000} s`)),
  );
  const both = AbortSignal.any([signal, late.signal]);
  try {
    const answer = await transport.request({
      method,
      target: path,
      headers: {
        accept: "application/json",
        // DSP0266 §6.5.2: what is sent is of OData 4.0.
        "odata-version": "4.0",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) }),
      signal: both,
    });
    const bytes = await collect(answer.body, late);
    return { status: answer.status, headers: single(answer.headers), document: documentOf(answer.status, bytes) };
  } catch (error) {
    throw fromTransport(error, both);
  } finally {
    timer.cancel();
  }
}

async function collect(body: AsyncIterable<Uint8Array>, stop: AbortController): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > MOST_BYTES) {
      const fault = bmcFault("malformed", `an answer of more than ${MOST_BYTES} bytes`);
      stop.abort(fault);
      throw fault;
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Errors may come as a web page; what they say is in the status. A success must be readable. */
function documentOf(status: number, bytes: Uint8Array): Document | undefined {
  if (bytes.every((byte) => byte <= 0x20)) return undefined;
  try {
    return decode(bytes);
  } catch (error) {
    if (status < 200 || status > 299) return undefined;
    throw error;
  }
}

function single(headers: Readonly<Record<string, string | string[]>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]));
}

/**
 * The path to ask instead. Only reading is repeated elsewhere for the older codes (RFC 9110 §15.4). Credentials and orders are never carried to
 * another host, nor from TLS into the open.
 */
function redirectOf(method: Asked["method"], { status, headers }: Answer, server: string): string | undefined {
  const isRedirect = status === 307 || status === 308 || ((status === 301 || status === 302) && method === "GET");
  const location = headers["location"];
  if (!isRedirect || location === undefined) return undefined;
  if (/^(?:[a-z][a-z0-9+.-]*:)?\/\//i.test(location)) {
    const from = new URL(server);
    const to = URL.canParse(location, server) ? new URL(location, server) : undefined;
    if (to?.host !== from.host || to.protocol !== from.protocol) {
      const shown = to === undefined ? "no URL" : to.origin;
      throw bmcFault("refused", `${server} redirects to ${shown}: name that as the BMC's address if it is meant`);
    }
  }
  const path = pathOf(location);
  if (path === undefined) throw bmcFault("malformed", `${server} redirects to something that is no path`);
  return path;
}
