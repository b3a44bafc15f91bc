/** The operations of one BMC: at most one that waits for each urgency, and what became of the last ones. */
import type { PowerOperation, PowerOutcome } from "#decide/power.ts";

export interface Entry {
  readonly operation: PowerOperation;
  outcome: PowerOutcome;
  /** Aborted when it is not to go on. */
  readonly cease: AbortController;
}

/** Ids that are remembered, so that an operation begun twice is done once. */
const REMEMBERED = 16;

export class Queue {
  readonly #waiting: { user?: Entry; lifecycle?: Entry } = {};
  readonly #known = new Map<string, Entry>();
  #running: Entry | undefined;
  #last: Entry | undefined;

  /** The one that was begun last. */
  get last(): Entry | undefined {
    return this.#last;
  }

  /** One is under way, or waits. */
  get isBusy(): boolean {
    return this.#running !== undefined || this.#waiting.user !== undefined || this.#waiting.lifecycle !== undefined;
  }

  /** `now`: milliseconds since 1970. Undefined when nothing has changed by it. */
  add(operation: PowerOperation, now: number, superseded: () => Error): Entry | undefined {
    if (this.#last?.operation.id === operation.id) return undefined;
    const known = this.#known.get(operation.id);
    if (known !== undefined) return (this.#last = known);
    const outcome: PowerOutcome = { id: operation.id, state: "waiting", at: now };
    const entry: Entry = { operation, outcome, cease: new AbortController() };
    this.#end(this.#waiting[operation.urgency], superseded);
    this.#waiting[operation.urgency] = entry;
    // The life cycle waits for a person, not the other way round.
    const running = this.#running;
    if (running !== undefined && (operation.urgency === "user" || running.operation.urgency === "lifecycle"))
      this.#end(running, superseded);
    if (operation.urgency === "user") this.#end(this.#waiting.lifecycle, superseded);
    this.#known.set(operation.id, entry);
    for (const id of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED) break;
      this.#known.delete(id);
    }
    return (this.#last = entry);
  }

  /** The next one to do; the one before it is over. */
  take(): Entry | undefined {
    const entry = this.#waiting.user ?? this.#waiting.lifecycle;
    if (entry !== undefined) delete this.#waiting[entry.operation.urgency];
    return (this.#running = entry);
  }

  withdraw(id: string, reason: () => Error): boolean {
    const entry = this.#known.get(id);
    if (entry === undefined || (entry.outcome.state !== "waiting" && entry.outcome.state !== "running")) return false;
    this.#end(entry, reason);
    if (this.#last === entry) this.#last = undefined;
    return true;
  }

  clear(reason: () => Error): void {
    for (const entry of this.#known.values()) this.#end(entry, reason);
  }

  /** It counts as never begun. */
  #end(entry: Entry | undefined, reason: () => Error): void {
    if (entry === undefined || entry.cease.signal.aborted) return;
    entry.cease.abort(reason());
    this.#known.delete(entry.operation.id);
    const { urgency } = entry.operation;
    if (this.#waiting[urgency] === entry) delete this.#waiting[urgency];
  }
}
