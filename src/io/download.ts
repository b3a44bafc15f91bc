/**
 * The door to files on web servers: one GET that goes on where an earlier one stopped, if the file is still the same (RFC 9110 §14,
 * §13.1.5). The rules are here; the twins bring the exchange: Node's is undici, the memory twin calls handlers in this process.
 */
import { Fault } from "#std/fault.ts";
import type { HttpResponse } from "./http.ts";

export interface DownloadRequest {
  /** http or https, else Fault `io.url`. A user and password in it are sent as Basic authorization to its own origin alone. */
  readonly url: string;
  /** Bytes that are there already. */
  readonly from: number;
  /** What the answer said by which those bytes came; without it `from` is of no use. */
  readonly validator: string | undefined;
  /** Nobody can tell afterwards whether the bytes are right: an answer whose end looks like a broken connection is refused. */
  readonly unverified: boolean;
  readonly signal: AbortSignal;
}

export interface DownloadAnswer {
  /** The byte that the body starts with: `from`, or 0 when the file is another one by now or cannot be resumed. */
  readonly start: number;
  /** Bytes of the whole file, if the server says it. */
  readonly size: number | undefined;
  /** By which the file can be told from a later version; undefined: it cannot. */
  readonly validator: string | undefined;
  /** Rejects with Fault `io.unreachable` (also when it ends too early) or `io.too-large`, or the signal's reason. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Rejects with Fault `io.url`, `io.refused` (the status is no success; fact `status`), `io.redirect` (too many, or where they may not
 * lead), `io.too-large`, `io.protocol` (an answer that makes no sense), `io.unreachable`, `io.untrusted`, or the signal's reason.
 */
export type Download = (request: DownloadRequest) => Promise<DownloadAnswer>;

/** One GET without redirects. */
export type Exchange = (url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<HttpResponse>;

/** Bytes; no kernel and no initial RAM disk is longer. */
const LARGEST_DOWNLOAD = 4 * 1024 ** 3;
const MOST_REDIRECTS = 10;
/** Milliseconds by which a file's date must lie back for it to tell versions apart (RFC 9110 §8.8.2.2). */
const SETTLED = 60_000;

export function createDownload(exchange: Exchange): Download {
  return async function download(request): Promise<DownloadAnswer> {
    const { from, validator, unverified } = request;
    const isResuming = from > 0 && validator !== undefined;
    const range = isResuming ? { range: `bytes=${from}-`, "if-range": validator } : {};
    const { response, stop } = await follow(exchange, request, range);
    const anew = (): Promise<DownloadAnswer> => {
      stop();
      return download({ ...request, from: 0 });
    };
    if (response.status === 416 && isResuming) {
      // All of it is there already: the earlier download ended between the last byte and its being noticed.
      if (header(response, "content-range") !== `bytes */${from}`) return anew();
      stop();
      return { start: from, size: from, validator, body: nothing() };
    }
    if (response.status === 206 && isResuming) {
      const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header(response, "content-range")) ?? [];
      const isOther = [strongTag(response), validator].every((tag) => tag?.startsWith('"')) && strongTag(response) !== validator;
      if (Number(start) !== from || isOther) return anew();
      const rest = lengthOf(response);
      const size = total === "*" || total === undefined ? rest && from + rest : Number(total);
      return { start: from, size, validator, body: bounded(response.body, from, size, stop) };
    }
    if (response.status !== 200) {
      stop();
      throw refused(response.status);
    }
    const size = lengthOf(response);
    const encoding = header(response, "content-encoding");
    const isDelimited = size !== undefined || /\bchunked\b/i.test(header(response, "transfer-encoding"));
    try {
      if (encoding !== "" && encoding !== "identity")
        throw protocol(`the answer is encoded (${encoding}), which was not asked for`);
      if (unverified && !isDelimited)
        throw protocol("the server does not say how long the file is, and no sha512 is given to check it by");
      if (size !== undefined && size > LARGEST_DOWNLOAD) throw tooLarge(size);
    } catch (error) {
      stop();
      throw error;
    }
    return { start: 0, size, validator: validatorOf(response), body: bounded(response.body, 0, size, stop) };
  };
}

/** The URL without user and password. */
export function printable(url: URL): string {
  const bare = new URL(url);
  bare.username = bare.password = "";
  return bare.href;
}

async function follow(
  exchange: Exchange,
  { url, signal }: DownloadRequest,
  range: Readonly<Record<string, string>>,
): Promise<{ response: HttpResponse; stop: () => void }> {
  const first = parse(url);
  let at = first;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const own = new AbortController();
    const stop = (): void => own.abort(new Fault("io.closed", "nobody reads on", { fault: "ours", retry: "never" }));
    const authorization = at.origin === first.origin ? basic(first) : {};
    const headers = { "accept-encoding": "identity", ...range, ...authorization };
    const response = await exchange(at, headers, AbortSignal.any([signal, own.signal]));
    const location = header(response, "location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === "") return { response, stop };
    stop();
    const next = parse(location, at);
    if (at.protocol === "https:" && next.protocol === "http:") throw redirected(`${at.origin} redirects from https to http`);
    at = next;
  }
  throw redirected(`more than ${MOST_REDIRECTS} redirects, the last to ${printable(at)}`);
}

function parse(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) throw new Fault("io.url", `"${text}" is not a URL`, { fault: "caller", retry: "never" });
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    const message = `a file can be downloaded by http or https, not by "${url.protocol.slice(0, -1)}"`;
    throw base === undefined ? new Fault("io.url", message, { fault: "caller", retry: "never" }) : redirected(message);
  }
  return url;
}

function basic({ username, password }: URL): Record<string, string> {
  if (username === "" && password === "") return {};
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(text).toString("base64")}` };
}

async function* bounded(
  body: AsyncIterable<Uint8Array>,
  start: number,
  size: number | undefined,
  stop: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = start;
  try {
    for await (const bytes of body) {
      at += bytes.length;
      if (at > (size ?? LARGEST_DOWNLOAD))
        throw size === undefined ? tooLarge(at) : protocol(`more than the ${size} bytes announced`);
      yield bytes;
    }
  } finally {
    stop();
  }
  if (size !== undefined && at < size) {
    throw new Fault("io.unreachable", `the connection ended after ${at} of ${size} bytes`, { fault: "peer", retry: "soon" });
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}

/** "" when there is none; of several the first. */
function header({ headers }: HttpResponse, name: string): string {
  const value = headers[name] ?? "";
  return typeof value === "string" ? value : (value[0] ?? "");
}

function lengthOf(response: HttpResponse): number | undefined {
  const text = header(response, "content-length");
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** An entity tag that may stand in If-Range. */
function strongTag(response: HttpResponse): string | undefined {
  const tag = header(response, "etag");
  return /^"[^"]{0,1000}"$/.test(tag) ? tag : undefined;
}

function validatorOf(response: HttpResponse): string | undefined {
  const modified = header(response, "last-modified");
  const age = Date.parse(header(response, "date")) - Date.parse(modified);
  return strongTag(response) ?? (age >= SETTLED ? modified : undefined);
}

function refused(status: number): Fault {
  const retry = status >= 500 || status === 429 || status === 408 ? "soon" : "later";
  return new Fault("io.refused", `the server answers ${status}`, { fault: "peer", retry, facts: { status } });
}

function redirected(message: string): Fault {
  return new Fault("io.redirect", message, { fault: "peer", retry: "later" });
}

function protocol(message: string): Fault {
  return new Fault("io.protocol", message, { fault: "peer", retry: "later" });
}

function tooLarge(size: number): Fault {
  return new Fault("io.too-large", `the file is too large: ${size} bytes, at most ${LARGEST_DOWNLOAD}`, {
    fault: "peer",
    retry: "later",
  });
}
