/**
 * Objects of kinds that are only known by reference: each kind is followed by a watch from when one of its objects is first asked about, in the version
 * that keeps Cluster API's contract. Nobody polls, whosever kind it is.
 */
import { type Clock, sleep } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import type { KubeObject, OwnerReference } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { backoff } from "./backoff.ts";
import { Cache } from "./cache.ts";
import type { Client } from "./client.ts";
import { ContractKinds, type ContractReference, type GroupKind } from "./contract.ts";
import type { KindRef } from "./kind.ts";
import { isNotFound } from "./status.ts";

/** As it was last seen. */
export type Look =
  | { readonly is: "unknown" }
  | { readonly is: "refused"; readonly problem: string }
  | { readonly is: "missing" }
  | { readonly is: "there"; readonly object: KubeObject };

export interface ExternalPatch {
  readonly metadata: {
    /** The state it was decided for. */
    readonly resourceVersion: string;
    readonly ownerReferences?: readonly OwnerReference[];
    readonly labels?: Readonly<Record<string, string>>;
  };
}

export interface Externals {
  /** Never waits. The first look at an object of a kind begins to follow the kind. */
  look(reference: ContractReference, namespace: string): Look;
  /** All objects of a kind in a namespace; undefined while they are not known. Follows the kind as a look does. */
  list(kind: GroupKind, namespace: string): readonly KubeObject[] | undefined;
  /** Merges the patch, and resolves when looks show it. An object that has gone meanwhile is no failure. */
  patch(reference: ContractReference, namespace: string, patch: ExternalPatch, signal: AbortSignal): Promise<void>;
  /** Has the object of this uid deleted, unless it is gone already. */
  delete(reference: ContractReference, namespace: string, uid: string, signal: AbortSignal): Promise<void>;
  /** Called with the kind (`Kind.group`) and `namespace/name` of what has changed; no name: any of the kind may have. Returns what ends that. */
  onChange(listener: (kind: string, key: string | undefined) => void): () => void;
}

export interface FollowedExternals {
  readonly externals: Externals;
  /** Follows them until the signal. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export interface ExternalsPorts {
  readonly client: Client;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

export function kindIdOf({ apiGroup, kind }: GroupKind): string {
  return `${kind}.${apiGroup}`;
}

/** Milliseconds until a kind that is not there is looked for again. */
const MISSING = { base: 1_000, most: 15_000 };

class FollowedKind {
  cache: Cache<KubeObject> | undefined;
  problem: string | undefined;
  readonly #id: GroupKind;
  readonly #ports: ExternalsPorts;
  readonly #kinds: ContractKinds;
  readonly #tell: (key: string | undefined) => void;

  constructor(id: GroupKind, ports: ExternalsPorts, kinds: ContractKinds, tell: (key: string | undefined) => void) {
    this.#id = id;
    this.#ports = ports;
    this.#kinds = kinds;
    this.#tell = tell;
  }

  /** Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, clock, entropy, log } = this.#ports;
    const kind = await this.#find(signal);
    if (kind === undefined) return;
    const cache = new Cache<KubeObject>({ resource: client.for(kind), clock, entropy, log });
    cache.onChange(({ key }) => {
      if (cache.isSynced) this.#tell(key);
    });
    this.problem = undefined;
    this.cache = cache;
    const synced = cache.synced(signal).then(
      () => this.#tell(undefined),
      () => {},
    );
    await Promise.all([cache.run(signal), synced]);
  }

  async #find(signal: AbortSignal): Promise<KindRef | undefined> {
    const { clock, entropy } = this.#ports;
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        return await this.#kinds.of(this.#id, { signal });
      } catch (error) {
        if (signal.aborted) return undefined;
        // That nobody answers says nothing of the kind: what was known of its objects stays so.
        const { message: problem, retry } = Fault.from(error);
        if (retry !== "soon" && problem !== this.problem) {
          this.problem = problem;
          this.#tell(undefined);
        }
        await sleep(clock, backoff(failures, MISSING, entropy), signal).catch(() => {});
      }
    }
    return undefined;
  }
}

export function createExternals(ports: ExternalsPorts): FollowedExternals {
  const kinds = new ContractKinds(ports.client);
  const followed = new Map<string, FollowedKind>();
  const listeners = new Set<(kind: string, key: string | undefined) => void>();
  const running = new Set<Promise<void>>();
  const started = Promise.withResolvers<AbortSignal>();

  const follow = (reference: GroupKind): FollowedKind => {
    const id = kindIdOf(reference);
    const known = followed.get(id);
    if (known !== undefined) return known;
    const tell = (key: string | undefined): void => {
      for (const listener of listeners) listener(id, key);
    };
    const kind = new FollowedKind(reference, ports, kinds, tell);
    followed.set(id, kind);
    const run = started.promise.then((signal) => kind.run(signal)).finally(() => running.delete(run));
    running.add(run);
    return kind;
  };
  const resourceOf = async (reference: ContractReference, namespace: string, signal: AbortSignal) =>
    ports.client.for<KubeObject>(await kinds.of(reference, { signal })).in(namespace);

  return {
    externals: {
      look(reference, namespace) {
        const { cache, problem } = follow(reference);
        if (cache === undefined) return problem === undefined ? { is: "unknown" } : { is: "refused", problem };
        if (!cache.isSynced) return { is: "unknown" };
        const object = cache.get(`${namespace}/${reference.name}`);
        return object === undefined ? { is: "missing" } : { is: "there", object };
      },
      list(kind, namespace) {
        const { cache } = follow(kind);
        if (cache?.isSynced !== true) return undefined;
        return [...cache.values()].filter(({ metadata }) => metadata.namespace === namespace);
      },
      async patch(reference, namespace, patch, signal) {
        const resource = await resourceOf(reference, namespace, signal);
        try {
          const { metadata } = await resource.patch(reference.name, patch as never, { signal });
          await follow(reference).cache?.reached(metadata.resourceVersion ?? "", signal);
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      },
      async delete(reference, namespace, uid, signal) {
        const resource = await resourceOf(reference, namespace, signal);
        try {
          await resource.delete(reference.name, { preconditions: { uid }, signal });
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      },
      onChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    async run(signal) {
      started.resolve(signal);
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      await Promise.all(running);
    },
  };
}
