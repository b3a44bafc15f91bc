/** watch: opens streams of events; the events themselves come from the feeds. */
import type { Outgoing, Sink } from "#io/serve.ts";
import { unclassified } from "#kube/status.ts";
import { quote } from "#schema/quote.ts";
import { storageName } from "../registry.ts";
import { revision } from "../query.ts";
import { Feed } from "./feed.ts";
import { readListOptions } from "./options.ts";
import type { ListOptions } from "./options.ts";
import { tooLargeRevision } from "./read.ts";
import { selectionOf } from "./selection.ts";
import type { Parts, Target } from "./target.ts";
import { Watcher } from "./watcher.ts";

/** A stream without timeoutSeconds ends after 30 to 60 minutes, spread so that not all clients come back at once. */
const MIN_TIMEOUT = 30 * 60_000;
/** How often watchers that want bookmarks get one, and how long before a stream's end they get the last. */
const BOOKMARK_PERIOD = 60_000;
const LAST_BOOKMARK = 2_000;

export class WatchHub {
  readonly #parts: Parts;
  /** By storage name. */
  readonly #feeds = new Map<string, Feed>();
  #ticking = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.registry.onChange((definition) => this.#feeds.get(storageName(definition))?.endOutdated(parts.registry));
  }

  /** Throws 400, 406, 422 and 504; what is found later (410) is an ERROR event in the stream. */
  open(target: Target): Outgoing {
    const { request, resource } = target;
    const { store, view } = this.#parts;
    const renderer = this.#parts.chooseRenderer(resource, request.headers["accept"], request.query);
    const options = readListOptions(request.query, true);
    const selection = selectionOf(target, options, view);
    const from = startOf(options, store.revision);
    const open = (sink: Sink): void => {
      const feed = this.#feed(storageName(resource.definition));
      const group = feed.group(resource, renderer);
      const watcher = new Watcher(store, group, selection, options.allowWatchBookmarks, sink);
      this.#limit(watcher, options);
      request.signal.addEventListener("abort", () => watcher.end(), { once: true });
      if (request.signal.aborted) return watcher.end();
      watcher.start(from);
    };
    return { status: 200, headers: { "content-type": renderer.contentType }, body: { open } };
  }

  #feed(resource: string): Feed {
    let feed = this.#feeds.get(resource);
    if (feed === undefined) {
      feed = new Feed(this.#parts.store, this.#parts.view, resource);
      this.#feeds.set(resource, feed);
      this.#tick();
    }
    return feed;
  }

  /** Ends the stream in time, with a bookmark shortly before. */
  #limit(watcher: Watcher, options: ListOptions): void {
    const { clock, entropy } = this.#parts;
    const seconds = options.timeoutSeconds ?? 0;
    const timeout = seconds > 0 ? seconds * 1000 : MIN_TIMEOUT * (1 + entropy.bytes(1)[0]! / 256);
    if (options.allowWatchBookmarks && timeout > LAST_BOOKMARK)
      watcher.onEnd(clock.after(timeout - LAST_BOOKMARK, () => watcher.bookmark()));
    watcher.onEnd(clock.after(timeout, () => watcher.end()));
  }

  /** One timer for all bookmarks, while there are feeds. */
  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    this.#parts.clock.after(BOOKMARK_PERIOD, () => {
      this.#ticking = false;
      for (const [resource, feed] of this.#feeds) {
        if (feed.isIdle) this.#feeds.delete(resource);
        else feed.sendBookmarks();
      }
      if (this.#feeds.size > 0) this.#tick();
    });
  }
}

/** Where a stream begins: with the present state as ADDED events, or after a revision. */
export interface Start {
  readonly initialEvents: boolean;
  readonly revision: number | undefined;
}

function startOf(options: ListOptions, current: number): Start {
  const given = options.resourceVersion;
  const after = revision(given, (problem) => unclassified(`resourceVersion: Invalid value: ${quote(given ?? "")}: ${problem}`));
  const initialEvents = options.sendInitialEvents ?? (after === undefined || after === 0);
  if (options.sendInitialEvents === true && after !== undefined && after > current) throw tooLargeRevision(after, current, 1);
  return { initialEvents, revision: after === 0 ? undefined : after };
}
