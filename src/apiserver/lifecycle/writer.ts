/** How the parts beside the request handlers write: on the store itself, by the rules of finalizers and optimistic locking. */
import type { Clock } from "#io/clock.ts";
import { timestamp } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import { Fault } from "#std/fault.ts";
import type { Definition } from "#schema/definition.ts";
import { apiVersionOf } from "#schema/meta.ts";
import type { KubeObject, ObjectMeta } from "#schema/meta.ts";
import { storageName } from "../registry.ts";
import type { Entry, Store } from "../store/store.ts";
import type { PropagationPolicy } from "./deletion.ts";
import { beginDeletion, isHeld } from "./deletion.ts";

export interface NewObject {
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export interface Writer {
  /** Nothing happens when there is an object of that name. `object` needs a name (and namespace), spec and the like only. */
  create(definition: Definition, object: NewObject): Promise<void>;
  /**
   * Changes metadata or status of the object that `entry` is or was a state of; `mutate` gets its newest state, in the storage version,
   * and answers whether it changed anything. An object that is being deleted goes once its last finalizer is gone.
   * Nothing happens when the object is gone or has been replaced by another of that name.
   */
  change(definition: Definition, entry: Entry, mutate: (object: KubeObject) => boolean): Promise<void>;
  /** As a client's DELETE with the uid as precondition; nothing happens when the object is gone. */
  delete(definition: Definition, entry: Entry, policy?: PropagationPolicy): Promise<void>;
}

export function createWriter(store: Store, clock: Clock, entropy: Entropy): Writer {
  /** Nothing comes between reading the newest state and staging a write, so nobody else can have been faster. */
  async function onNewest(entry: Entry, act: (current: Entry, object: KubeObject) => Promise<Entry> | undefined): Promise<void> {
    const current = store.head({ resource: entry.resource, namespace: entry.namespace, name: entry.name });
    if (current?.uid === entry.uid) await act(current, current.object());
  }

  return {
    async create(definition, rest) {
      const { metadata } = rest;
      const key = { resource: storageName(definition), namespace: metadata.namespace ?? "", name: metadata.name! };
      if (store.head(key) !== undefined) return;
      const object: KubeObject = {
        apiVersion: apiVersionOf(definition.group, definition.storageVersion),
        kind: definition.kind,
        ...rest,
        metadata: { ...metadata, uid: entropy.uuid(), creationTimestamp: timestamp(clock) },
      };
      if (definition.strategy.hasGeneration) object.metadata.generation = 1;
      normalize(definition, object);
      definition.strategy.prepareCreate?.(object);
      await store.write(key, undefined, object);
    },
    change(definition, entry, mutate) {
      return onNewest(entry, (current, object) => {
        if (!mutate(object)) return undefined;
        const isGoing = object.metadata.deletionTimestamp !== undefined && !isHeld(definition, object);
        return isGoing ? store.remove(current, current, object) : store.write(current, current, object);
      });
    },
    delete(definition, entry, policy) {
      return onNewest(entry, (current, object) => {
        const before = JSON.stringify(object);
        if (!beginDeletion(definition, object, policy, timestamp(clock))) return store.remove(current, current, object);
        return JSON.stringify(object) === before ? undefined : store.write(current, current, object);
      });
    },
  };
}

/** An object of this program's own making in the form in which a client's would be stored. */
export function normalize(definition: Definition, object: KubeObject): void {
  const problem = definition.strategy.decodeProblem?.(object);
  if (problem !== undefined) throw new Fault("api.bad-manifest", problem, { fault: "ours", retry: "never" });
  definition.strategy.defaults?.(object);
}
