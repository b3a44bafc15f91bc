/**
 * How a controller is written. It says what it reads and writes, and gives three functions; everything else (queue, retries,
 * finalizers, writing the status, metrics) is the loop's (`loop.ts`).
 *
 *     observe(reader, key, object) → Observed     reads caches and ports, no logic; undefined: nothing to do
 *     decide(observed, now)        → Decision     pure, in `decide/`
 *     act(effect, acting)          → void         one effect; repeating it does no harm
 *
 * Example:
 *
 *     export const bindingController = controller({
 *       name: "server-binding",
 *       kind: ServerBinding,
 *       reads: [on(Server, ({ object }) => [object.metadata.name ?? ""])],
 *       writes: [writing(ServerBinding, "status.ready")],
 *       observe, decide, act,
 *     });
 */
import type { Fault } from "#std/fault.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { CacheReader, Change } from "./cache.ts";
import type { Client } from "./client.ts";
import type { Recorder } from "./events.ts";
import { type KindRef } from "./kind.ts";

/** The caches of the kinds that a controller has declared it reads. */
export interface Reader {
  /** Fault `kube.undeclared` for other kinds. */
  of<T extends KubeObject>(kind: KindRef<T>): CacheReader<T>;
}

/** A kind that is read, and which keys to decide about anew when one of its objects changes. */
export interface Reading<T extends KubeObject = KubeObject> {
  readonly kind: KindRef<T>;
  keys(change: Change<T>, reader: Reader): Iterable<string>;
}

/** The keys default to the changed object's own. */
export function on<T extends KubeObject>(
  kind: KindRef<T>,
  keys: (change: Change<T>, reader: Reader) => Iterable<string> = (change) => [change.key],
): Reading<T> {
  return { kind, keys };
}

/** Fields that are this controller's alone: `status`, `status.ready`, `spec.qualifiers`. */
export interface Writing {
  readonly kind: KindRef;
  readonly fields: readonly string[];
}

export function writing(kind: KindRef, ...fields: string[]): Writing {
  return { kind, fields };
}

/**
 * Objects of kinds that only references name (a Machine's bootstrap and infrastructure objects, their templates), for {@link writing}: which
 * these are is known at run time (`contract.ts`).
 */
export const REFERENCED: KindRef = { group: "*", version: "*", kind: "*", plural: "*", scope: "Namespaced" };

/** The top fields of a kind's status; undefined takes a field away. */
export type StatusOf<T> = T extends { status?: infer S } ? { readonly [K in keyof S]?: S[K] | undefined } : never;

/** What is to be done now. An empty decision means that all is as it should be. */
export interface Decision<S, E> {
  /** Status that must be on record before the effects run: which operation is begun, with its id. */
  readonly intent?: S;
  /** Run in order; the first that fails ends the turn. */
  readonly effects?: readonly E[];
  /** Status once the effects have run. Fields that are not named stay as they are. */
  readonly status?: S;
  /** Milliseconds after which to look again although nothing has changed. */
  readonly again?: number;
  /** What the finalizer stands for is done: it may go. Only on an object that is being deleted. */
  readonly finalized?: boolean;
}

/** What an effect may use besides the ports its controller was made with. */
export interface Acting {
  /** Writes of undeclared kinds are refused with Fault `kube.undeclared`. */
  readonly client: Client;
  readonly events: Recorder;
  readonly signal: AbortSignal;
}

export interface Controller<T extends KubeObject = KubeObject, O = unknown, E = unknown> {
  /** Kebab case; the label of its metrics, the source of its events. */
  readonly name: string;
  /** The kind whose keys it decides about. It is read as a matter of course; list it in `reads` only to map its changes otherwise. */
  readonly kind: KindRef<T>;
  readonly reads?: readonly Reading[];
  readonly writes: readonly Writing[];
  /** Put on every object before the first effect; see {@link Decision.finalized}. */
  readonly finalizer?: string;
  /** Keys that are decided about at start even if they do not exist. */
  readonly always?: readonly string[];
  /**
   * Called when the controller begins, for what matters to it but is not in the API (a download that has ended): `wake` has a key
   * decided about anew. Returns what ends that.
   */
  listen?(wake: (key: string) => void, reader: Reader): () => void;
  /** Milliseconds a change of the key may wait for others, so that a burst is one decision. Default 0. */
  settle?(key: string): number;
  /** Keys worked on at a time. Default 10. */
  readonly concurrency?: number;
  observe(reader: Reader, key: string, object: T | undefined): O | undefined | Promise<O | undefined>;
  decide(observed: O, now: number): Decision<StatusOf<T>, E>;
  act(effect: E, acting: Acting): Promise<void>;
  /** How a status tells of an effect that failed; pure. Without it only log, metrics and (when it is final) an event tell. */
  failed?(observed: O, fault: Fault, now: number): StatusOf<T>;
}

/** Lets the types of the three functions flow from the kind. */
export function controller<T extends KubeObject, O, E>(definition: Controller<T, O, E>): Controller<T, O, E> {
  return definition;
}
