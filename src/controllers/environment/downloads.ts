/** Downloads in the background: a few at a time, into drafts that survive, each until it has ended well or badly. */
import type { DownloadState } from "#decide/environment/environment.ts";
import { type Wish, wishKey } from "#decide/environment/store.ts";
import type { Blobs } from "#io/blobs.ts";
import type { Clock } from "#io/clock.ts";
import { type Download, printable } from "#io/download.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import { backoff } from "#kube/backoff.ts";
import { Fault } from "#std/fault.ts";

export interface DownloadsOptions {
  readonly blobs: Blobs;
  readonly download: Download;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** At a time. Default 4. */
  readonly most?: number;
}

/** How long to wait after failures in a row: a network may be back at once, a file that is not there takes somebody to put it there. */
const BACKOFF = { soon: { base: 2_000, most: 300_000 }, later: { base: 20_000, most: 900_000 } };
/** Milliseconds between two tellings of progress. */
const TELLING = 5_000;

class Entry {
  readonly wish: Wish;
  readonly stop = new AbortController();
  state: DownloadState = { is: "waiting" };
  failures = 0;
  /** Bytes the draft has had at the most. */
  reached = 0;
  toldAt = 0;

  constructor(wish: Wish) {
    this.wish = wish;
  }
}

export class Downloads {
  readonly #options: DownloadsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<(wish: Wish) => void>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: DownloadsOptions) {
    this.#options = options;
  }

  /** Undefined when it was never begun, has been cancelled, or its file is there. */
  stateOf(wish: Wish): DownloadState | undefined {
    return this.#entries.get(wishKey(wish))?.state;
  }

  wishes(): Wish[] {
    return [...this.#entries.values()].map(({ wish }) => wish);
  }

  /** Begins it, or begins it again after a failure; nothing happens when it is under way. */
  start(wish: Wish): void {
    const key = wishKey(wish);
    const entry = this.#entries.get(key) ?? new Entry(wish);
    if (this.#entries.has(key) && entry.state.is !== "failed") return;
    entry.state = { is: "waiting" };
    this.#entries.set(key, entry);
    this.#pump();
  }

  /** What it has got so far stays as a draft. */
  cancel(wish: Wish): void {
    const entry = this.#entries.get(wishKey(wish));
    this.#entries.delete(wishKey(wish));
    entry?.stop.abort(new Fault("io.closed", "nobody wants it any more", { fault: "caller", retry: "never" }));
  }

  /** `listener` is called when the state of a download changes, and now and then while it goes on. Returns what ends that. */
  onChange(listener: (wish: Wish) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when all have been left for later. */
  async close(): Promise<void> {
    for (const wish of this.wishes()) this.cancel(wish);
    await Promise.all(this.#running);
  }

  #pump(): void {
    for (const entry of this.#entries.values()) {
      if (this.#running.size >= (this.#options.most ?? 4)) return;
      if (entry.state.is !== "waiting") continue;
      const running = this.#run(entry).finally(() => {
        this.#running.delete(running);
        this.#pump();
      });
      this.#running.add(running);
    }
  }

  async #run(entry: Entry): Promise<void> {
    const { url } = entry.wish;
    entry.state = { is: "running", bytes: 0, size: undefined };
    try {
      await this.#fetch(entry);
      if (this.#entries.get(wishKey(entry.wish)) === entry) this.#entries.delete(wishKey(entry.wish));
      this.#options.log.info("downloaded", { url: bare(url) });
    } catch (error) {
      if (entry.stop.signal.aborted) return;
      const because = Fault.from(error);
      entry.state = this.#failed(entry, because);
      // The same again is in the condition; a network without a way out would fill the log.
      const level = entry.failures === 1 ? "warn" : "debug";
      this.#options.log[level]("a download failed", { url: bare(url), failures: entry.failures, because });
    }
    this.#tell(entry);
  }

  async #fetch(entry: Entry): Promise<void> {
    const { blobs, download } = this.#options;
    const { url, sha512 } = entry.wish;
    const { signal } = entry.stop;
    const draft = await blobs.draft(wishKey(entry.wish));
    try {
      const from = draft.length;
      const validator = draft.note === "" ? undefined : draft.note;
      const answer = await download({ url, from, validator, unverified: sha512 === undefined, signal });
      const isResumed = from > 0 && answer.start === from;
      if (!isResumed) await draft.restart(answer.validator ?? "");
      for await (const bytes of answer.body) {
        await draft.write(bytes);
        this.#progress(entry, draft.length, answer.size);
      }
      if (draft.length === 0) throw new Fault("io.protocol", "the file is empty", { fault: "peer", retry: "later" });
      const blob = await draft.commit(sha512).catch((error: unknown) => {
        throw isResumed ? anew(error) : error;
      });
      const { keep = false } = (await blobs.named(url)) ?? {};
      await blobs.name({ name: url, sha512: blob.sha512, keep });
    } finally {
      await draft.close();
    }
  }

  #progress(entry: Entry, bytes: number, size: number | undefined): void {
    // A connection that breaks again and again but brings something each time is no reason to wait longer and longer.
    if (bytes > entry.reached) [entry.reached, entry.failures] = [bytes, 0];
    entry.state = { is: "running", bytes, size };
    const now = this.#options.clock.monotonic();
    if (now - entry.toldAt < TELLING) return;
    entry.toldAt = now;
    this.#tell(entry);
  }

  #failed(entry: Entry, because: Fault): DownloadState {
    const { clock, entropy } = this.#options;
    const failures = ++entry.failures;
    const next = because.retry === "never" ? undefined : clock.now() + backoff(failures, BACKOFF[because.retry], entropy);
    return { is: "failed", because, failures, next };
  }

  #tell({ wish }: Entry): void {
    for (const listener of this.#listeners) listener(wish);
  }
}

/** What was there before may be what is wrong: the whole file deserves a try soon. */
function anew(error: unknown): unknown {
  if (!Fault.is(error, "io.checksum")) return error;
  const { code, message, fault, facts } = error;
  return new Fault(code, message, { fault, retry: "soon", cause: error, facts });
}

/** Without user and password, for the log. */
function bare(text: string): string {
  const url = URL.parse(text);
  return url === null ? text : printable(url);
}
