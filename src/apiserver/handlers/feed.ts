/**
 * The events of one resource on their way to its watchers. Watchers of the same version and representation form a group, in
 * which an event is encoded once; within it they are found by the namespace and name they ask for.
 */
import { apiVersionOf } from "#schema/meta.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { Registry, Resource } from "../registry.ts";
import { storageName } from "../registry.ts";
import type { Item, Renderer, WatchType } from "../render/render.ts";
import type { Entry, Store, StoreEvent } from "../store/store.ts";
import { itemOf } from "../view.ts";
import type { View } from "../view.ts";
import type { Selection } from "./selection.ts";
import type { Watcher } from "./watcher.ts";

/** What an event means for a selection. */
export interface Notice {
  readonly type: WatchType;
  readonly item: Item;
}

export class Feed {
  readonly #store: Store;
  readonly #view: View;
  readonly #resource: string;
  readonly #groups = new Map<Renderer, Group>();
  #unsubscribe: (() => void) | undefined;

  constructor(store: Store, view: View, resource: string) {
    this.#store = store;
    this.#view = view;
    this.#resource = resource;
  }

  /** Renderers are the same object for the same version and representation. */
  group(resource: Resource, renderer: Renderer): Group {
    let group = this.#groups.get(renderer);
    if (group === undefined) this.#groups.set(renderer, (group = new Group(this.#store, this.#view, resource, renderer)));
    this.#unsubscribe ??= this.#store.subscribe(this.#resource, (event) => this.#publish(event));
    return group;
  }

  /** True when nobody watches; then it also stops listening. */
  get isIdle(): boolean {
    for (const [renderer, group] of this.#groups) if (group.isEmpty) this.#groups.delete(renderer);
    if (this.#groups.size > 0) return false;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    return true;
  }

  sendBookmarks(): void {
    for (const group of this.#groups.values()) group.sendBookmarks();
  }

  /** Ends streams of a version that is no longer served, or served differently: their clients come back and see it. */
  endOutdated(registry: Registry): void {
    for (const group of this.#groups.values()) {
      const { definition, version } = group.resource;
      if (registry.find(definition.group, version.name, definition.plural)?.version !== version) group.end();
    }
  }

  #publish(event: StoreEvent): void {
    for (const group of this.#groups.values()) group.publish(event);
  }
}

export class Group {
  readonly resource: Resource;
  readonly renderer: Renderer;
  /** The store's name for the resource. */
  readonly storage: string;
  readonly #store: Store;
  readonly #view: View;
  /** By namespace and name of their selection, see {@link keyOf}. */
  readonly #watchers = new Map<string, Set<Watcher>>();
  /** Verdicts on the event at hand, by the selection's text. */
  readonly #verdicts = new Map<string, Notice | undefined>();
  #judged: StoreEvent | undefined;
  /** Objects that left a selection: their state before, at the revision they left. */
  readonly #departed = new WeakMap<Entry, Item>();
  #bookmark: { readonly revision: number; readonly item: Item } | undefined;

  constructor(store: Store, view: View, resource: Resource, renderer: Renderer) {
    this.#store = store;
    this.#view = view;
    this.resource = resource;
    this.renderer = renderer;
    this.storage = storageName(resource.definition);
  }

  add(watcher: Watcher): void {
    const key = keyOf(watcher.selection);
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers.add(watcher));
  }

  delete(watcher: Watcher): void {
    const key = keyOf(watcher.selection);
    const watchers = this.#watchers.get(key);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.#watchers.delete(key);
  }

  get isEmpty(): boolean {
    return this.#watchers.size === 0;
  }

  publish(event: StoreEvent): void {
    const { namespace, name } = event.entry;
    for (const key of [keyOf({}), keyOf({ name }), keyOf({ namespace }), keyOf({ namespace, name })]) {
      const watchers = this.#watchers.get(key);
      if (watchers !== undefined) for (const watcher of watchers) watcher.take(event);
    }
  }

  /** Sends every watcher that wants one a bookmark. */
  sendBookmarks(): void {
    for (const watchers of this.#watchers.values()) for (const watcher of watchers) watcher.bookmark();
  }

  end(): void {
    // Ending takes a watcher out of its set; what iterates a set or a map copes with that.
    for (const watchers of this.#watchers.values()) for (const watcher of watchers) watcher.end();
  }

  /** The item of an entry that a stream begins with. */
  item(entry: Entry): Item {
    return this.#view.item(entry, this.resource);
  }

  /** A bookmark at the newest revision; one for all watchers. */
  bookmark(): Item {
    const { revision } = this.#store;
    if (this.#bookmark?.revision !== revision) this.#bookmark = { revision, item: this.bookmarkAt(revision) };
    return this.#bookmark.item;
  }

  bookmarkAt(revision: number, annotations?: Record<string, string>): Item {
    const { definition, version } = this.resource;
    const metadata = { resourceVersion: String(revision), ...(annotations === undefined ? {} : { annotations }) };
    return itemOf({ kind: definition.kind, apiVersion: apiVersionOf(definition.group, version.name), metadata });
  }

  /** What an event means for a selection whose namespace and name fit; undefined when it is not its business. */
  judge(event: StoreEvent, selection: Selection): Notice | undefined {
    if (selection.isPlain) return { type: event.type, item: this.item(event.entry) };
    if (this.#judged !== event) {
      this.#judged = event;
      this.#verdicts.clear();
    }
    if (!this.#verdicts.has(selection.text)) this.#verdicts.set(selection.text, this.#verdict(event, selection));
    return this.#verdicts.get(selection.text);
  }

  #verdict(event: StoreEvent, selection: Selection): Notice | undefined {
    const { type, entry, previous } = event;
    const before = previous !== undefined && selection.matchesContent(previous);
    if (type === "DELETED") return before ? { type, item: this.item(entry) } : undefined;
    if (selection.matchesContent(entry)) return { type: before ? "MODIFIED" : "ADDED", item: this.item(entry) };
    return before ? { type: "DELETED", item: this.#departure(entry, previous) } : undefined;
  }

  #departure(entry: Entry, previous: Entry): Item {
    let item = this.#departed.get(entry);
    if (item === undefined) {
      const object: KubeObject = this.#view.object(previous, this.resource);
      object.metadata.resourceVersion = String(entry.revision);
      this.#departed.set(entry, (item = itemOf(object)));
    }
    return item;
  }
}

/** Absent means any. No text stands for that: a client may ask for a namespace called `*`, and must not get all of them. */
function keyOf({ namespace, name }: Partial<Pick<Selection, "namespace" | "name">>): string {
  return JSON.stringify([namespace ?? null, name ?? null]);
}
