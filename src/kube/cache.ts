/**
 * All objects of one kind, kept up to date by list and watch, so that controllers read memory. What it holds is a state the server
 * has been in, a little while ago; whoever has written waits with {@link Cache.reached} until it shows.
 *
 * The objects are shared by all readers and frozen through and through: whoever wants to change one copies it.
 */
import { Fault } from "#std/fault.ts";
import type { KubeObject } from "#schema/meta.ts";
import { type Clock, sleep } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import { backoff } from "./backoff.ts";
import type { ResourceClient, WatchEvent } from "./client.ts";
import { type KindRef, keyOf } from "./kind.ts";
import { isOrdered, reaches } from "./revision.ts";
import { isExpired, isNotFound, type Status } from "./status.ts";

export interface CacheOptions<T extends KubeObject> {
  readonly resource: ResourceClient<T>;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Called when the server can no longer be followed, and (undefined) when it can again. */
  readonly onProblem?: (problem: Fault | undefined) => void;
}

export interface Change<T> {
  readonly type: "add" | "update" | "delete";
  readonly key: string;
  /** The new state; for `delete` the last one known. */
  readonly object: T;
  /** The state before an update. */
  readonly old?: T;
  /** Part of the first list, when everything is new. */
  readonly isInitial: boolean;
}

/** The objects that have a value in common, by that value. */
export interface Index<T> {
  get(value: string): T[];
}

/** What readers see of a cache. */
export interface CacheReader<T> {
  /** By `namespace/name`, or name for cluster-scoped kinds. */
  get(key: string): T | undefined;
  values(): Iterable<T>;
  readonly size: number;
  /** Kept up to date from now on; `valuesOf` is pure and may name no value or several. */
  index(valuesOf: (object: T) => readonly string[]): Index<T>;
}

interface Waiter {
  readonly revision: string;
  /** Lists begun when it began to wait: a later one shows all that was written before. */
  readonly lists: number;
  readonly resolve: () => void;
}

/** Milliseconds after failures in a row. A kind that does not exist yet is looked for more often than a server that is ill. */
const SERVER_BACKOFF = { base: 800, most: 30_000 };
const KIND_BACKOFF = { base: 400, most: 5_000 };
/** A server that ends its watches at once must not be asked a thousand times a second. */
const PAUSE = 50;
/** Objects of one page of a list: what reading them takes the server and us is a few milliseconds. */
const PAGE = 200;

export class Cache<T extends KubeObject> implements CacheReader<T> {
  readonly kind: KindRef<T>;
  readonly #options: CacheOptions<T>;
  readonly #objects = new Map<string, T>();
  readonly #indexes: KeyIndex<T>[] = [];
  readonly #handlers = new Set<(change: Change<T>) => void>();
  readonly #synced = Promise.withResolvers<void>();
  /** In order of revision. */
  #waiters: Waiter[] = [];
  #lists = 0;
  #revision = "";
  #isSynced = false;
  #mustList = true;
  #problem: Fault | undefined;

  constructor(options: CacheOptions<T>) {
    this.kind = options.resource.kind;
    this.#options = options;
  }

  get size(): number {
    return this.#objects.size;
  }
  /** The first list is in, and its handlers have run. */
  get isSynced(): boolean {
    return this.#isSynced;
  }
  /** The server has been seen up to this resourceVersion; "" before the first list. */
  get revision(): string {
    return this.#revision;
  }
  /** Why the server cannot be followed right now; undefined while it can. */
  get problem(): Fault | undefined {
    return this.#problem;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  values(): Iterable<T> {
    return this.#objects.values();
  }

  index(valuesOf: (object: T) => readonly string[]): Index<T> {
    const index = new KeyIndex(valuesOf);
    for (const [key, object] of this.#objects) index.move(key, undefined, object);
    this.#indexes.push(index);
    return index;
  }

  /** Calls `handler` after each change, in order, synchronously. Returns a function that ends it. */
  onChange(handler: (change: Change<T>) => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  /** Resolves once the first list is in. */
  async synced(signal?: AbortSignal): Promise<void> {
    await unlessAborted(this.#synced.promise, signal);
  }

  /** Read your writes: resolves once this cache shows `resourceVersion`, which a write was answered with, or something later. */
  async reached(resourceVersion: string, signal?: AbortSignal): Promise<void> {
    // Versions without order cannot be waited for: readers of such a server see their writes a little later.
    if (!isOrdered(resourceVersion) || reaches(this.#revision, resourceVersion)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const after = this.#waiters.findLastIndex((waiter) => reaches(resourceVersion, waiter.revision)) + 1;
    this.#waiters.splice(after, 0, { revision: resourceVersion, lists: this.#lists, resolve });
    await unlessAborted(promise, signal);
  }

  /** Follows the server until `signal` is aborted; never rejects. To be called once. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, entropy } = this.#options;
    for (let failures = 0; !signal.aborted;) {
      try {
        if (this.#mustList) await this.#list(signal);
        const onOpen = (): void => {
          failures = 0;
          if (this.#problem === undefined) return;
          this.#problem = undefined;
          this.#options.onProblem?.(undefined);
        };
        await this.#watch(signal, onOpen);
        await sleep(clock, PAUSE, signal);
      } catch (error) {
        if (signal.aborted) return;
        const fault = Fault.from(error);
        this.#note(fault);
        const wait = backoff(++failures, isNotFound(fault) ? KIND_BACKOFF : SERVER_BACKOFF, entropy);
        await sleep(clock, wait, signal).catch(() => {});
      }
    }
  }

  /** All objects as of now; what is no longer there was deleted while nobody looked. */
  async #list(signal: AbortSignal): Promise<void> {
    const { resource, labelSelector, fieldSelector, clock } = this.#options;
    const list = ++this.#lists;
    const pause = (): Promise<void> => sleep(clock, 0, signal);
    const { items, metadata } = await resource.listAll({ labelSelector, fieldSelector, limit: PAGE, pause, signal });
    const found = new Map(items.map((object) => [keyOf(object), object]));
    for (const [key, old] of this.#objects) if (found.get(key)?.metadata.uid !== old.metadata.uid) this.#remove(key, old);
    for (const [key, object] of found) this.#put(key, object);
    this.#mustList = false;
    this.#revision = metadata.resourceVersion ?? "";
    if (!this.#isSynced) {
      this.#isSynced = true;
      this.#synced.resolve();
    }
    this.#wake((waiter) => waiter.lists < list);
  }

  async #watch(signal: AbortSignal, onOpen: () => void): Promise<void> {
    const { resource, labelSelector, fieldSelector } = this.#options;
    const options = { labelSelector, fieldSelector, resourceVersion: this.#revision, signal, onOpen };
    for await (const event of resource.watch(options)) {
      this.#apply(event);
      while (this.#waiters.length > 0 && reaches(this.#revision, this.#waiters[0]!.revision)) this.#waiters.shift()!.resolve();
    }
  }

  #apply(event: WatchEvent<T>): void {
    if (event.type === "BOOKMARK") {
      this.#revision = event.resourceVersion;
      return;
    }
    const key = keyOf(event.object);
    if (event.type === "DELETED") this.#remove(key, event.object);
    else this.#put(key, event.object);
    this.#revision = event.object.metadata.resourceVersion ?? this.#revision;
  }

  #put(key: string, object: T): void {
    const old = this.#objects.get(key);
    if (old?.metadata.resourceVersion === object.metadata.resourceVersion) return;
    freeze(object);
    this.#objects.set(key, object);
    for (const index of this.#indexes) index.move(key, old, object);
    const isInitial = !this.#isSynced;
    this.#tell(old === undefined ? { type: "add", key, object, isInitial } : { type: "update", key, object, old, isInitial });
  }

  #remove(key: string, last: T): void {
    const old = this.#objects.get(key);
    if (old === undefined) return;
    freeze(last);
    this.#objects.delete(key);
    for (const index of this.#indexes) index.move(key, old, undefined);
    this.#tell({ type: "delete", key, object: last, isInitial: false });
  }

  #tell(change: Change<T>): void {
    for (const handler of this.#handlers) {
      try {
        handler(change);
      } catch (error) {
        this.#options.log.error(`a reader of ${this.kind.plural} failed on ${change.type} ${change.key}`, { because: error });
      }
    }
  }

  #wake(isOver: (waiter: Waiter) => boolean): void {
    const [over, left] = [this.#waiters.filter(isOver), this.#waiters.filter((waiter) => !isOver(waiter))];
    this.#waiters = left;
    for (const waiter of over) waiter.resolve();
  }

  #note(fault: Fault): void {
    // History has moved on, the server has gone back in time (restored from a backup), or the kind itself is not there: read anew.
    if (isExpired(fault) || isTooNew(fault) || isNotFound(fault)) this.#mustList = true;
    if (this.#problem === undefined) this.#options.log.warn(`cannot follow ${this.kind.plural}`, { because: fault });
    const isNew = this.#problem === undefined;
    this.#problem = fault;
    if (isNew) this.#options.onProblem?.(fault);
  }
}

/** The server has not come as far as the version asked for. */
function isTooNew(fault: Fault): boolean {
  const status = fault.facts["status"] as Status | undefined;
  return status?.details?.causes?.some((cause) => cause.reason === "ResourceVersionTooLarge") ?? false;
}

class KeyIndex<T> implements Index<T> {
  readonly #valuesOf: (object: T) => readonly string[];
  readonly #byValue = new Map<string, Map<string, T>>();

  constructor(valuesOf: (object: T) => readonly string[]) {
    this.#valuesOf = valuesOf;
  }

  get(value: string): T[] {
    return [...(this.#byValue.get(value)?.values() ?? [])];
  }

  move(key: string, from: T | undefined, to: T | undefined): void {
    for (const value of from === undefined ? [] : this.#valuesOf(from)) {
      const members = this.#byValue.get(value);
      members?.delete(key);
      if (members?.size === 0) this.#byValue.delete(value);
    }
    for (const value of to === undefined ? [] : this.#valuesOf(to)) {
      const members = this.#byValue.get(value) ?? new Map<string, T>();
      this.#byValue.set(value, members.set(key, to!));
    }
  }
}

/** Of JSON: no cycles, no accessors. */
function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) freeze(inner);
}

async function unlessAborted<R>(promise: Promise<R>, signal: AbortSignal | undefined): Promise<R> {
  if (signal === undefined) return await promise;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const stop = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
