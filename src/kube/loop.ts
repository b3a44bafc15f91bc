/**
 * The loop that runs one controller: whose turn it is, and when it comes again. What happens in a turn is `turn.ts`.
 *
 * A fault decides when its key comes again (`Fault.retry`): `soon` after an exponential delay, `later` when the decision wanted to look
 * again (or in a minute), `never` when the object's spec has changed. A key is not worked on again before the caches show what its
 * last turn wrote.
 */
import { Fault } from "#std/fault.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import { jittered } from "./backoff.ts";
import type { Cache, CacheReader } from "./cache.ts";
import type { Client } from "./client.ts";
import { type Controller, on, type Reader, type Reading } from "./controller.ts";
import type { Recorder } from "./events.ts";
import { type KindRef, kindName } from "./kind.ts";
import type { Metrics } from "./metrics.ts";
import { type AddOptions, Queue } from "./queue.ts";
import { Turn } from "./turn.ts";
import { undeclared } from "./writes.ts";

/** What all loops of a process share. */
export interface LoopPorts {
  readonly client: Client;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly events: Recorder;
}

export interface LoopOptions extends LoopPorts {
  /** The caches of all kinds that the controller reads. */
  readonly caches: ReadonlyMap<string, Cache<KubeObject>>;
  /** Asked before everything that changes the world: false once another process may be leading. */
  readonly mayAct: () => boolean;
}

/** Milliseconds until a fault with retry `later` is tried again, when the decision does not say. */
const LATER = 60_000;
const INITIAL_PRIORITY = -1;
/** No version of an object. */
const WOKEN = "woken";

export class Loop<T extends KubeObject, O, E> {
  readonly #controller: Controller<T, O, E>;
  readonly #options: LoopOptions;
  readonly #log: Log;
  readonly #queue: Queue;
  readonly #cache: Cache<T>;
  readonly #reader: Reader;
  readonly #turns = new Set<Promise<void>>();
  /** Keys being worked on, with the changes that concern them meanwhile: their turn's own writes are among those. */
  readonly #meanwhile = new Map<string, Set<string>>();
  /** Keys that failed for good, with the state of the spec that did it. */
  readonly #terminal = new Map<string, string>();
  readonly #meters: Meters;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(controller: Controller<T, O, E>, options: LoopOptions) {
    this.#controller = controller;
    this.#options = options;
    this.#log = options.log.with({ controller: controller.name });
    this.#meters = new Meters(options.metrics, controller.name);
    this.#cache = options.caches.get(kindName(controller.kind)) as unknown as Cache<T>;
    this.#reader = readerOf(controller, options.caches);
    this.#queue = new Queue({ clock: options.clock, entropy: options.entropy, onReady: () => this.#pump() });
    for (const reading of readingsOf(controller)) this.#listen(reading);
  }

  /** Nothing is being worked on, and nothing waits but for time to pass. */
  get isIdle(): boolean {
    return this.#queue.depth === 0 && this.#queue.active === 0;
  }

  /** Works from when all its caches have synced until `signal` is aborted and the turns under way have ended. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const caches = readingsOf(this.#controller).map((reading) => this.#options.caches.get(kindName(reading.kind))!);
    await Promise.all(caches.map((cache) => cache.synced(signal))).catch(() => {});
    this.#signal = signal;
    for (const key of this.#controller.always ?? []) this.#queue.add(key);
    const deaf = this.#controller.listen?.((key) => this.#wake(key, WOKEN), this.#reader);
    this.#pump();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    deaf?.();
    this.#queue.close();
    await Promise.allSettled(this.#turns);
  }

  #listen(reading: Reading): void {
    this.#options.caches.get(kindName(reading.kind))!.onChange((change) => {
      const version = versionName(reading.kind, change.object.metadata.resourceVersion);
      for (const key of reading.keys(change, this.#reader)) {
        this.#wake(key, version, change.isInitial ? { priority: INITIAL_PRIORITY } : undefined);
      }
    });
  }

  /** `why` tells what is new from what the key's own turn has written. */
  #wake(key: string, why: string, how?: AddOptions): void {
    const meanwhile = this.#meanwhile.get(key);
    if (meanwhile !== undefined) meanwhile.add(why);
    else this.#queue.add(key, how ?? { after: this.#settle(key) });
    this.#meters.depth(this.#queue.depth);
  }

  #settle(key: string): number {
    return this.#controller.settle?.(key) ?? 0;
  }

  #pump(): void {
    const { concurrency = 10 } = this.#controller;
    while (!this.#signal.aborted && this.#turns.size < concurrency) {
      const key = this.#queue.take();
      if (key === undefined) return;
      this.#meters.depth(this.#queue.depth);
      const turn = this.#turn(key).finally(() => {
        this.#turns.delete(turn);
        this.#pump();
      });
      this.#turns.add(turn);
    }
  }

  /** One turn of one key. Never rejects. */
  async #turn(key: string): Promise<void> {
    const { clock, client, events, mayAct } = this.#options;
    const begun = clock.monotonic();
    const turn = new Turn(this.#controller, { client, events, mayAct, log: this.#log, signal: this.#signal });
    this.#meanwhile.set(key, new Set());
    const result = await this.#decideAndAct(key, turn);
    this.#meters.turn(result, (clock.monotonic() - begun) / 1000);
    void this.#shown(turn).then(() => this.#giveBack(key, turn, result));
  }

  /** The caches show what the turn has written, its own changes have been heard of: they can be told from those of others. */
  #giveBack(key: string, turn: Turn<T, O, E>, result: Result): void {
    const own = new Set(turn.written.map(({ kind, version }) => versionName(kind, version)));
    const others = this.#meanwhile.get(key)!.difference(own);
    this.#meanwhile.delete(key);
    // A turn that went well and wrote may have more to do; one that failed must not be driven on by its own traces.
    const goesOn = others.size > 0 || (result === "done" && own.size > 0);
    if (goesOn) this.#queue.add(key, { after: this.#settle(key) });
    this.#queue.done(key);
  }

  async #shown(turn: Turn<T, O, E>): Promise<void> {
    const { caches } = this.#options;
    const waits = turn.written.map(async ({ kind, version }) => await caches.get(kindName(kind))?.reached(version, this.#signal));
    // Rejected only when everything stops.
    await Promise.all(waits).catch(() => {});
  }

  async #decideAndAct(key: string, turn: Turn<T, O, E>): Promise<Result> {
    const { clock } = this.#options;
    const object = (turn.object = this.#cache.get(key));
    const spec = `${object?.metadata.uid ?? ""}/${object?.metadata.generation ?? 0}`;
    if (this.#terminal.get(key) === spec) return "skipped";
    this.#terminal.delete(key);
    let observed: O | undefined;
    let again: number | undefined;
    try {
      observed = await this.#controller.observe(this.#reader, key, object);
      if (observed !== undefined) {
        const decision = this.#controller.decide(observed, clock.now());
        again = decision.again;
        await turn.perform(key, decision);
      }
      this.#queue.forget(key);
      if (again !== undefined) this.#queue.add(key, { after: again });
      return "done";
    } catch (error) {
      if (this.#signal.aborted) return "skipped";
      const fault = Fault.from(error);
      this.#meters.fault(fault);
      this.#retry(key, spec, fault, again);
      if (observed !== undefined) await this.#tell(turn, observed, fault);
      return "failed";
    }
  }

  #retry(key: string, spec: string, fault: Fault, again: number | undefined): void {
    const facts = { key, code: fault.code, because: fault };
    if (fault.retry === "soon") {
      this.#log.debug("trying again soon", { ...facts, after: this.#queue.retry(key) });
    } else if (fault.retry === "later") {
      const after = again ?? jittered(LATER, 0.2, this.#options.entropy);
      this.#log.warn("trying again later", { ...facts, after });
      this.#queue.add(key, { after });
    } else {
      this.#log.error("not trying again until the spec changes", facts);
      this.#terminal.set(key, spec);
    }
  }

  async #tell(turn: Turn<T, O, E>, observed: O, fault: Fault): Promise<void> {
    const said = { type: "Warning", reason: "Failed", message: fault.message } as const;
    if (fault.retry === "never" && turn.object !== undefined) this.#options.events.record(turn.object, said);
    const status = this.#controller.failed?.(observed, fault, this.#options.clock.now());
    if (status === undefined || turn.object === undefined) return;
    try {
      await turn.writeStatus(status);
    } catch (error) {
      // The object has moved on; its next turn tells what is true then.
      this.#log.debug("could not tell of a fault in the status", { because: error });
    }
  }
}

/** The kind itself first, unless its changes are mapped otherwise. */
export function readingsOf(controller: Controller): readonly Reading[] {
  const { kind, reads = [] } = controller;
  return reads.some((reading) => kindName(reading.kind) === kindName(kind)) ? reads : [on(kind), ...reads];
}

function readerOf(controller: Controller, caches: ReadonlyMap<string, Cache<KubeObject>>): Reader {
  const names = new Set(readingsOf(controller).map((reading) => kindName(reading.kind)));
  return {
    of<T extends KubeObject>(kind: KindRef<T>): CacheReader<T> {
      const name = kindName(kind);
      if (!names.has(name)) throw undeclared(controller.name, `reads ${name}`);
      return caches.get(name) as unknown as CacheReader<T>;
    },
  };
}

/** Identifies one state of one object among all kinds. */
function versionName(kind: KindRef, resourceVersion: string | undefined): string {
  return `${kindName(kind)}@${resourceVersion ?? ""}`;
}

type Result = "done" | "failed" | "skipped";

class Meters {
  readonly #labels: { readonly controller: string };
  readonly #turns;
  readonly #seconds;
  readonly #faults;
  readonly #depth;

  constructor(metrics: Metrics, controller: string) {
    this.#labels = { controller };
    this.#turns = metrics.counter("sidero_reconcile_total", "Turns of a controller, by result.", ["controller", "result"]);
    this.#seconds = metrics.histogram("sidero_reconcile_duration_seconds", "How long turns take.", ["controller"]);
    this.#faults = metrics.counter("sidero_reconcile_faults_total", "Turns that failed, by the fault's code.", [
      "controller",
      "code",
    ]);
    this.#depth = metrics.gauge("sidero_queue_depth", "Keys that wait to be worked on.", ["controller"]);
  }

  turn(result: Result, seconds: number): void {
    this.#turns.add({ ...this.#labels, result });
    this.#seconds.observe(this.#labels, seconds);
  }
  fault(fault: Fault): void {
    this.#faults.add({ ...this.#labels, code: fault.code });
  }
  depth(keys: number): void {
    this.#depth.set(this.#labels, keys);
  }
}
