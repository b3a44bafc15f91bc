/** What goes wrong between Sidero's controllers and its API: refused and lost answers, conflicts, watches that end, and crashes between two requests. */
import type { HttpRequest, HttpResponse, HttpTransport } from "#io/http.ts";
import type { SeededEntropy } from "#io/memory/entropy.ts";
import { Fault } from "#std/fault.ts";

export interface ApiTrouble {
  /** Probability for each request. */
  refuse: number;
  /** It is done, and the answer is lost. */
  lose: number;
  conflict: number;
  /** For each piece of a watch. */
  endWatch: number;
  /** For each write: the process dies before it, or right after it. */
  crash: number;
  /** The process dies right before the write of a Server that makes this 0; counts down. */
  writesLeft?: number | undefined;
}

export function noTrouble(): ApiTrouble {
  return { refuse: 0, lose: 0, conflict: 0, endWatch: 0, crash: 0 };
}

export interface TroubledOptions {
  readonly trouble: ApiTrouble;
  readonly entropy: SeededEntropy;
  readonly tell: (what: string) => void;
  /** Ends the process; nothing that it waits for comes. */
  readonly crash: () => void;
}

export function troubled(inner: HttpTransport, { trouble, entropy, tell, crash }: TroubledOptions): HttpTransport {
  const dies = (): Promise<never> => {
    crash();
    return new Promise(() => {});
  };
  const request = async (asked: HttpRequest): Promise<HttpResponse> => {
    const line = `${asked.method} ${asked.target.split("?")[0]}`;
    // Leases stay out of it: losing one is a fault of its own.
    const isLease = asked.target.includes("/leases/");
    const isWrite = asked.method !== "GET" && !isLease;
    if (isLease) return await inner.request(asked);
    if (entropy.chance(trouble.refuse)) {
      tell(`the API refuses ${line}`);
      throw new Fault("io.unreachable", "connection refused", { fault: "world", retry: "soon" });
    }
    if (isWrite && (entropy.chance(trouble.crash) || (asked.target.includes("/servers/") && isLast(trouble))))
      return await dies();
    if (isWrite && entropy.chance(trouble.conflict)) {
      tell(`somebody else is faster than ${line}`);
      return conflict();
    }
    const answer = await inner.request(asked);
    if (isWrite && entropy.chance(trouble.crash)) return await dies();
    if (isWrite && entropy.chance(trouble.lose)) {
      tell(`the answer to ${line} is lost`);
      throw new Fault("io.closed", "connection reset", { fault: "world", retry: "soon" });
    }
    const isWatch = asked.target.includes("watch=");
    return isWatch ? { ...answer, body: breaking(answer.body, () => entropy.chance(trouble.endWatch)) } : answer;
  };
  return { request, close: () => inner.close() };
}

function isLast(trouble: ApiTrouble): boolean {
  if (trouble.writesLeft === undefined || --trouble.writesLeft > 0) return false;
  trouble.writesLeft = undefined;
  return true;
}

async function* breaking(body: AsyncIterable<Uint8Array>, breaks: () => boolean): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of body) {
    if (breaks()) throw new Fault("io.closed", "connection reset", { fault: "world", retry: "soon" });
    yield piece;
  }
}

/** As the API server says it. */
function conflict(): HttpResponse {
  const message =
    "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again";
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason: "Conflict", code: 409 };
  const bytes = Buffer.from(JSON.stringify(status));
  return {
    status: 409,
    headers: { "content-type": "application/json" },
    body: (async function* () {
      yield bytes;
    })(),
  };
}
