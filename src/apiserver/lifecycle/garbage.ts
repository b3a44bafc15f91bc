/**
 * The garbage collector: an object whose owners are all gone goes too, an owner that is deleted in the foreground waits for the
 * dependents that block it, and one that is deleted with `orphan` lets its dependents go first. After kube-controller-manager's, but
 * on the store's own index of owners: no graph to keep, nothing polled.
 */
import type { Definition } from "#schema/definition.ts";
import type { KubeObject, OwnerReference } from "#schema/meta.ts";
import { parseApiVersion } from "#schema/meta.ts";
import { storageName } from "../registry.ts";
import type { Entry, StoreEvent } from "../store/store.ts";
import { inBatches } from "./batch.ts";
import type { PropagationPolicy } from "./deletion.ts";
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER, setFinalizers } from "./deletion.ts";
import type { LifecyclePart, LifecyclePorts } from "./ports.ts";
import { Worker } from "./worker.ts";

/** What an owner reference comes to. `waiting`: the owner is being deleted in the foreground. `unknown`: nobody can tell. */
type OwnerState = "solid" | "waiting" | "dangling" | "unknown";

export class GarbageCollector implements LifecyclePart {
  readonly #ports: LifecyclePorts;
  /** Keys are uids. */
  readonly #worker: Worker;
  /** Objects with an owner of a kind that is not served; looked at again when there are new kinds. */
  readonly #unresolved = new Set<string>();
  /** Owners seen to go while they had dependents: gone for certain, also when their kind has gone with them. */
  readonly #gone = new Set<string>();
  #unsubscribe: () => void = () => {};

  constructor(ports: LifecyclePorts) {
    this.#ports = ports;
    this.#worker = new Worker({
      ...ports,
      concurrency: 64,
      work: (uid) => this.#settle(uid),
      report: (uid, fault) => ports.report("garbage-collector", uid, fault),
    });
  }

  start(): void {
    const { store } = this.#ports;
    for (const resource of store.resources()) {
      for (const entry of store.list({ resource }).entries) if (this.#needsLook(entry)) this.#worker.add(entry.uid);
    }
    this.#unsubscribe = store.subscribe(undefined, (event) => this.#onEvent(event));
  }

  idle(): Promise<void> {
    return this.#worker.idle();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#worker.close();
  }

  /** At the start: whatever may have been missed while no collector ran. Reads no object. */
  #needsLook(entry: Entry): boolean {
    return entry.deleting || entry.owners.some((uid) => this.#ports.store.byUid(uid)?.deleting !== false);
  }

  #onEvent({ type, entry, previous }: StoreEvent): void {
    const { store } = this.#ports;
    if (entry.resource === "apiextensions.k8s.io/customresourcedefinitions") this.#lookAgain();
    if (type === "DELETED") {
      this.#unresolved.delete(entry.uid);
      for (const dependent of store.dependents(entry.uid)) {
        this.#gone.add(entry.uid);
        this.#worker.add(dependent.uid);
      }
    } else if (entry.deleting || (entry.owners.length > 0 && !sameOwners(entry, previous))) {
      this.#worker.add(entry.uid);
    }
    // An owner in the foreground may have waited for just this: a dependent gone, let go, or no longer blocking.
    for (const uid of new Set([...entry.owners, ...(previous?.owners ?? [])])) {
      if (store.byUid(uid)?.deleting === true) this.#worker.add(uid);
      if (this.#gone.has(uid) && isEmpty(store.dependents(uid))) this.#gone.delete(uid);
    }
  }

  #lookAgain(): void {
    for (const uid of this.#unresolved) this.#worker.add(uid);
    this.#unresolved.clear();
  }

  async #settle(uid: string): Promise<void> {
    const { store, registry } = this.#ports;
    const entry = store.byUid(uid);
    const definition = entry === undefined ? undefined : registry.stored(entry.resource);
    if (entry === undefined || definition === undefined) return;
    const object = entry.object();
    if (!entry.deleting) return this.#collect(definition, entry, object);
    const finalizers = object.metadata.finalizers ?? [];
    if (finalizers.includes(ORPHAN_FINALIZER)) return this.#orphan(definition, entry);
    if (finalizers.includes(FOREGROUND_FINALIZER)) return this.#finishForeground(definition, entry);
  }

  /** Deletes the object, or drops the references that lead nowhere, or leaves it alone: no step between judging and staging is awaited. */
  async #collect(definition: Definition, entry: Entry, object: KubeObject): Promise<void> {
    const references = object.metadata.ownerReferences ?? [];
    const states = references.map((reference) => this.#stateOf(reference, entry));
    if (states.length === 0) return;
    if (states.includes("unknown")) return void this.#unresolved.add(entry.uid);
    const { writer } = this.#ports;
    if (states.includes("solid")) {
      if (states.every((state) => state === "solid")) return;
      const lost = new Set(references.filter((_, i) => states[i] !== "solid").map((reference) => reference.uid));
      return writer.change(definition, entry, (current) => dropOwners(current, lost));
    }
    const dependents = [...this.#ports.store.dependents(entry.uid)];
    if (states.includes("waiting") && dependents.length > 0) {
      // Owners that wait for one another in a circle would wait for ever: this one stops blocking.
      if (dependents.some((dependent) => this.#isWaiting(dependent))) await writer.change(definition, entry, unblock);
      return writer.delete(definition, entry, "Foreground");
    }
    return writer.delete(definition, entry, ownPolicy(object));
  }

  #stateOf(reference: OwnerReference, dependent: Entry): OwnerState {
    const { registry, store } = this.#ports;
    if (this.#gone.has(reference.uid)) return "dangling";
    const group = parseApiVersion(reference.apiVersion)?.group;
    const definition = group === undefined ? undefined : registry.findKind(group, reference.kind);
    if (definition === undefined) return "unknown";
    // A cluster-scoped object cannot say which namespace it means.
    if (definition.namespaced && dependent.namespace === "") return "unknown";
    const namespace = definition.namespaced ? dependent.namespace : "";
    const owner = store.get({ resource: storageName(definition), namespace, name: reference.name });
    if (owner === undefined || owner.uid !== reference.uid) return "dangling";
    return this.#isWaiting(owner) ? "waiting" : "solid";
  }

  #isWaiting(owner: Entry): boolean {
    return owner.deleting && (owner.object().metadata.finalizers ?? []).includes(FOREGROUND_FINALIZER);
  }

  async #orphan(definition: Definition, owner: Entry): Promise<void> {
    const { store, registry, writer } = this.#ports;
    const lost = new Set([owner.uid]);
    await inBatches([...store.dependents(owner.uid)], (dependent) => {
      const kind = registry.stored(dependent.resource);
      return kind === undefined ? undefined : writer.change(kind, dependent, (object) => dropOwners(object, lost));
    });
    await writer.change(definition, owner, (object) => dropFinalizer(object, ORPHAN_FINALIZER));
  }

  /** Sees to it that the dependents go; lets the owner go when none blocks it, else comes again with each that is gone. */
  async #finishForeground(definition: Definition, owner: Entry): Promise<void> {
    // An object that owns itself would wait for itself for ever.
    const dependents = [...this.#ports.store.dependents(owner.uid)].filter((dependent) => dependent.uid !== owner.uid);
    const waiting = dependents.filter((dependent) => !dependent.deleting);
    if (dependents.some((dependent) => blocks(dependent, owner.uid))) {
      for (const dependent of waiting) this.#worker.add(dependent.uid);
      return;
    }
    // First the dependents: the owner may stay for other finalizers, and would then look like one that is not being deleted in the foreground.
    await inBatches(waiting, (dependent) => this.#settle(dependent.uid));
    await this.#ports.writer.change(definition, owner, (object) => dropFinalizer(object, FOREGROUND_FINALIZER));
  }
}

function isEmpty(entries: Iterable<Entry>): boolean {
  for (const _ of entries) return false;
  return true;
}

function sameOwners(entry: Entry, previous: Entry | undefined): boolean {
  if (previous === undefined || previous.owners.length !== entry.owners.length) return false;
  return entry.owners.every((uid, i) => previous.owners[i] === uid);
}

function blocks(dependent: Entry, owner: string): boolean {
  const references = dependent.object().metadata.ownerReferences ?? [];
  return references.some((reference) => reference.uid === owner && reference.blockOwnerDeletion === true);
}

function dropOwners(object: KubeObject, lost: ReadonlySet<string>): boolean {
  const references = object.metadata.ownerReferences ?? [];
  const kept = references.filter((reference) => !lost.has(reference.uid));
  if (kept.length === 0) delete object.metadata.ownerReferences;
  else object.metadata.ownerReferences = kept;
  return kept.length < references.length;
}

function unblock(object: KubeObject): boolean {
  const blocking = (object.metadata.ownerReferences ?? []).filter((reference) => reference.blockOwnerDeletion === true);
  for (const reference of blocking) reference.blockOwnerDeletion = false;
  return blocking.length > 0;
}

function dropFinalizer(object: KubeObject, name: string): boolean {
  const finalizers = object.metadata.finalizers ?? [];
  setFinalizers(
    object,
    finalizers.filter((finalizer) => finalizer !== name),
  );
  return finalizers.includes(name);
}

/** How an object wants its own dependents treated, if it said so before. */
function ownPolicy(object: KubeObject): PropagationPolicy {
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(ORPHAN_FINALIZER)) return "Orphan";
  return finalizers.includes(FOREGROUND_FINALIZER) ? "Foreground" : "Background";
}
