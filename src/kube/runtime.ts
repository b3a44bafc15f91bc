/**
 * Runs controllers together: one cache per kind however many read it, no two writers of one field, and a picture of who reads
 * and writes what.
 */
import type { KubeObject } from "#schema/meta.ts";
import { Cache, type CacheReader } from "./cache.ts";
import type { Controller } from "./controller.ts";
import { type KindRef, kindName } from "./kind.ts";
import { Loop, type LoopPorts, readingsOf } from "./loop.ts";
import { refuseTwoWriters } from "./writes.ts";

export interface RuntimeOptions extends LoopPorts {
  readonly controllers: readonly Controller[];
  /** False once another process may be leading (`Leadership.isHeld`); default: this process is the only one. */
  readonly mayAct?: () => boolean;
}

/** One line of the picture. */
export interface Edge {
  readonly controller: string;
  readonly reads: readonly string[];
  /** `Server.metal.sidero.dev/v1alpha2: status.power`. */
  readonly writes: readonly string[];
}

export class Runtime {
  readonly #options: RuntimeOptions;
  readonly #caches = new Map<string, Cache<KubeObject>>();
  readonly #loops: readonly Loop<KubeObject, unknown, unknown>[];

  /** Throws Fault `kube.two-writers` when the controllers cannot work together. */
  constructor(options: RuntimeOptions) {
    const { controllers, mayAct = () => true } = options;
    refuseTwoWriters(controllers);
    this.#options = options;
    for (const reading of controllers.flatMap(readingsOf)) this.cache(reading.kind);
    this.#loops = controllers.map((controller) => new Loop(controller, { ...options, caches: this.#caches, mayAct }));
  }

  /** The cache of a kind, for readers that are no controllers (the console, a boot decision). To be asked for before {@link run}. */
  cache<T extends KubeObject>(kind: KindRef<T>): CacheReader<T> {
    const { client, clock, entropy, log } = this.#options;
    const name = kindName(kind);
    const cache =
      this.#caches.get(name) ?? new Cache<KubeObject>({ resource: client.for<KubeObject>(kind), clock, entropy, log });
    this.#caches.set(name, cache);
    return cache as unknown as CacheReader<T>;
  }

  /** Every cache has its first list, and no controller has anything to do but wait for time to pass. */
  get isIdle(): boolean {
    return [...this.#caches.values()].every((cache) => cache.isSynced) && this.#loops.every((loop) => loop.isIdle);
  }

  /** Why kinds cannot be followed right now, by kind; empty when all is well. For readiness probes. */
  get problems(): ReadonlyMap<string, string> {
    const list = [...this.#caches].map(([name, cache]) => [name, cache.problem?.message] as const);
    return new Map(list.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
  }

  /** Follows the kinds and runs each controller once its kinds are there, until `signal` is aborted and the last turn has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const following = [...this.#caches.values()].map((cache) => cache.run(signal));
    await Promise.all([...following, ...this.#loops.map((loop) => loop.run(signal))]);
  }

  graph(): Edge[] {
    return this.#options.controllers.map((controller) => ({
      controller: controller.name,
      reads: readingsOf(controller).map((reading) => kindName(reading.kind)),
      writes: controller.writes.map(({ kind, fields }) => `${kindName(kind)}: ${fields.join(", ")}`),
    }));
  }
}
