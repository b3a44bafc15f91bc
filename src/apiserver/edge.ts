/**
 * Where the network ends and the API begins: a request comes in as bytes from somebody, and goes on as a path, a query and a user.
 * Whatever goes wrong behind comes out as a Status. Nothing gets past it unbounded: bodies, time, requests at once.
 */
import { Fault } from "#std/fault.ts";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import { silent, type Log } from "#io/log.ts";
import type { Handler, Incoming, Outgoing } from "#io/serve.ts";
import { statusFault, statusOf } from "#kube/status.ts";
import { ANONYMOUS, type Authenticate, unauthorized } from "./authenticate.ts";
import { type Authorize, forbidden, isPublic, mastersOnly } from "./authorize.ts";
import { impersonated } from "./impersonate.ts";
import { flag } from "./query.ts";
import { negotiate } from "./render/accept.ts";
import { formatOf, JSON_TYPE, PRETTY_FORMAT, YAML_TYPE } from "./render/format.ts";
import type { ApiHandler, ApiRequest, User } from "./request.ts";
import { parseTarget, type Target } from "./target.ts";
import { warningHeaders } from "./warning.ts";

export interface EdgeLimits {
  /** Bytes of a request's body. */
  readonly body: number;
  /** Milliseconds until a handler must have its answer; streams may then run for as long as they like. */
  readonly time: number;
  /** Requests that may be waiting for their answer at once. */
  readonly inFlight: number;
}

/** As the genuine server has them. */
export const LIMITS: EdgeLimits = { body: 3 * 1024 * 1024, time: 60_000, inFlight: 600 };

export interface EdgeOptions {
  readonly authenticate: Authenticate;
  /** Absent: system:masters may do everything, others may see health and version. */
  readonly authorize?: Authorize;
  readonly handler: ApiHandler;
  readonly limits?: EdgeLimits;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Told of failures that are not the client's. */
  readonly log?: Log;
}

/** Never rejects: whatever goes wrong is an answer. */
export function createEdge(options: EdgeOptions): Handler {
  const { authenticate, handler, clock, entropy } = options;
  const authorize = options.authorize ?? mastersOnly;
  const limits = options.limits ?? LIMITS;
  const log = options.log ?? silent;
  let inFlight = 0;

  const serve = async (incoming: Incoming, target: Target, warnings: string[]): Promise<Outgoing> => {
    const sender = (await authenticate(incoming)) ?? (isPublic(target.path) ? ANONYMOUS : undefined);
    if (sender === undefined) throw unauthorized();
    const user = impersonated(sender, incoming.headers);
    const asked = { method: incoming.method, ...target };
    if (!(await authorize(user, asked))) throw forbidden(user, asked);
    // Clients that keep us busy must neither take our own controllers' place nor make probes think that we are dead.
    const isExempt = incoming.peer.principal !== undefined || isPublic(target.path);
    if (inFlight >= limits.inFlight && !isExempt) throw overloaded();
    inFlight++;
    try {
      return await within(limits.time, clock, handler(new EdgeRequest(incoming, user, target, warnings, limits.body)));
    } finally {
      inFlight--;
    }
  };

  return async (incoming) => {
    const target = parseTarget(incoming.target);
    if (target === undefined) return MALFORMED;
    indentForPeople(target.query, incoming.headers["user-agent"]);
    const warnings: string[] = [];
    const outgoing = await serve(incoming, target, warnings).catch((error: unknown) => {
      const fault = Fault.from(error);
      if (fault.fault === "ours") log.error("request failed", { method: incoming.method, path: target.path, error: fault.stack });
      return refusal(fault, incoming, target.query);
    });
    return { ...outgoing, headers: { ...common(incoming, entropy), ...outgoing.headers, ...warningHeader(warnings) } };
  };
}

/** What net/http says of a request it cannot read. */
const MALFORMED: Outgoing = {
  status: 400,
  headers: { "content-type": "text/plain; charset=utf-8", connection: "close" },
  body: [Buffer.from("400 Bad Request")],
};

/** A request behind the edge; whatever of the socket's the edge has nothing to say about is passed through. */
class EdgeRequest implements ApiRequest {
  readonly user: User;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly warnings: string[];
  readonly #incoming: Incoming;
  readonly #limit: number;

  constructor(incoming: Incoming, user: User, target: Target, warnings: string[], limit: number) {
    this.user = user;
    this.path = target.path;
    this.query = target.query;
    this.warnings = warnings;
    this.#incoming = incoming;
    this.#limit = limit;
  }

  get method(): string {
    return this.#incoming.method;
  }

  get target(): string {
    return this.#incoming.target;
  }

  get headers(): Incoming["headers"] {
    return this.#incoming.headers;
  }

  get peer(): Incoming["peer"] {
    return this.#incoming.peer;
  }

  get signal(): AbortSignal {
    return this.#incoming.signal;
  }

  async body(limit: number): Promise<Buffer> {
    const bound = Math.min(limit, this.#limit);
    try {
      return await this.#incoming.body(bound);
    } catch (error) {
      throw Fault.is(error, "io.too-large")
        ? statusFault("RequestEntityTooLarge", `Request entity too large: limit is ${bound}`)
        : error;
    }
  }
}

function overloaded(): Fault {
  return statusFault("TooManyRequests", "Too many requests, please try again later.", { retryAfterSeconds: 1 });
}

/** The result, or 504 when it takes longer than `time` ms; what comes later is dropped. */
function within<T>(time: number, clock: Clock, result: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(statusFault("Timeout", "Timeout: request did not complete within the allotted timeout", {}));
    const timer = clock.after(time, late);
    result.then(resolve, reject).finally(() => timer.cancel());
  });
}

/** What every answer carries, as the genuine server's do: the caller's id for it or a new one, and that nobody may keep it. */
function common(incoming: Incoming, entropy: Entropy): Record<string, string> {
  const given = incoming.headers["audit-id"];
  const id = given !== undefined && given !== "" && given.length <= 64 ? given : entropy.uuid();
  return { "audit-id": id, "cache-control": "no-cache, private" };
}

function warningHeader(texts: readonly string[]): Record<string, string[]> {
  return texts.length === 0 ? {} : { warning: warningHeaders(texts) };
}

/** Whoever reads answers with their own eyes gets them indented, unless they say otherwise (apiserver `isPrettyPrint`). */
function indentForPeople(query: URLSearchParams, agent: string | undefined): void {
  if (!query.has("pretty") && /^(?:curl|Wget|Mozilla\/5\.0)/.test(agent ?? "")) query.set("pretty", "true");
}

/** A fault as a Status, in JSON or YAML; indented JSON for those who take neither. */
function refusal(fault: Fault, incoming: Incoming, query: URLSearchParams): Outgoing {
  const status = statusOf(fault);
  const mediaType = negotiate(incoming.headers["accept"], [JSON_TYPE, YAML_TYPE], (offered) => offered);
  const format = mediaType === undefined ? PRETTY_FORMAT : formatOf(mediaType, flag(query, "pretty") === true);
  const delay = status.details?.retryAfterSeconds;
  return {
    status: status.code,
    headers: {
      "content-type": format.contentType,
      "x-content-type-options": "nosniff",
      ...(delay === undefined ? {} : { "retry-after": String(delay) }),
    },
    body: [format.encode(status)],
  };
}
