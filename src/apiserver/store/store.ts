/**
 * The store as the handlers see it: everything in memory (encoded once), every change durable in the Journal before it is visible.
 *
 * One revision counter for all resources. A write is checked against the *head* (which includes writes not yet durable),
 * staged synchronously, committed in groups, and then published in revision order to reads and watchers: nothing that could
 * still be lost is ever visible. If a commit fails, it and everything staged behind it fail, and the head falls back.
 */
import type { KubeObject } from "#schema/meta.ts";

export interface Key {
  /** `<group>/<plural>`; `/secrets` in the core group. */
  readonly resource: string;
  /** "" for cluster scope. */
  readonly namespace: string;
  readonly name: string;
}

/** One object at one revision. Immutable. */
export interface Entry extends Key {
  readonly revision: number;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  /** metadata.deletionTimestamp is set. */
  readonly deleting: boolean;
  /** uids of metadata.ownerReferences. */
  readonly owners: readonly string[];
  /** JSON of the storage version, resourceVersion included: what GET of that version answers, byte for byte. */
  readonly bytes: Buffer;
  /** Parsed on every call: the caller may keep and change what it gets. */
  object(): KubeObject;
}

export interface StoreEvent {
  readonly revision: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  /** State after the change; for DELETED the last state with the deletion's revision. */
  readonly entry: Entry;
  /** State before the change; undefined for ADDED. */
  readonly previous: Entry | undefined;
}

export interface Page {
  readonly entries: Entry[];
  /** The revision the page is consistent with. */
  readonly revision: number;
  /** Key to continue after, if there is more. */
  readonly next: { namespace: string; name: string } | undefined;
  /** Entries after this page; counted without regard to selectors. */
  readonly remaining: number;
}

export interface ListOptions {
  readonly resource: string;
  readonly namespace?: string;
  /** Entries that do not match are skipped and do not count against the limit. */
  readonly match?: (entry: Entry) => boolean;
  readonly limit?: number;
  readonly after?: { namespace: string; name: string };
  /** Exact revision; Fault `store.compacted` when history does not reach back, `store.future` when it is not visible yet. */
  readonly at?: number;
}

export interface Store {
  /** Newest revision that reads and watchers can see. */
  readonly revision: number;
  /** Events at or before this revision are gone. */
  readonly compacted: number;
  get(key: Key): Entry | undefined;
  /** Including writes that are not durable yet: what the next write is checked against. */
  head(key: Key): Entry | undefined;
  /** In the order of `namespace/name` (cluster scope: `name`) by code unit, as etcd orders keys. */
  list(options: ListOptions): Page;
  count(resource: string): number;
  resources(): Iterable<string>;
  /** Entries that name the uid as owner; head state. */
  dependents(uid: string): Iterable<Entry>;
  /** Head state. */
  byUid(uid: string): Entry | undefined;
  /**
   * Stages a write at the next revision; synchronous up to the returned promise, which resolves when the write is durable and
   * visible. `expected` is the entry the caller computed from (`head` at that moment, undefined to create); if the head has moved
   * since, throws Fault `store.moved` at once and nothing happens. `object` is encoded here, with its new resourceVersion.
   * Rejects with the journal's Fault (`io.no-space`, `io.failed`) when the commit it or one before it was in has failed.
   */
  write(key: Key, expected: Entry | undefined, object: KubeObject): Promise<Entry>;
  /** As {@link write}, removing the object; resolves to its last state at the deletion's revision. */
  remove(key: Key, expected: Entry, object: KubeObject): Promise<Entry>;
  /** Events later than `revision`, oldest first; Fault `store.compacted` when history does not reach back. */
  since(revision: number, resource: string): Iterable<StoreEvent>;
  /** Called synchronously for each event as it becomes visible, in revision order. Returns a function that ends it. */
  subscribe(resource: string | undefined, onEvent: (event: StoreEvent) => void): () => void;
  /** Resolves when everything staged so far is durable or failed. */
  settled(): Promise<void>;
  close(): Promise<void>;
}
