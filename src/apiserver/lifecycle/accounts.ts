/** Every active namespace has a ServiceAccount `default`, as controllers and manifests written for a real cluster expect. */
import type { Definition } from "#schema/definition.ts";
import type { LifecyclePart, LifecyclePorts } from "./ports.ts";
import { Worker } from "./worker.ts";

const NAMESPACES = "/namespaces";
const SERVICE_ACCOUNTS = "/serviceaccounts";
const NAME = "default";

export class ServiceAccounts implements LifecyclePart {
  readonly #ports: LifecyclePorts;
  readonly #worker: Worker;
  readonly #definition: Definition;
  readonly #subscriptions: (() => void)[] = [];

  /** The registry must know ServiceAccount already. */
  constructor(ports: LifecyclePorts) {
    this.#ports = ports;
    this.#definition = ports.registry.findKind("", "ServiceAccount")!;
    this.#worker = new Worker({
      ...ports,
      concurrency: 4,
      work: (namespace) => this.#settle(namespace),
      report: (namespace, fault) => ports.report("service-accounts", namespace, fault),
    });
  }

  start(): void {
    const { store } = this.#ports;
    for (const entry of store.list({ resource: NAMESPACES }).entries) this.#worker.add(entry.name);
    this.#subscriptions.push(
      store.subscribe(NAMESPACES, ({ type, entry }) => {
        if (type === "ADDED") this.#worker.add(entry.name);
      }),
      store.subscribe(SERVICE_ACCOUNTS, ({ type, entry }) => {
        if (type === "DELETED" && entry.name === NAME) this.#worker.add(entry.namespace);
      }),
    );
  }

  idle(): Promise<void> {
    return this.#worker.idle();
  }

  async stop(): Promise<void> {
    for (const end of this.#subscriptions) end();
    await this.#worker.close();
  }

  async #settle(namespace: string): Promise<void> {
    // The head, not what is visible: nothing may be created in a namespace whose deletion has begun.
    const entry = this.#ports.store.head({ resource: NAMESPACES, namespace: "", name: namespace });
    if (entry === undefined || entry.deleting) return;
    await this.#ports.writer.create(this.#definition, { metadata: { name: NAME, namespace } });
  }
}
