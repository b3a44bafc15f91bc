/** A request that has been authenticated: what every handler behind the edge works on. No socket in sight. */
import type { Incoming, Outgoing } from "#io/serve.ts";

export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface ApiRequest extends Incoming {
  readonly user: User;
  /** Decoded path without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Texts for `Warning: 299 - "…"` headers; handlers push, the edge renders. */
  readonly warnings: string[];
}

/** May reject with a Fault: the edge turns it into a Status. */
export type ApiHandler = (request: ApiRequest) => Promise<Outgoing>;
