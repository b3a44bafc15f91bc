/**
 * One stream of events. It keeps no queue: while the client cannot take more it only remembers how far it came, and reads the
 * rest from the store's history once the client has caught up. If history has moved on by then, the stream ends with 410.
 */
import type { Timer } from "#io/clock.ts";
import type { Sink } from "#io/serve.ts";
import { statusFault, statusOf } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import type { Item, WatchType } from "../render/render.ts";
import type { Entry, Page, Store, StoreEvent } from "../store/store.ts";
import { itemOf } from "../view.ts";
import type { Group } from "./feed.ts";
import type { Selection } from "./selection.ts";
import type { Start } from "./watch.ts";

/** Objects taken from the store at a time for a stream's beginning: what a client that stops reading keeps from being forgotten. */
const PAGE = 250;
const INITIAL_EVENTS_END = { "k8s.io/initial-events-end": "true" };

export class Watcher {
  readonly selection: Selection;
  readonly #store: Store;
  readonly #group: Group;
  readonly #sink: Sink;
  readonly #wantsBookmarks: boolean;
  readonly #timers: Timer[] = [];
  /** Live watchers take events as they come; others read them from the store first. */
  #state: "reading" | "live" | "ended" = "reading";
  /** Everything up to this revision has been written or is none of the watcher's business. */
  #cursor = 0;
  #first = true;

  constructor(store: Store, group: Group, selection: Selection, wantsBookmarks: boolean, sink: Sink) {
    this.#store = store;
    this.#group = group;
    this.selection = selection;
    this.#wantsBookmarks = wantsBookmarks;
    this.#sink = sink;
    group.add(this);
  }

  start({ initialEvents, revision }: Start): void {
    this.#cursor = initialEvents ? this.#store.revision : (revision ?? this.#store.revision);
    if (initialEvents) this.#list(undefined);
    else this.#catchUp();
  }

  /** An event whose namespace and name fit the selection. */
  take(event: StoreEvent): void {
    if (this.#state !== "live" || event.revision <= this.#cursor) return;
    this.#cursor = event.revision;
    this.#notify(event);
    if (this.#sink.full) this.#pause(() => this.#catchUp());
  }

  /** Tells the client how far it has come, if it wants to know and is not behind. */
  bookmark(): void {
    if (this.#wantsBookmarks && this.#state === "live" && this.#cursor <= this.#store.revision)
      this.#write("BOOKMARK", this.#group.bookmark());
  }

  /** A timer that has no purpose once the stream has ended. */
  onEnd(timer: Timer): void {
    this.#timers.push(timer);
  }

  end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#group.delete(this);
    for (const timer of this.#timers) timer.cancel();
    this.#sink.end();
  }

  /** Writes the objects of the starting revision, page by page, as fast as the client takes them. */
  #list(after: { namespace: string; name: string } | undefined): void {
    const { namespace } = this.selection;
    this.#orExpire(() => {
      const isCurrent = this.#cursor === this.#store.revision;
      const page = this.#store.list({
        resource: this.#group.storage,
        ...(namespace === undefined ? {} : { namespace }),
        ...(this.selection.isEmpty ? {} : { match: (entry: Entry) => this.selection.matches(entry) }),
        ...(after === undefined ? {} : { after }),
        ...(isCurrent ? {} : { at: this.#cursor }),
        limit: PAGE,
      });
      this.#writePage(page, 0);
    });
  }

  #writePage(page: Page, start: number): void {
    for (let i = start; i < page.entries.length; i++) {
      this.#write("ADDED", this.#group.item(page.entries[i]!));
      if (this.#sink.full) return this.#pause(() => this.#writePage(page, i + 1));
    }
    if (page.next !== undefined) return this.#list(page.next);
    if (this.#wantsBookmarks) this.#write("BOOKMARK", this.#group.bookmarkAt(this.#cursor, INITIAL_EVENTS_END));
    this.#catchUp();
  }

  /** Writes what happened since the cursor, and goes live at the end of it. */
  #catchUp(): void {
    this.#orExpire(() => {
      if (this.#cursor < this.#store.revision) {
        for (const event of this.#store.since(this.#cursor, this.#group.storage)) {
          this.#cursor = event.revision;
          if (this.#isMine(event.entry)) this.#notify(event);
          if (this.#sink.full) return this.#pause(() => this.#catchUp());
        }
      }
      this.#state = "live";
    });
  }

  #isMine({ namespace, name }: Entry): boolean {
    const wanted = this.selection;
    return (wanted.namespace ?? namespace) === namespace && (wanted.name ?? name) === name;
  }

  #notify(event: StoreEvent): void {
    const notice = this.#group.judge(event, this.selection);
    if (notice !== undefined) this.#write(notice.type, notice.item);
  }

  #write(type: WatchType, item: Item): void {
    this.#sink.write(this.#group.renderer.event(type, item, this.#first));
    this.#first = false;
  }

  #pause(next: () => void): void {
    this.#state = "reading";
    this.#sink.onDrain(() => {
      if (this.#state !== "ended") next();
    });
  }

  /** History that is gone ends the stream with the ERROR event that makes clients list again. */
  #orExpire(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!Fault.is(error, "store.compacted")) throw error;
      const message = `too old resource version: ${this.#cursor} (${this.#store.compacted})`;
      this.#write("ERROR", itemOf(statusOf(statusFault("Expired", message)) as unknown as KubeObject));
      this.end();
    }
  }
}
