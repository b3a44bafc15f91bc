/**
 * The newest events, in memory: what watches resume from and what past revisions are reconstructed with. Bounded by number,
 * bytes and age; what leaves at the old end moves `compacted` forward.
 */
import type { StoredEntry } from "./entry.ts";
import { Fault } from "#std/fault.ts";
import type { StoreEvent } from "./store.ts";
import type { Past } from "./table.ts";

export interface HistoryLimits {
  /** Bytes of superseded states that are kept for nothing but history. */
  readonly historyBytes: number;
  readonly historyEvents: number;
  /** Milliseconds. The newest {@link KEPT} events stay however old they are, so that watches of a quiet server can resume. */
  readonly historyAge: number;
}

const KEPT = 1000;
/** What an event costs besides the bytes of its superseded state: entry, event, Buffer, list slots. */
const OVERHEAD = 600;

/** An event over the store's own entries. */
export interface Recorded extends StoreEvent {
  readonly entry: StoredEntry;
  readonly previous: StoredEntry | undefined;
}

export class History {
  /** Events at or before this revision are gone. */
  compacted: number;
  readonly #limits: HistoryLimits;
  readonly #all = new EventQueue();
  readonly #byResource = new Map<string, EventQueue>();
  #bytes = 0;
  /** Revisions that were the newest at some time: how events know their age without carrying it. */
  readonly #marks: { at: number; revision: number }[] = [];

  constructor(limits: HistoryLimits, compacted: number) {
    this.#limits = limits;
    this.compacted = compacted;
  }

  push(event: Recorded): void {
    this.#all.push(event);
    this.#queue(event.entry.resource).push(event);
    this.#bytes += weight(event);
    while (this.#all.length > this.#limits.historyEvents || this.#bytes > this.#limits.historyBytes) this.#shift();
  }

  /** Forgets what is too old. `now` and `revision` (the newest) are remembered; the more often this is called, the finer the age. */
  expire(now: number, revision: number): void {
    this.#marks.push({ at: now, revision });
    let bound = 0;
    while (this.#marks[0]!.at < now - this.#limits.historyAge) bound = this.#marks.shift()!.revision;
    while (this.#all.length > KEPT && this.#all.first!.revision <= bound) this.#shift();
  }

  /** A resource's events later than `revision`, oldest first; throws Fault `store.compacted` also when history moves on while reading. */
  since(revision: number, resource: string): Iterable<Recorded> {
    this.#reach(revision);
    return this.#read(revision, resource);
  }

  /** What has to be laid over the present to see a resource as it was at `revision`; Fault `store.compacted`. */
  past(revision: number, resource: string): Past {
    this.#reach(revision);
    const past = new Map<string, StoredEntry | undefined>();
    // The first event after the revision knows the state before it, which is the state at the revision.
    for (const event of this.#read(revision, resource)) {
      if (!past.has(event.entry.position)) past.set(event.entry.position, event.previous);
    }
    return past;
  }

  *#read(revision: number, resource: string): Generator<Recorded> {
    const queue = this.#queue(resource);
    for (let event = queue.after(revision); event !== undefined; event = queue.after(event.revision)) {
      yield event;
      this.#reach(event.revision);
    }
  }

  #reach(revision: number): void {
    if (revision >= this.compacted) return;
    throw new Fault("store.compacted", `revision ${revision} has been compacted, the oldest is ${this.compacted}`, {
      fault: "caller",
      retry: "never",
      facts: { revision, compacted: this.compacted },
    });
  }

  #queue(resource: string): EventQueue {
    let queue = this.#byResource.get(resource);
    if (queue === undefined) this.#byResource.set(resource, (queue = new EventQueue()));
    return queue;
  }

  #shift(): void {
    const event = this.#all.shift();
    this.#queue(event.entry.resource).shift();
    this.#bytes -= weight(event);
    this.compacted = event.revision;
  }
}

/** Bytes that would be free without the event: the state it replaced, and for a deletion its last state. */
function weight(event: Recorded): number {
  return OVERHEAD + (event.previous?.bytes.length ?? 0) + (event.type === "DELETED" ? event.entry.bytes.length : 0);
}

/** First in, first out, searchable by revision. */
class EventQueue {
  #events: (Recorded | undefined)[] = [];
  /** Slots before this index are empty; the array is cut when they are half of it. */
  #start = 0;

  get length(): number {
    return this.#events.length - this.#start;
  }

  get first(): Recorded | undefined {
    return this.#events[this.#start];
  }

  push(event: Recorded): void {
    this.#events.push(event);
  }

  shift(): Recorded {
    const event = this.#events[this.#start]!;
    this.#events[this.#start++] = undefined;
    if (this.#start * 2 >= this.#events.length) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
    return event;
  }

  /** The first event later than `revision`. */
  after(revision: number): Recorded | undefined {
    let low = this.#start;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#events[low];
  }
}
