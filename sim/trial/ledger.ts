/** What the API said last, kept outside of the process: what was acknowledged has to be there again after every crash. */
import type { Store, StoreEvent } from "#apiserver/store/store.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Clock } from "#io/clock.ts";

export interface LedgerOptions {
  readonly clock: Clock;
  /** Called with each change of a Server, when the ledger has it. */
  readonly onServer: (after: Server | undefined, before: Server | undefined) => void;
  readonly onEvent: (event: StoreEvent) => void;
  readonly violation: (what: string) => void;
}

export const SERVERS = `${Server.group}/${Server.plural}`;
export const BINDINGS = `${ServerBinding.group}/${ServerBinding.plural}`;

export class Ledger {
  readonly #options: LedgerOptions;
  readonly servers = new Map<string, Server>();
  readonly bindings = new Map<string, ServerBinding>();
  /** `resource namespace/name` → newest revision that was seen. */
  readonly #revisions = new Map<string, number>();
  /** Machine → when an order to wipe it was last in force, on an accepted Server. */
  readonly #orderedAt = new Map<string, number>();
  /** Machine → when it was last accepted and not paused. */
  readonly #oursAt = new Map<string, number>();

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** Of a process that has just opened its journal. */
  follow(store: Store): void {
    for (const [key, revision] of this.#revisions) {
      const [resource = "", namespace = "", name = ""] = key.split(" ");
      const entry = store.get({ resource, namespace, name });
      if (entry === undefined || entry.revision < revision) {
        this.#options.violation(
          `${key} was acknowledged at revision ${revision} and is ${entry?.revision ?? "gone"} after a crash`,
        );
      }
    }
    store.subscribe(undefined, (event) => this.#take(event));
  }

  #take(event: StoreEvent): void {
    const { type, entry } = event;
    const key = `${entry.resource} ${entry.namespace} ${entry.name}`;
    if (type === "DELETED") this.#revisions.delete(key);
    else this.#revisions.set(key, event.revision);
    if (entry.resource === SERVERS) this.#takeServer(event);
    if (entry.resource === BINDINGS) {
      if (type === "DELETED") this.bindings.delete(entry.name);
      else this.bindings.set(entry.name, entry.object() as ServerBinding);
    }
    this.#options.onEvent(event);
  }

  #takeServer({ type, entry }: StoreEvent): void {
    const before = this.servers.get(entry.name);
    this.#remember(entry.name, before);
    if (type === "DELETED") {
      this.servers.delete(entry.name);
      return this.#options.onServer(undefined, before);
    }
    const after = entry.object() as Server;
    this.servers.set(entry.name, after);
    this.#options.onServer(after, before);
  }

  #remember(name: string, server: Server | undefined): void {
    const now = this.#options.clock.monotonic();
    if (isOrdered(server)) this.#orderedAt.set(name, now);
    if (isOurs(server)) this.#oursAt.set(name, now);
  }

  /** Milliseconds since an order to wipe the machine was in force; 0: it is. */
  sinceOrdered(name: string): number {
    if (isOrdered(this.servers.get(name))) return 0;
    return this.#options.clock.monotonic() - (this.#orderedAt.get(name) ?? -Infinity);
  }

  /** Milliseconds since Sidero was allowed to act on the machine's power; 0: it is. */
  sinceOurs(name: string): number {
    if (isOurs(this.servers.get(name))) return 0;
    return this.#options.clock.monotonic() - (this.#oursAt.get(name) ?? -Infinity);
  }
}

function isOrdered(server: Server | undefined): boolean {
  const state = server?.status?.wipe?.state;
  return server?.spec?.accepted === true && (state === "ordered" || state === "started" || state === "failed");
}

function isOurs(server: Server | undefined): boolean {
  const isPaused = server?.metadata.annotations?.["cluster.x-k8s.io/paused"] !== undefined;
  return server?.spec?.accepted === true && !isPaused;
}
