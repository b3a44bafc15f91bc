/** The store over a journal: multi-version concurrency control with one writer, as store.ts describes it. */
import type { Clock, Timer } from "#io/clock.ts";
import type { Journal, Opened, Row } from "#io/journal.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { StoredEntry, positionOf } from "./entry.ts";
import type { HistoryLimits, Recorded } from "./history.ts";
import { History } from "./history.ts";
import { Lineage } from "./lineage.ts";
import type { Entry, Key, ListOptions, Page, Store, StoreEvent } from "./store.ts";
import type { Past } from "./table.ts";
import { Table } from "./table.ts";

export interface StoreOptions extends Partial<HistoryLimits> {
  readonly journal: Journal;
  readonly clock: Clock;
}

const DEFAULTS: HistoryLimits = { historyBytes: 64 * 1024 * 1024, historyEvents: 100_000, historyAge: 10 * 60_000 };
/** How finely history's age is measured, and how often the journal is compacted, in parts of that age. */
const AGE_PARTS = 10;
/** Rows of one append: a burst of thousands of writes is acknowledged in steps rather than all at its end. */
const APPEND_BYTES = 4 * 1024 * 1024;
const PRESENT: Past = new Map();

/** Opens the journal, reads it into memory and returns the store; rejects with the journal's faults, the journal closed. */
export async function createStore(options: StoreOptions): Promise<Store> {
  const { journal, clock, ...limits } = options;
  try {
    const opened = await journal.open();
    const store = new MvccStore(journal, clock, { ...DEFAULTS, ...limits }, opened);
    await store.load();
    return store;
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/** A write between being staged and being visible. */
interface Change {
  readonly event: Recorded;
  readonly promise: Promise<Entry>;
  readonly resolve: (entry: Entry) => void;
  readonly reject: (fault: Fault) => void;
}

interface Subscriber {
  readonly onEvent: (event: StoreEvent) => void;
  active: boolean;
}

/** A resource's visible objects with the newest staged state of those that are being written; undefined: being removed. */
class Shelf {
  readonly visible = new Table();
  readonly staged = new Map<string, StoredEntry | undefined>();

  head(position: string): StoredEntry | undefined {
    return this.staged.has(position) ? this.staged.get(position) : this.visible.get(position);
  }
}

class MvccStore implements Store {
  revision: number;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #history: History;
  readonly #shelves = new Map<string, Shelf>();
  readonly #lineage = new Lineage();
  /** By resource; those of all resources under undefined. Lists are replaced, never changed: they may be being walked. */
  readonly #subscribers = new Map<string | undefined, readonly Subscriber[]>();
  /** Highest revision given out: never falls back, so a failed revision is not given out again. */
  #headRevision: number;
  /** Rows on their way to the disk, then rows waiting for their turn. */
  #committing: Change[] = [];
  #staged: Change[] = [];
  #running = false;
  #closed = false;
  readonly #agePart: number;
  #compactedOnDisk: number;
  #timer: Timer | undefined;

  constructor(journal: Journal, clock: Clock, limits: HistoryLimits, opened: Opened) {
    this.#journal = journal;
    this.#clock = clock;
    this.#history = new History(limits, opened.compacted);
    this.revision = opened.revision;
    this.#headRevision = opened.revision;
    this.#compactedOnDisk = opened.compacted;
    this.#agePart = Math.max(1, limits.historyAge / AGE_PARTS);
  }

  get compacted(): number {
    return this.#history.compacted;
  }

  async load(): Promise<void> {
    const compacted = this.compacted;
    await this.#journal.read((rows) => {
      for (const row of rows) this.#restore(row, row.revision > compacted);
    });
    for (const shelf of this.#shelves.values()) shelf.visible.sort();
    this.#history.expire(this.#clock.monotonic(), this.revision);
    this.#scheduleCompaction();
  }

  #restore(row: Row, isHistory: boolean): void {
    const entry = StoredEntry.decode(row);
    const { visible } = this.#shelf(row.resource);
    const previous = visible.get(entry.position);
    const after = row.deleted ? undefined : entry;
    visible.load(entry.position, after);
    this.#lineage.swap(previous, after);
    if (isHistory) this.#history.push({ revision: row.revision, type: typeOf(previous, row.deleted), entry, previous });
  }

  get(key: Key): Entry | undefined {
    return this.#shelves.get(key.resource)?.visible.get(positionOf(key.namespace, key.name));
  }

  head(key: Key): Entry | undefined {
    return this.#shelves.get(key.resource)?.head(positionOf(key.namespace, key.name));
  }

  list(options: ListOptions): Page {
    const { resource, at = this.revision } = options;
    if (at > this.revision) {
      throw new Fault("store.future", `revision ${at} is not there yet, the newest is ${this.revision}`, {
        fault: "caller",
        retry: "soon",
        facts: { revision: at, newest: this.revision },
      });
    }
    const past = at === this.revision ? PRESENT : this.#history.past(at, resource);
    return { ...this.#shelf(resource).visible.page(options, past), revision: at };
  }

  count(resource: string): number {
    return this.#shelves.get(resource)?.visible.size ?? 0;
  }

  *resources(): Generator<string> {
    for (const [resource, shelf] of this.#shelves) if (shelf.visible.size > 0) yield resource;
  }

  dependents(uid: string): Iterable<Entry> {
    return this.#lineage.dependents(uid);
  }

  byUid(uid: string): Entry | undefined {
    return this.#lineage.byUid(uid);
  }

  write(key: Key, expected: Entry | undefined, object: KubeObject): Promise<Entry> {
    return this.#stage(key, expected, object, false);
  }

  remove(key: Key, expected: Entry, object: KubeObject): Promise<Entry> {
    return this.#stage(key, expected, object, true);
  }

  since(revision: number, resource: string): Iterable<StoreEvent> {
    return this.#history.since(revision, resource);
  }

  subscribe(resource: string | undefined, onEvent: (event: StoreEvent) => void): () => void {
    const subscriber: Subscriber = { onEvent, active: true };
    this.#subscribers.set(resource, [...this.#subscribersOf(resource), subscriber]);
    return () => {
      subscriber.active = false;
      this.#subscribers.set(
        resource,
        this.#subscribersOf(resource).filter((other) => other !== subscriber),
      );
    };
  }

  async settled(): Promise<void> {
    // Writes end in order, so the last one ends last.
    const last = this.#staged.at(-1) ?? this.#committing.at(-1);
    await last?.promise.catch(() => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.settled();
    await this.#journal.close();
  }

  #shelf(resource: string): Shelf {
    let shelf = this.#shelves.get(resource);
    if (shelf === undefined) this.#shelves.set(resource, (shelf = new Shelf()));
    return shelf;
  }

  #subscribersOf(resource: string | undefined): readonly Subscriber[] {
    return this.#subscribers.get(resource) ?? [];
  }

  #stage(key: Key, expected: Entry | undefined, object: KubeObject, removes: boolean): Promise<Entry> {
    if (this.#closed) throw new Fault("io.closed", "the store is closed", { fault: "world", retry: "later" });
    const shelf = this.#shelf(key.resource);
    const previous = shelf.head(positionOf(key.namespace, key.name));
    if (previous !== expected) {
      throw new Fault("store.moved", `${key.resource} "${key.name}" has changed since it was read`, {
        fault: "caller",
        retry: "soon",
        facts: { expected: expected?.revision ?? 0, actual: previous?.revision ?? 0 },
      });
    }
    const entry = StoredEntry.encode(key, this.#headRevision + 1, object);
    const event: Recorded = { revision: entry.revision, type: typeOf(previous, removes), entry, previous };
    const change: Change = { event, ...Promise.withResolvers<Entry>() };
    this.#headRevision = entry.revision;
    const after = stateAfter(event);
    shelf.staged.set(entry.position, after);
    this.#lineage.swap(previous, after);
    this.#staged.push(change);
    if (!this.#running) void this.#commit();
    return change.promise;
  }

  /** Commits what is staged, in one append after the other, until nothing is. While an append is under way, the next one gathers. */
  async #commit(): Promise<void> {
    this.#running = true;
    while (this.#staged.length > 0) {
      this.#committing = this.#staged.splice(0, appendLength(this.#staged));
      try {
        await this.#journal.append(this.#committing.map((change) => rowOf(change.event)));
      } catch (error) {
        this.#fallBack(Fault.from(error));
        continue;
      }
      for (const change of this.#committing) this.#publish(change);
      this.#committing = [];
    }
    this.#running = false;
  }

  #publish({ event, resolve }: Change): void {
    const { entry } = event;
    const { visible, staged } = this.#shelf(entry.resource);
    const after = stateAfter(event);
    if (after === undefined) visible.delete(entry.position);
    else visible.set(after);
    // A later write of the same object may be staged already: then that stays the head.
    if (staged.get(entry.position) === after) staged.delete(entry.position);
    this.#history.push(event);
    this.revision = event.revision;
    resolve(entry);
    this.#notify(this.#subscribersOf(entry.resource), event);
    this.#notify(this.#subscribersOf(undefined), event);
  }

  #notify(subscribers: readonly Subscriber[], event: StoreEvent): void {
    for (const subscriber of subscribers) {
      if (!subscriber.active) continue;
      try {
        subscriber.onEvent(event);
      } catch (error) {
        // A subscriber's defect must be loud, but neither other subscribers nor the writer can help it.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** An append failed: everything staged was computed from it or may have been, so all of it fails and the head is the visible state again. */
  #fallBack(fault: Fault): void {
    const changes = [...this.#committing, ...this.#staged];
    this.#committing = [];
    this.#staged = [];
    for (const { event } of changes.toReversed()) this.#lineage.swap(stateAfter(event), event.previous);
    for (const shelf of this.#shelves.values()) shelf.staged.clear();
    for (const change of changes) change.reject(fault);
  }

  #scheduleCompaction(): void {
    this.#timer = this.#clock.after(
      this.#agePart,
      () => void this.#compact().finally(() => this.#closed || this.#scheduleCompaction()),
    );
  }

  async #compact(): Promise<void> {
    this.#history.expire(this.#clock.monotonic(), this.revision);
    const { compacted } = this;
    if (compacted === this.#compactedOnDisk) return;
    try {
      await this.#journal.compact(compacted);
      this.#compactedOnDisk = compacted;
    } catch {
      // Nothing is lost but space: the next round tries again, and a disk in trouble shows with the next write.
    }
  }
}

function typeOf(previous: Entry | undefined, removes: boolean): StoreEvent["type"] {
  if (removes) return "DELETED";
  return previous === undefined ? "ADDED" : "MODIFIED";
}

function stateAfter(event: Recorded): StoredEntry | undefined {
  return event.type === "DELETED" ? undefined : event.entry;
}

function rowOf({ revision, type, entry, previous }: Recorded): Row {
  return {
    revision,
    resource: entry.resource,
    namespace: entry.namespace,
    name: entry.name,
    value: entry.bytes,
    deleted: type === "DELETED",
    previous: previous?.revision ?? 0,
  };
}

/** How many changes go into the next append: at least one. */
function appendLength(changes: readonly Change[]): number {
  let bytes = 0;
  let length = 0;
  while (length < changes.length && bytes < APPEND_BYTES) bytes += changes[length++]!.event.entry.bytes.length;
  return length;
}
