/**
 * One exchange with an API server, before anything is known of kinds: JSON there, JSON back, refusals as the Fault of their
 * Status, "come back later" waited out.
 */
import type { Fault } from "#std/fault.ts";
import { isObject, type Json } from "#std/json.ts";
import { type Clock, sleep } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { HttpResponse, HttpTransport } from "#io/http.ts";
import { jittered } from "./backoff.ts";
import { parseJson, readLines, readWhole } from "./body.ts";
import { Deadline } from "./deadline.ts";
import { faultOf, type Status } from "./status.ts";

export interface ExchangeOptions {
  readonly transport: HttpTransport;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly userAgent: string;
  /** Milliseconds one exchange may take, waits for Retry-After not counted; a watch lasts as long as it asked for. Default 30 s. */
  readonly timeout?: number;
  /** Bytes of the longest answer taken. Default 256 MiB. */
  readonly answerLimit?: number;
  /** Texts of the server's Warning headers. */
  readonly onWarning?: (text: string) => void;
}

export interface Exchange {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly body?: Json | undefined;
  /** Default `application/json`. */
  readonly contentType?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** False: "come back later" is an answer like any other. */
  readonly patient?: boolean | undefined;
}

export interface Exchanger {
  /** The JSON of a whole answer. */
  readonly call: (exchange: Exchange) => Promise<Json>;
  /**
   * The JSON lines of an answer that the server ends after `seconds`; a server that neither sends nor ends it is left half a
   * minute later, with Fault `api.timeout`.
   */
  readonly stream: (exchange: Exchange, seconds: number, onOpen?: () => void) => AsyncGenerator<Json, void, undefined>;
}

/** As client-go: ten attempts, then the 429 is the caller's. */
const ATTEMPTS = 10;
const LONGEST_RETRY_AFTER = 60_000;
const LONGEST_LINE = 16 << 20;
/** A refusal's text is read up to here; longer ones are not Statuses. */
const LONGEST_REFUSAL = 1 << 20;

export function createExchanger(options: ExchangeOptions): Exchanger {
  const { transport, clock, entropy, userAgent, timeout = 30_000, answerLimit = 256 << 20 } = options;

  /** Sends until the answer is no longer "come back later"; a refusal is thrown. The body of the answer is still unread. */
  async function send(exchange: Exchange, signal: AbortSignal): Promise<HttpResponse> {
    const response = await transport.request({
      method: exchange.method,
      target: exchange.target,
      headers: {
        accept: "application/json",
        "user-agent": userAgent,
        ...(exchange.body === undefined ? {} : { "content-type": exchange.contentType ?? "application/json" }),
      },
      ...(exchange.body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(exchange.body)) }),
      signal,
    });
    for (const warning of listOf(response.headers["warning"])) options.onWarning?.(warningText(warning));
    if (response.status < 300) return response;
    const fault = refusal(response.status, await readWhole(response.body, LONGEST_REFUSAL));
    const wait = response.status === 429 || response.status === 503 ? retryAfter(response, clock.now()) : undefined;
    throw wait === undefined ? fault : new ComeBack(fault, wait);
  }

  async function patiently<R>(exchange: Exchange, attempt: () => Promise<R>): Promise<R> {
    for (let attempts = 1; ; attempts++) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof ComeBack)) throw error;
        if (attempts === ATTEMPTS || exchange.patient === false) throw error.fault;
        await sleep(clock, jittered(error.wait, 0.2, entropy), exchange.signal);
      }
    }
  }

  /** One attempt; what it throws when it is cut off is why it was. */
  async function attempt(exchange: Exchange): Promise<Json> {
    const deadline = new Deadline(clock, exchange.signal);
    deadline.limit(timeout, `${exchange.method} ${exchange.target}: no answer within ${timeout / 1000} s`);
    try {
      const response = await send(exchange, deadline.signal);
      return parseJson(await readWhole(response.body, answerLimit));
    } catch (error) {
      throw deadline.blame(error);
    } finally {
      deadline.release();
    }
  }

  async function* stream(exchange: Exchange, seconds: number, onOpen?: () => void): AsyncGenerator<Json, void, undefined> {
    const deadline = new Deadline(clock, exchange.signal);
    try {
      const response = await patiently(exchange, () => {
        deadline.limit(timeout, `${exchange.method} ${exchange.target}: no answer within ${timeout / 1000} s`);
        return send(exchange, deadline.signal);
      });
      deadline.limit(seconds * 1000 + 30_000, `the watch ${exchange.target} did not end in its time`);
      onOpen?.();
      yield* readLines(response.body, LONGEST_LINE);
    } catch (error) {
      throw deadline.blame(error);
    } finally {
      deadline.release();
    }
  }

  return { call: (exchange) => patiently(exchange, () => attempt(exchange)), stream };
}

/** A refusal that says when to ask again. */
class ComeBack extends Error {
  readonly fault: Fault;
  /** Milliseconds. */
  readonly wait: number;
  constructor(fault: Fault, wait: number) {
    super(fault.message);
    this.fault = fault;
    this.wait = wait;
  }
}

/** RFC 9110 §10.2.3: seconds or a date. Undefined when the header is absent or unreadable. */
function retryAfter(response: HttpResponse, now: number): number | undefined {
  const value = listOf(response.headers["retry-after"])[0];
  if (value === undefined) return undefined;
  const wait = /^[0-9]{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(wait) ? undefined : Math.min(LONGEST_RETRY_AFTER, Math.max(0, wait));
}

export function isStatus(value: unknown): value is Status {
  return isObject(value) && value["kind"] === "Status" && typeof value["code"] === "number";
}

/** The Status a server refused with; proxies and the like answer with other bodies, of which the code and some text are kept. */
function refusal(code: number, body: Uint8Array): Fault {
  try {
    const answer = parseJson(body);
    if (isStatus(answer)) return faultOf(answer);
  } catch {
    // Not JSON: below.
  }
  const said = new TextDecoder().decode(body.subarray(0, 200)).trim();
  return faultOf({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    code,
    message: `HTTP ${code}${said === "" ? "" : `: ${said}`}`,
  });
}

/** `299 - "text"` (RFC 7234 §5.5) without its quotes. */
function warningText(header: string): string {
  return /^\d{3} \S+ "((?:[^"\\]|\\.)*)"/.exec(header)?.[1]?.replace(/\\(.)/g, "$1") ?? header;
}

function listOf(header: string | string[] | undefined): string[] {
  return header === undefined ? [] : Array.isArray(header) ? header : [header];
}
