/** The life of namespaces: those every cluster has are created, and one that is being deleted is emptied before it goes. */
import { timestamp } from "#io/clock.ts";
import type { Definition } from "#schema/definition.ts";
import type { KubeObject } from "#schema/meta.ts";
import { storageName } from "../registry.ts";
import type { Entry, StoreEvent } from "../store/store.ts";
import { inBatches } from "./batch.ts";
import { namespaceConditions } from "./namespace-conditions.ts";
import type { NamespaceCondition, Remainder } from "./namespace-conditions.ts";
import type { LifecyclePart, LifecyclePorts } from "./ports.ts";
import { Worker } from "./worker.ts";

const NAMESPACES = "/namespaces";
const FINALIZER = "kubernetes";
const WELL_KNOWN = ["default", "kube-system", "kube-public", "kube-node-lease"];
/** Milliseconds in which objects that leave a namespace are counted together: their number is written to its status. */
const GATHERING = 50;

/** core/v1 Namespace, as far as it is read here. */
export interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] };
  status?: { phase?: string; conditions?: NamespaceCondition[] };
}

export class Namespaces implements LifecyclePart {
  readonly #ports: LifecyclePorts;
  readonly #worker: Worker;
  readonly #definition: Definition;
  /** Namespaces that wait for objects which finalizers hold. */
  readonly #waiting = new Set<string>();
  readonly #subscriptions: (() => void)[] = [];

  /** The registry must know Namespace already. */
  constructor(ports: LifecyclePorts) {
    this.#ports = ports;
    this.#definition = ports.registry.findKind("", "Namespace")!;
    this.#worker = new Worker({
      ...ports,
      concurrency: 4,
      work: (name) => this.#settle(name),
      report: (name, fault) => ports.report("namespaces", name, fault),
    });
  }

  start(): void {
    const { store } = this.#ports;
    this.#subscriptions.push(
      store.subscribe(NAMESPACES, (event) => this.#onNamespace(event)),
      store.subscribe(undefined, (event) => this.#onObject(event)),
    );
    for (const entry of store.list({ resource: NAMESPACES }).entries) if (entry.deleting) this.#worker.add(entry.name);
  }

  /** Creates the namespaces that every cluster has. */
  async createWellKnown(): Promise<void> {
    await Promise.all(WELL_KNOWN.map((name) => this.#ports.writer.create(this.#definition, { metadata: { name } })));
  }

  idle(): Promise<void> {
    return this.#worker.idle();
  }

  async stop(): Promise<void> {
    for (const end of this.#subscriptions) end();
    await this.#worker.close();
  }

  #onNamespace(event: StoreEvent): void {
    if (event.type === "DELETED") this.#waiting.delete(event.entry.name);
    else if (event.entry.deleting) this.#worker.add(event.entry.name);
  }

  #onObject(event: StoreEvent): void {
    if (event.type === "DELETED" && this.#waiting.has(event.entry.namespace)) this.#worker.add(event.entry.namespace, GATHERING);
  }

  async #settle(name: string): Promise<void> {
    const { store, writer } = this.#ports;
    const entry = store.get({ resource: NAMESPACES, namespace: "", name });
    if (entry === undefined || !entry.deleting) return;
    const { spec } = entry.object() as Namespace;
    if (!(spec?.finalizers ?? []).includes(FINALIZER)) return;
    // What was admitted before the namespace was terminating may still be on its way to the disk.
    await store.settled();
    await inBatches(this.#content(name), ([definition, object]) => writer.delete(definition, object, "Background"));
    const remaining = this.#content(name).map(([definition, object]): Remainder => ({ definition, object }));
    if (remaining.length === 0) return this.#finalize(entry);
    this.#waiting.add(name);
    await this.#tell(entry, remaining);
  }

  /** Everything in the namespace that can be reached through the API. */
  #content(namespace: string): [Definition, Entry][] {
    const { registry, store } = this.#ports;
    return [...registry.definitions()]
      .filter((definition) => definition.namespaced)
      .flatMap((definition) =>
        store
          .list({ resource: storageName(definition), namespace })
          .entries.map((entry): [Definition, Entry] => [definition, entry]),
      );
  }

  #finalize(entry: Entry): Promise<void> {
    return this.#ports.writer.change(this.#definition, entry, (object) => {
      const { spec } = object as Namespace;
      const others = (spec?.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
      object["spec"] = others.length === 0 ? {} : { ...spec, finalizers: others };
      return true;
    });
  }

  #tell(entry: Entry, remaining: readonly Remainder[]): Promise<void> {
    return this.#ports.writer.change(this.#definition, entry, (object) => {
      const namespace = object as Namespace;
      const known = namespace.status?.conditions ?? [];
      const conditions = namespaceConditions(remaining, known, timestamp(this.#ports.clock));
      if (conditions === undefined) return false;
      namespace.status = { ...namespace.status, conditions };
      return true;
    });
  }
}
