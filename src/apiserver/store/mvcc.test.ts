import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VirtualClock } from "#io/memory/clock.ts";
import { MemoryJournal } from "#io/memory/journal.ts";
import type { KubeObject, ObjectMeta } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import type { StoreOptions } from "./mvcc.ts";
import { createStore } from "./mvcc.ts";
import type { Entry, Store, StoreEvent } from "./store.ts";

const RESOURCE = "metal.sidero.dev/servers";

interface Bench {
  readonly store: Store;
  readonly journal: MemoryJournal;
  readonly clock: VirtualClock;
  readonly create: (path: string, metadata?: ObjectMeta) => Promise<Entry>;
  readonly change: (path: string, metadata?: ObjectMeta) => Promise<Entry>;
  readonly remove: (path: string) => Promise<Entry>;
  readonly names: (options?: { at?: number; namespace?: string }) => string[];
}

async function bench(options: Partial<StoreOptions> = {}, journal = new MemoryJournal()): Promise<Bench> {
  const clock = new VirtualClock();
  const store = await createStore({ journal, clock, ...options });
  const object = (path: string, metadata: ObjectMeta): KubeObject => ({
    apiVersion: "metal.sidero.dev/v1alpha2",
    kind: "Server",
    metadata: { name: path, uid: `uid-${path}`, ...metadata },
  });
  return {
    store,
    journal,
    clock,
    create: (path, metadata = {}) => store.write(keyOf(path), undefined, object(path, metadata)),
    change: (path, metadata = {}) => store.write(keyOf(path), store.head(keyOf(path)), object(path, metadata)),
    remove: (path) => store.remove(keyOf(path), store.head(keyOf(path))!, object(path, {})),
    names: (given) => store.list({ resource: RESOURCE, ...given }).entries.map(pathOf),
  };
}

function keyOf(path: string): { resource: string; namespace: string; name: string } {
  const parts = path.split("/");
  return { resource: RESOURCE, namespace: parts.length === 2 ? parts[0]! : "", name: parts.at(-1)! };
}

function pathOf(entry: Entry): string {
  return entry.namespace === "" ? entry.name : `${entry.namespace}/${entry.name}`;
}

describe("writing", () => {
  test("an object is encoded once, with its revision inside, and stays the caller's", async () => {
    const { store } = await bench();
    const object = { apiVersion: "v1", kind: "X", metadata: { name: "a", labels: { k: "v" } } };
    const entry = await store.write(keyOf("a"), undefined, object);
    assert.equal(
      entry.bytes.toString(),
      '{"apiVersion":"v1","kind":"X","metadata":{"name":"a","labels":{"k":"v"},"resourceVersion":"1"}}',
    );
    assert.deepEqual(object, { apiVersion: "v1", kind: "X", metadata: { name: "a", labels: { k: "v" } } });
    object.metadata.labels.k = "changed";
    assert.deepEqual({ ...entry.labels }, { k: "v" });
    assert.notEqual(entry.object(), entry.object());
  });

  test("a key called __proto__ is data", async () => {
    const { store } = await bench();
    const object = JSON.parse(
      '{"apiVersion":"v1","kind":"X","metadata":{"name":"a","labels":{"__proto__":"v"}},"__proto__":{"x":1}}',
    ) as KubeObject;
    const entry = await store.write(keyOf("a"), undefined, object);
    assert.ok(Object.hasOwn(entry.labels, "__proto__"));
    assert.match(entry.bytes.toString(), /"__proto__":\{"x":1\}/);
  });

  test("is visible only when durable, but heads move at once", async () => {
    const clock = new VirtualClock();
    const delay = { clock, milliseconds: 10 };
    const { store, create } = await bench({}, new MemoryJournal({ seed: 1, delay }));
    const created = create("a");
    assert.equal(store.get(keyOf("a")), undefined);
    assert.equal(store.head(keyOf("a"))!.revision, 1);
    assert.equal(store.revision, 0);
    const changed = store.write(keyOf("a"), store.head(keyOf("a")), { apiVersion: "v1", kind: "X", metadata: { name: "a" } });
    void created.then(() => assert.equal(store.head(keyOf("a"))!.revision, 2, "the head stays ahead"));
    await clock.advance(100);
    assert.equal((await created).revision, 1);
    assert.equal((await changed).revision, 2);
    assert.equal(store.get(keyOf("a")), await changed);
  });

  test("from an entry that is not the head any more is refused, and nothing happens", async () => {
    const { store, create, change } = await bench();
    const first = await create("a");
    const second = await change("a");
    for (const stale of [undefined, first]) {
      assert.throws(
        () => store.write(keyOf("a"), stale, { apiVersion: "v1", kind: "X", metadata: {} }),
        (fault) => Fault.is(fault, "store.moved"),
      );
    }
    assert.throws(
      () => store.remove(keyOf("b"), second, { apiVersion: "v1", kind: "X", metadata: {} }),
      (fault) => Fault.is(fault, "store.moved"),
    );
    assert.equal(store.revision, 2);
  });

  test("a failed commit takes with it everything staged behind it, and its revisions are skipped", async () => {
    const { store, journal, create, change, remove, names } = await bench();
    await create("kept", { ownerReferences: [{ apiVersion: "v1", kind: "X", name: "o", uid: "o1" }] });
    const full = new Fault("io.no-space", "no space", { fault: "world", retry: "soon" });
    journal.refusal = full;
    const writes = [create("a"), create("b", { uid: "u" }), change("kept"), change("kept"), remove("kept"), create("kept")];
    assert.equal(store.byUid("u")!.name, "b");
    for (const outcome of await Promise.allSettled(writes)) assert.deepEqual(outcome, { status: "rejected", reason: full });
    assert.deepEqual(names(), ["kept"]);
    assert.equal(store.head(keyOf("kept")), store.get(keyOf("kept")));
    assert.equal(store.byUid("u"), undefined);
    assert.equal(store.byUid("uid-kept"), store.get(keyOf("kept")));
    assert.deepEqual([...store.dependents("o1")], [store.get(keyOf("kept"))]);
    journal.refusal = undefined;
    assert.equal((await create("a")).revision, 8);
  });

  test("ends with the store", async () => {
    const { store, create } = await bench();
    const last = create("a");
    await store.close();
    assert.equal((await last).revision, 1);
    assert.throws(
      () => create("b"),
      (fault) => Fault.is(fault, "io.closed"),
    );
  });
});

describe("listing", () => {
  test("goes in etcd's order of namespace/name", async () => {
    const { store, create, names } = await bench();
    for (const path of ["b/x", "a/b", "a-b/a", "a/B", "a/a", "ab/a", "a.b/a"]) await create(path);
    assert.deepEqual(names(), ["a-b/a", "a.b/a", "a/B", "a/a", "a/b", "ab/a", "b/x"]);
    assert.deepEqual(names({ namespace: "a" }), ["a/B", "a/a", "a/b"]);
    assert.deepEqual(names({ namespace: "none" }), []);
    const after = { namespace: "a", name: "b" };
    assert.deepEqual(store.list({ resource: RESOURCE, namespace: "b", after }).entries.map(pathOf), ["b/x"]);
    assert.deepEqual(store.list({ resource: RESOURCE, namespace: "a-b", after }).entries, []);
  });

  test("pages tell what remains, and skipped entries do not count against the limit", async () => {
    const { store, create } = await bench();
    for (const [index, name] of "abcdefgh".split("").entries()) await create(name, { labels: { odd: String(index % 2) } });
    const page = store.list({ resource: RESOURCE, limit: 3 });
    assert.deepEqual([page.entries.map(pathOf), page.next, page.remaining], [["a", "b", "c"], { namespace: "", name: "c" }, 5]);
    const odd = store.list({ resource: RESOURCE, limit: 2, after: page.next!, match: (entry) => entry.labels["odd"] === "1" });
    assert.deepEqual([odd.entries.map(pathOf), odd.next, odd.remaining], [["d", "f"], { namespace: "", name: "f" }, 2]);
    const rest = store.list({ resource: RESOURCE, limit: 2, after: odd.next! });
    assert.deepEqual([rest.entries.map(pathOf), rest.next, rest.remaining], [["g", "h"], undefined, 0]);
  });

  test("a continued list sees the revision it began with", async () => {
    const { store, create, change, remove, names } = await bench();
    for (const name of ["b", "d", "f"]) await create(name);
    const { next, revision } = store.list({ resource: RESOURCE, limit: 1 });
    await create("a");
    await create("c");
    await change("d");
    await remove("f");
    await create("e");
    await remove("e");
    const rest = store.list({ resource: RESOURCE, limit: 1, after: next!, at: revision });
    assert.deepEqual(
      [rest.entries.map((entry) => [entry.name, entry.revision]), rest.remaining, rest.revision],
      [[["d", 2]], 1, 3],
    );
    assert.deepEqual(names({ at: 0 }), []);
    assert.deepEqual(names({ at: 5 }), ["a", "b", "c", "d", "f"]);
    assert.deepEqual(names({ at: 8 }), ["a", "b", "c", "d", "e"]);
    assert.deepEqual(names(), ["a", "b", "c", "d"]);
  });

  test("refuses revisions that are not there", async () => {
    const { store, create, change } = await bench({ historyEvents: 2 });
    await create("a");
    for (let i = 0; i < 4; i++) await change("a");
    assert.equal(store.compacted, 3);
    assert.throws(
      () => store.list({ resource: RESOURCE, at: 2 }),
      (fault) => Fault.is(fault, "store.compacted"),
    );
    assert.equal(store.list({ resource: RESOURCE, at: 3 }).entries[0]!.revision, 3);
    assert.throws(
      () => store.list({ resource: RESOURCE, at: 6 }),
      (fault) => Fault.is(fault, "store.future"),
    );
  });

  test("counts and names resources that hold something", async () => {
    const { store, create, remove } = await bench();
    await create("a");
    assert.deepEqual([store.count(RESOURCE), store.count("/secrets"), [...store.resources()]], [1, 0, [RESOURCE]]);
    await remove("a");
    assert.deepEqual([store.count(RESOURCE), [...store.resources()]], [0, []]);
  });
});

describe("events", () => {
  test("reach subscribers in revision order, when the store shows them", async () => {
    const { store, create, change, remove } = await bench();
    const seen: string[] = [];
    const note = (event: StoreEvent): void => {
      assert.equal(store.revision, event.revision);
      seen.push(`${event.type} ${event.entry.name} ${event.previous?.revision ?? "-"}→${event.revision}`);
    };
    const end = store.subscribe(RESOURCE, note);
    const other = store.subscribe("/secrets", () => assert.fail("not subscribed to this"));
    await Promise.all([create("a"), create("b"), change("a"), remove("b"), create("b")]);
    assert.deepEqual(seen, ["ADDED a -→1", "ADDED b -→2", "MODIFIED a 1→3", "DELETED b 2→4", "ADDED b -→5"]);
    end();
    other();
    await create("c");
    assert.equal(seen.length, 5);
  });

  test("a subscriber may subscribe, unsubscribe and write while it is told", async () => {
    const { store, create } = await bench();
    const seen: string[] = [];
    const ends: (() => void)[] = [];
    ends.push(
      store.subscribe(undefined, (event) => {
        seen.push(`one ${event.revision}`);
        if (event.revision !== 1) return;
        ends[1]!();
        store.subscribe(undefined, (later) => seen.push(`three ${later.revision}`));
        void create("b");
      }),
      store.subscribe(undefined, (event) => seen.push(`two ${event.revision}`)),
    );
    await create("a");
    await store.settled();
    assert.deepEqual(seen, ["one 1", "one 2", "three 2"]);
  });

  test("can be had again since a revision, also after a restart", async () => {
    const first = await bench();
    await first.create("a");
    await first.change("a");
    await first.remove("a");
    await first.create("a");
    const told = (store: Store): string[] =>
      [...store.since(1, RESOURCE)].map(
        (event) => `${event.type} ${event.revision} ${event.previous?.revision ?? "-"} ${event.entry.bytes.toString()}`,
      );
    const before = told(first.store);
    assert.equal(before.length, 3);
    const second = await bench({}, first.journal.crash());
    assert.deepEqual(told(second.store), before);
    assert.equal(second.store.revision, 4);
    assert.equal(second.store.byUid("uid-a"), second.store.get(keyOf("a")));
  });

  test("a reader that history overtakes is told so", async () => {
    const { store, create, change } = await bench({ historyEvents: 3 });
    await create("a");
    await change("a");
    const reader = store.since(0, RESOURCE)[Symbol.iterator]();
    assert.equal((reader.next().value as StoreEvent).revision, 1);
    for (let i = 0; i < 5; i++) await change("a");
    assert.throws(
      () => reader.next(),
      (fault) => Fault.is(fault, "store.compacted"),
    );
    assert.throws(
      () => store.since(1, RESOURCE),
      (fault) => Fault.is(fault, "store.compacted"),
    );
  });

  test("old ones are forgotten by bytes and by age, in memory and in the journal", async () => {
    const { store, clock, create, change, journal } = await bench({ historyBytes: 10_000, historyAge: 1000 });
    await create("old");
    await create("a");
    for (let i = 0; i < 30; i++) await change("a");
    assert.ok(store.compacted > 1 && store.compacted < 32);
    await clock.advance(200);
    const reopened = await bench({}, journal.crash());
    assert.equal(reopened.store.compacted, store.compacted);
    assert.deepEqual(reopened.names(), ["a", "old"]);

    for (const name of ["b", "c", "d"]) await reopened.create(name);
    const again = await bench({ historyEvents: reopened.store.revision - store.compacted + 1 }, reopened.journal.crash());
    assert.equal(again.store.compacted, store.compacted, "an object older than history is no event");

    const aged = await bench({ historyAge: 1000 });
    await aged.create("a");
    for (let i = 0; i < 1500; i++) await aged.change("a");
    await aged.clock.advance(1500);
    assert.equal(aged.store.compacted, 501, "all but the newest thousand");
    await aged.store.close();
    assert.equal(aged.clock.pending, 0);
  });
});
