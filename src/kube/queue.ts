/**
 * The work queue of a controller: keys, not events. A key waits once however often it is added, is never worked on twice at a
 * time, and comes again after its turn if it was added meanwhile. After client-go's workqueue, with priorities.
 */
import type { Clock, Timer } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import { backoff, type BackoffOptions } from "./backoff.ts";

export interface QueueOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Called when `take` has something to give; more than once for one key is possible. */
  readonly onReady: () => void;
  /** How long a key that failed waits, by its failures in a row. Default 10 ms doubling to 5 minutes. */
  readonly backoff?: BackoffOptions;
  /** All retries together, in a second and at once: a thousand keys that fail together must not come back together. Default 100, 500. */
  readonly retries?: { readonly rate: number; readonly burst: number };
}

export interface AddOptions {
  /** Higher goes first; equal ones in order of arrival. Default 0. */
  readonly priority?: number;
  /** Milliseconds to wait before it is taken; when a key is added more than once, the earliest counts. Default 0. */
  readonly after?: number;
}

interface Delayed {
  readonly at: number;
  readonly priority: number;
  readonly timer: Timer;
}

export class Queue {
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #onReady: () => void;
  readonly #backoff: BackoffOptions;
  readonly #bucket: Bucket;
  /** Highest priority first. */
  readonly #ready: Level[] = [];
  readonly #priorities = new Map<string, number>();
  readonly #delayed = new Map<string, Delayed>();
  /** Keys being worked on; the priority they were added with meanwhile, or undefined. */
  readonly #active = new Map<string, number | undefined>();
  readonly #failures = new Map<string, number>();
  #isClosed = false;

  constructor(options: QueueOptions) {
    this.#clock = options.clock;
    this.#entropy = options.entropy;
    this.#onReady = options.onReady;
    this.#backoff = options.backoff ?? { base: 10, most: 300_000 };
    this.#bucket = new Bucket(options.clock, options.retries ?? { rate: 100, burst: 500 });
  }

  /** Keys that could be taken now. */
  get depth(): number {
    return this.#priorities.size;
  }
  /** Keys that were taken and are not done. */
  get active(): number {
    return this.#active.size;
  }
  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  add(key: string, options: AddOptions = {}): void {
    if (this.#isClosed) return;
    const { priority = 0, after = 0 } = options;
    if (after > 0) return this.#delay(key, priority, after);
    this.#undelay(key);
    if (this.#active.has(key)) {
      this.#active.set(key, Math.max(priority, this.#active.get(key) ?? priority));
      return;
    }
    const known = this.#priorities.get(key);
    if (known !== undefined && known >= priority) return;
    if (known !== undefined) this.#level(known).delete(key);
    this.#level(priority).add(key);
    this.#priorities.set(key, priority);
    this.#onReady();
  }

  /** Adds a key that failed: after its own exponential delay, and when the retries of all keys leave room. Returns the delay in ms. */
  retry(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const after = Math.max(backoff(failures, this.#backoff, this.#entropy), this.#bucket.reserve());
    this.add(key, { after });
    return after;
  }

  /** The key did not fail: its next failure is its first. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, which is the caller's alone until `done`; undefined when none is ready. */
  take(): string | undefined {
    for (const level of this.#ready) {
      const key = level.take();
      if (key === undefined) continue;
      this.#priorities.delete(key);
      // Whatever is to come later is decided anew by the work that begins now.
      this.#undelay(key);
      this.#active.set(key, undefined);
      return key;
    }
    return undefined;
  }

  done(key: string): void {
    const again = this.#active.get(key);
    this.#active.delete(key);
    if (again !== undefined) this.add(key, { priority: again });
  }

  /** Forgets everything that waits and takes nothing more. */
  close(): void {
    this.#isClosed = true;
    for (const key of this.#delayed.keys()) this.#undelay(key);
    this.#priorities.clear();
    this.#ready.length = 0;
  }

  #level(priority: number): Level {
    const at = this.#ready.findIndex((level) => level.priority <= priority);
    const found = at < 0 ? undefined : this.#ready[at];
    if (found?.priority === priority) return found;
    const level = new Level(priority);
    this.#ready.splice(at < 0 ? this.#ready.length : at, 0, level);
    return level;
  }

  #delay(key: string, priority: number, after: number): void {
    if (this.#priorities.has(key)) return;
    const at = this.#clock.monotonic() + after;
    const known = this.#delayed.get(key);
    if (known !== undefined && known.at <= at) return;
    known?.timer.cancel();
    const timer = this.#clock.after(after, () => this.add(key, { priority }));
    this.#delayed.set(key, { at, priority, timer });
  }

  #undelay(key: string): void {
    this.#delayed.get(key)?.timer.cancel();
    this.#delayed.delete(key);
  }
}

/** Ready keys of one priority, in order of arrival; every operation is O(1). */
class Level {
  readonly priority: number;
  readonly #keys = new Set<string>();
  /** Kept from one `take` to the next: a fresh iterator would step over all places that deleted keys left behind. */
  #next = this.#keys.values();

  constructor(priority: number) {
    this.priority = priority;
  }
  add(key: string): void {
    this.#keys.add(key);
  }
  delete(key: string): void {
    this.#keys.delete(key);
  }
  take(): string | undefined {
    if (this.#keys.size === 0) return undefined;
    let step = this.#next.next();
    if (step.done === true) {
      this.#next = this.#keys.values();
      step = this.#next.next();
    }
    this.#keys.delete(step.value!);
    return step.value;
  }
}

/** Token bucket whose tokens can be reserved ahead of time. */
class Bucket {
  readonly #clock: Clock;
  readonly #rate: number;
  readonly #burst: number;
  #tokens: number;
  #filled: number;

  constructor(clock: Clock, { rate, burst }: { rate: number; burst: number }) {
    this.#clock = clock;
    this.#rate = rate;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filled = clock.monotonic();
  }

  /** Takes a token, present or future; milliseconds until it is there. */
  reserve(): number {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filled) * this.#rate) / 1000);
    this.#filled = now;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens * 1000) / this.#rate;
  }
}
