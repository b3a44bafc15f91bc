/**
 * The flight recorder: takes sightings at once, and brings what they make of the boots on record a little later, many together. What is in
 * memory is bounded by the logbook, so it can wait for an API that is away as long as it likes.
 */
import { Logbook, type LogbookOptions, type Place, type Touch } from "#decide/flight/logbook.ts";
import type { Sighting, Witness } from "#decide/sighting.ts";
import { Bucket } from "#io/bucket.ts";
import { type Clock, sleep } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import { BootRecord } from "#kinds/metal/v1alpha2/boot-record.ts";
import { backoff } from "#kube/backoff.ts";
import type { Client } from "#kube/client.ts";
import { Queue } from "#kube/queue.ts";
import { isAlreadyExists, isConflict, isNotFound } from "#kube/status.ts";
import { formatDuration } from "#std/duration.ts";
import { Fault } from "#std/fault.ts";
import { Dirty } from "./dirty.ts";
import { Writer } from "./writer.ts";

export interface FlightRecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Whose machines are ours: `Inventory` has it. */
  readonly inventory: LogbookOptions["known"];
  /** Defaults are the logbook's. */
  readonly limits?: Omit<LogbookOptions, "known">;
}

export interface FlightRecorder {
  /** May be called from the beginning: until the records are read, sightings wait. */
  readonly witness: Witness;
  /** Reads what is on record, then writes until the signal. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** For the end: marks boots under way, and writes everything that waits, for some seconds at most. To be called before the signal. */
  flush(): Promise<void>;
}

/**
 * Milliseconds in which news gather before they are written: `most` when a data centre is powered on, so that writing costs no more than
 * `crowd` records do.
 */
const NEWS = { least: 700, most: 15_000, crowd: 500 };
/** The same for machines that only pass, which come last. */
const PASSING = 3000;
/** Whoever floods us with strangers must not hold up the records of machines that are known. */
const PRIORITY: Readonly<Record<Place, number>> = { passing: -1, arriving: 0, known: 1 };
/** Milliseconds for mere repetitions: a quarter of the time that the boot has taken, within these bounds. */
const REPEAT = { least: 3000, most: 60_000 };
/** Records of machines without a Server that are made in a second, and at once. A hall of new machines is within the burst. */
const STRANGERS = { passing: { rate: 20, burst: 200 }, arriving: { rate: 20, burst: 1000 } } as const;
/** Milliseconds a stranger waits for its turn. */
const TURN = 5000;
const CONCURRENCY = 8;
/** Records read at a time; sightings kept while reading. */
const PAGE = 200;
const BACKLOG = 20_000;
const RETRY = { base: 500, most: 30_000 };
const SWEEP = 60_000;
/** Milliseconds that the end may take. */
const LAST_WORDS = 5000;

export function createFlightRecorder(options: FlightRecorderOptions): FlightRecorder {
  const { client, clock, entropy, inventory } = options;
  const log = options.log.with({ part: "flight-recorder" });
  const logbook = new Logbook({ ...options.limits, known: inventory });
  const writer = new Writer(client);
  /** Records that are not on record as they should be. */
  const dirty = new Dirty();
  const queue = new Queue({ clock, entropy, onReady: pump, backoff: RETRY, retries: { rate: 200, burst: 50 } });
  const strangers = { passing: new Bucket(clock, STRANGERS.passing), arriving: new Bucket(clock, STRANGERS.arriving) };
  /** Undefined once the records are read. */
  let backlog: Sighting[] | undefined = [];
  let unseen = 0;
  let workers = 0;
  let problem: string | undefined;
  const idle = new Set<() => void>();

  function witness(sighting: Sighting): void {
    try {
      if (backlog === undefined) touch(logbook.note(sighting));
      else if (backlog.length < BACKLOG) backlog.push(sighting);
      else unseen++;
    } catch (error) {
      log.error("could not record a sighting", { what: sighting.what, because: error });
    }
  }

  function touch(touches: readonly Touch[]): void {
    for (const { record, how, place, age } of touches) {
      // A stranger that was never written need not be deleted, and ten thousand of them must not be.
      if (how === "gone" && !writer.has(record)) {
        dirty.delete(record);
        continue;
      }
      dirty.set(record, place);
      const repeat = Math.min(Math.max(age / 4, REPEAT.least), REPEAT.most);
      const news = Math.min(Math.max((NEWS.least * dirty.count(place)) / NEWS.crowd, NEWS.least), NEWS.most);
      const after = how === "repeat" ? repeat : place === "passing" ? PASSING : news;
      queue.add(record, { after, priority: PRIORITY[place] });
    }
  }

  function pump(): void {
    while (backlog === undefined && workers < CONCURRENCY && queue.depth > 0) {
      workers++;
      void work();
    }
  }

  /** Takes one record after the other, until none is left. */
  async function work(): Promise<void> {
    for (let record = queue.take(); record !== undefined; record = queue.take()) {
      await attend(record);
      queue.done(record);
    }
    workers--;
    if (workers === 0) for (const wake of idle) wake();
  }

  async function attend(record: string): Promise<void> {
    const place = dirty.get(record);
    if (place === undefined) return;
    if (place !== "known" && !writer.has(record) && !strangers[place].take()) {
      queue.add(record, { after: TURN, priority: PRIORITY[place] });
    } else {
      dirty.delete(record);
      try {
        await bringOnRecord(record);
        queue.forget(record);
        if (problem !== undefined) log.info("boot records are written again");
        problem = undefined;
      } catch (error) {
        await failed(record, place, Fault.from(error));
      }
    }
  }

  async function bringOnRecord(record: string): Promise<void> {
    const wanted = logbook.wanted(record);
    if (wanted === undefined) {
      if (writer.has(record)) await writer.remove(record);
      return;
    }
    await writer.write(wanted);
    // A stranger that had to go while its record was made.
    if (!logbook.has(record)) return writer.remove(record);
    if (!dirty.has(record)) logbook.settled(record);
  }

  async function failed(record: string, place: Place, fault: Fault): Promise<void> {
    const isOvertaken = isConflict(fault) || isAlreadyExists(fault) || isNotFound(fault);
    if (!isOvertaken && fault.retry === "never") {
      log.error("a boot record was refused", { record, because: fault });
      return;
    }
    // What was seen since then is as dirty as this.
    if (!dirty.has(record)) dirty.set(record, place);
    if (isOvertaken) {
      // Somebody else writes it too, or has deleted it: what they know and what we know are put together.
      const theirs = await writer.read(record).catch(() => undefined);
      if (theirs !== undefined) touch(logbook.load(theirs));
    } else {
      if (problem === undefined) log.warn("cannot write boot records, trying again", { record, because: fault });
      problem = fault.message;
    }
    queue.retry(record);
  }

  /** All records, page by page: together they would be hundreds of megabytes. Resolves to false when the signal came first. */
  async function readAll(signal: AbortSignal): Promise<boolean> {
    for (let failures = 0; !signal.aborted;) {
      try {
        for (let next: string | undefined = ""; next !== undefined;) {
          const page = await client.for(BootRecord).list({ limit: PAGE, ...(next === "" ? {} : { continue: next }), signal });
          for (const object of page.items) {
            writer.noteRead(object);
            touch(logbook.load(object));
          }
          next = page.metadata.continue === "" ? undefined : page.metadata.continue;
          await sleep(clock, 0, signal);
        }
        return true;
      } catch (error) {
        if (signal.aborted) break;
        if (failures === 0) log.warn("cannot read boot records, trying again", { because: Fault.from(error) });
        await sleep(clock, backoff(++failures, RETRY, entropy), signal).catch(() => {});
      }
    }
    return false;
  }

  /** Boots that were under way when Sidero ended show that nobody was watching. */
  function markStart(): void {
    const { last } = logbook;
    if (last === undefined) return;
    const now = clock.now();
    const then = last.until ?? last.at;
    const from = `${new Date(then).toISOString().slice(0, 19)}Z`;
    const text =
      last.what === "sidero.stopped"
        ? `Sidero was not listening since ${from} (${formatDuration(Math.round((now - then) / 1000) * 1000)})`
        : `Sidero was not listening: it had been ended without notice, after ${from}`;
    touch(logbook.interrupt("sidero.started", now, then, text));
  }

  return {
    witness,
    async run(signal) {
      if (!(await readAll(signal))) return;
      const waiting = backlog ?? [];
      backlog = undefined;
      markStart();
      for (const sighting of waiting) witness(sighting);
      if (unseen > 0) log.warn("sightings were lost while boot records were read", { count: unseen });
      pump();
      while (!signal.aborted) {
        await sleep(clock, SWEEP, signal).catch(() => {});
        touch(logbook.sweep(clock.now()));
      }
      queue.close();
    },
    async flush() {
      if (backlog !== undefined) return;
      touch(logbook.interrupt("sidero.stopped", clock.now(), clock.now(), "Sidero was stopped"));
      for (const [record, place] of dirty) queue.add(record, { priority: PRIORITY[place] });
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = clock.after(LAST_WORDS, resolve);
      idle.add(resolve);
      if (workers > 0) await promise;
      idle.delete(resolve);
      timer.cancel();
      if (dirty.size > 0) log.warn("boot records are not all written", { count: dirty.size });
    },
  };
}
