import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Fault } from "#std/fault.ts";
import type { Registry } from "../registry.ts";
import type { Store } from "../store/store.ts";
import type { Writer } from "./writer.ts";

/** What every part beside the request handlers works with. */
export interface LifecyclePorts {
  readonly store: Store;
  readonly registry: Registry;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Told of faults that are tried again; `part` is the part's name, `key` what it was working on. */
  readonly report: (part: string, key: string, fault: Fault) => void;
}

/** A part that runs beside the request handlers, driven by the store's events. */
export interface LifecyclePart {
  /** Looks at what is there and follows what comes. */
  start(): void;
  /** Resolves when no work is under way or ready; what waits for a time or an event does not count. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}
