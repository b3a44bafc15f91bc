/** What the two diagnostic listeners answer: health for probes, metrics for Prometheus. */
import { createAuthenticator } from "#apiserver/authenticate.ts";
import { createEdge } from "#apiserver/edge.ts";
import type { Tokens } from "#apiserver/tokens.ts";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Handler, Outgoing } from "#io/serve.ts";
import type { MetricsRegistry } from "./metrics.ts";

const HEALTH = new Set(["/healthz", "/readyz"]);
const NOT_FOUND: Outgoing = {
  status: 404,
  headers: { "content-type": "text/plain; charset=utf-8" },
  body: [Buffer.from("404 page not found\n")],
};

/** The API's own health endpoints and nothing else of it; nobody has to say who they are, and what they say is not looked at. */
export function healthHandler(api: Handler): Handler {
  return async ({ method, target, peer, signal }) => {
    const path = pathOf(target);
    if (!HEALTH.has(path)) return NOT_FOUND;
    return api({
      method,
      target: path,
      headers: {},
      peer: { address: peer.address },
      signal,
      body: () => Promise.resolve(Buffer.alloc(0)),
    });
  };
}

export interface MetricsHandlerOptions {
  readonly metrics: MetricsRegistry;
  readonly tokens: Tokens | undefined;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Anyone may read, in plain HTTP. */
  readonly open: boolean;
}

/** `GET /metrics`, to administrators only unless open. */
export function metricsHandler({ metrics, tokens, clock, entropy, open }: MetricsHandlerOptions): Handler {
  const answer = async (path: string): Promise<Outgoing> => {
    if (path !== "/metrics") return NOT_FOUND;
    return { status: 200, headers: { "content-type": metrics.contentType }, body: [Buffer.from(await metrics.text())] };
  };
  if (open) return (incoming) => answer(pathOf(incoming.target));
  const authenticate = createAuthenticator({ clock, ...(tokens && { tokens }) });
  return createEdge({ authenticate, handler: (request) => answer(request.path), clock, entropy });
}

function pathOf(target: string): string {
  return target.split("?", 1)[0]!;
}
