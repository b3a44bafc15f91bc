/** The sessions of a simulated BMC: those that are open, and logins that are half done. */
import type { UdpEndpoint } from "#io/udp.ts";
import type { Duration } from "#std/duration.ts";
import type { Session } from "#wire/ipmi/session/session.ts";
import type { Suite } from "#wire/ipmi/session/suite.ts";
import type { Introduction } from "#wire/ipmi/session/suite.ts";
import type { SolBridge } from "./sol.ts";

export interface OpenSession {
  readonly transport: Session;
  /** 1 to the number of sessions. */
  readonly handle: number;
  readonly user: number;
  readonly suite: Suite | undefined;
  /** What it may become, and what it is. */
  readonly limit: number;
  privilege: number;
  /** Where the last packet of it came from. */
  from: UdpEndpoint;
  heardAt: number;
  /** The last answer, for a command that comes again. */
  last: { readonly key: string; readonly payload: Uint8Array } | undefined;
  sol: SolBridge | undefined;
  /** The last message of the login, in case it was lost. */
  readonly greeting: Uint8Array | undefined;
}

/** After the first message (`introduction` undefined) or the second. */
export interface HalfOpen {
  readonly id: number;
  readonly remote: number;
  readonly suite: Suite;
  readonly tag: number;
  readonly limit: number;
  readonly since: number;
  introduction: Introduction | undefined;
  user: { readonly number: number; readonly password: Uint8Array; readonly privilege: number } | undefined;
  /** The last answer. */
  answer: Uint8Array;
}

/** IPMI 1.5: a challenge that waits for its answer. */
export interface Challenge {
  readonly id: number;
  readonly user: number;
  readonly type: number;
  readonly challenge: Uint8Array;
  readonly since: number;
}

/** §6.12.15 */
const IDLE: Duration = 60_000;
const HALF_OPEN: Duration = 20_000;

export class Sessions {
  readonly #limit: number;
  readonly open = new Map<number, OpenSession>();
  readonly half = new Map<number, HalfOpen>();
  readonly challenges = new Map<number, Challenge>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Ends what has been quiet for too long. */
  expire(now: number): void {
    for (const [id, session] of this.open) if (now - session.heardAt > IDLE) this.close(id);
    for (const [id, { since }] of this.half) if (now - since > HALF_OPEN) this.half.delete(id);
    for (const [id, { since }] of this.challenges) if (now - since > HALF_OPEN) this.challenges.delete(id);
  }

  get isFull(): boolean {
    return this.open.size + this.half.size >= this.#limit;
  }

  get capacity(): number {
    return this.#limit;
  }

  /** The lowest one that is free. */
  handle(): number {
    const taken = new Set([...this.open.values()].map(({ handle }) => handle));
    let handle = 1;
    while (taken.has(handle)) handle++;
    return handle;
  }

  close(id: number): void {
    this.open.get(id)?.sol?.end();
    this.open.delete(id);
  }
}
