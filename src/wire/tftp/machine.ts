/** What the two ends of a transfer have in common: what they answer, and how long they wait. */
import type { Duration } from "#std/duration.ts";

/** How a transfer stands or ended. Only `running` goes on; the other states are final and need no further call. */
export type State =
  | { readonly kind: "running" }
  | { readonly kind: "done" }
  /** The client only wanted to know the size, or did not like the options: it ended the transfer before any data. */
  | { readonly kind: "declined"; readonly code: number; readonly message: string }
  /** The client asks for something new from the same port: this transfer is over, its request wants a new one. */
  | { readonly kind: "superseded" }
  | { readonly kind: "failed"; readonly reason: "silence" }
  | { readonly kind: "failed"; readonly reason: "peer-error" | "broken"; readonly code: number; readonly message: string };

/** The answer to an event. Times are milliseconds of the clock whose `now` the caller hands in. */
export interface Turn {
  /** Datagrams for the peer, in order. */
  readonly send: readonly Uint8Array[];
  /** When to call `onTime`, unless a packet comes first; a new turn replaces it. */
  readonly wakeAt: number | undefined;
  readonly state: State;
}

export const FIRST_WAIT: Duration = 1_000;
const LONGEST_WAIT: Duration = 8_000;
/** With the waits above a silent peer is given up after 47 seconds. */
const REPETITIONS = 7;

/** Retransmission with exponential back-off and an end. Progress starts it anew. */
export class Patience {
  #first: Duration;
  #repetitions = 0;
  /** Repetitions of the whole transfer, for the record. */
  total = 0;

  constructor(first: Duration = FIRST_WAIT) {
    this.#first = first;
  }

  /** How long to wait for an answer to what was sent last. */
  get wait(): Duration {
    return Math.min(this.#first * 2 ** this.#repetitions, Math.max(this.#first, LONGEST_WAIT));
  }

  /** RFC 2349 §"Timeout Interval": the first wait that the client asked for. */
  negotiate(first: Duration): void {
    this.#first = first;
  }

  progress(): void {
    this.#repetitions = 0;
  }

  /** Whether to say it once more. */
  repeat(): boolean {
    if (this.#repetitions === REPETITIONS) return false;
    this.#repetitions++;
    this.total++;
    return true;
  }
}
