/** A client that watches a kind through the server's deaths, from where it was each time, and believes nothing. */
import assert from "node:assert/strict";
import type { Client } from "#kube/client.ts";
import { keyOf, type KindRef } from "#kube/kind.ts";
import type { KubeList, KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { revisionOf, type Chronicle } from "./http-chronicle.ts";

export class Watcher {
  readonly kind: KindRef;
  readonly #chronicle: Chronicle;
  /** Revision of each object. */
  readonly #state: Map<string, number>;
  /** Revisions of the events so far. */
  readonly seen: number[] = [];
  /** Where to go on; a bookmark counts. */
  #at: number;
  #awaited: { revision: number; resolve: () => void } | undefined;

  /** Begins with a list. */
  constructor(kind: KindRef, list: KubeList<KubeObject>, chronicle: Chronicle) {
    this.kind = kind;
    this.#chronicle = chronicle;
    this.#state = new Map(list.items.map((item) => [keyOf(item), revisionOf(item)]));
    this.#at = revisionOf(list);
  }

  /** Follows until the server is gone, in whatever way; rejects with anything else. */
  async follow(client: Client): Promise<void> {
    try {
      for await (const event of client.for(this.kind).watch({ resourceVersion: String(this.#at) })) {
        if (event.type === "BOOKMARK") this.#advance(Number(event.resourceVersion), false);
        else this.#take(event.type, event.object);
      }
    } catch (error) {
      if (!Fault.is(error, "io.unreachable")) throw error;
    }
  }

  /** Resolves when everything up to a revision has been seen. */
  reach(revision: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#at >= revision) resolve();
      else this.#awaited = { revision, resolve };
    });
  }

  /** What it has pieced together is what is there. */
  check(list: KubeList<KubeObject>): void {
    const present = list.items.map((item): [string, number] => [keyOf(item), revisionOf(item)]);
    assert.deepEqual(new Map([...this.#state].toSorted()), new Map(present.toSorted()));
  }

  /** Who resumes from the `count`-th last event is told what this one was told after it. */
  async retell(client: Client, count: number, signal: AbortSignal): Promise<void> {
    const [from, ...known] = this.seen.slice(-count);
    const told: number[] = [];
    if (known.length === 0) return;
    for await (const event of client.for(this.kind).watch({ resourceVersion: String(from), signal })) {
      if (event.type === "BOOKMARK") continue;
      told.push(revisionOf(event.object));
      if (told.length === known.length) break;
    }
    assert.deepEqual(told, known);
  }

  #take(type: "ADDED" | "MODIFIED" | "DELETED", object: KubeObject): void {
    const key = keyOf(object);
    const revision = revisionOf(object);
    assert.equal(this.#state.has(key), type !== "ADDED", `${type} of ${key} at ${revision}`);
    this.#chronicle.tell(this.kind, object, type === "DELETED");
    if (type === "DELETED") this.#state.delete(key);
    else this.#state.set(key, revision);
    this.seen.push(revision);
    this.#advance(revision, true);
  }

  #advance(revision: number, isEvent: boolean): void {
    assert.ok(isEvent ? revision > this.#at : revision >= this.#at, `${revision} came after ${this.#at}`);
    this.#at = revision;
    if (this.#awaited !== undefined && revision >= this.#awaited.revision) this.#awaited.resolve();
  }
}
