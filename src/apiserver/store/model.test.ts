/**
 * Random writers, readers, failing disks and crashes against a naive model: every state the store ever was in, as whole copies.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { VirtualClock } from "#io/memory/clock.ts";
import type { JournalFaults } from "#io/memory/journal.ts";
import { MemoryJournal } from "#io/memory/journal.ts";
import { Fault } from "#std/fault.ts";
import { createStore } from "./mvcc.ts";
import type { Entry, Key, Store, StoreEvent } from "./store.ts";

const RESOURCES = ["/secrets", "metal.sidero.dev/servers"];
const LIMITS = { historyEvents: 25, historyAge: 2000 };

type Step =
  | { do: "write" | "remove"; resource: number; name: number; stale: boolean }
  | { do: "pass"; milliseconds: number }
  | { do: "settle" }
  | { do: "crash" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom("write" as const, "write" as const, "remove" as const),
      resource: fc.nat({ max: 1 }),
      name: fc.nat({ max: 4 }),
      stale: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pass" as const), milliseconds: fc.nat({ max: 60 }) }) },
  { weight: 2, arbitrary: fc.constant({ do: "settle" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "crash" as const }) },
);

/** What is visible: object texts by `resource name`. */
type State = ReadonlyMap<string, string>;

/** A write; its place in the model's list is its object's `spec.id`. */
interface Written {
  readonly key: Key;
  readonly removes: boolean;
  outcome: "pending" | "acknowledged" | "failed";
  revision: number;
}

class Model {
  /** The state at every revision that was visible; a revision that was skipped has none. */
  readonly states = new Map<number, State>([[0, new Map()]]);
  readonly writes: Written[] = [];
  newest = 0;

  /** An event must be the doing of exactly one write, at a revision that was never used. */
  onEvent(event: StoreEvent): void {
    assert.ok(event.revision > this.newest, `revision ${event.revision} after ${this.newest}`);
    const state = new Map(this.states.get(this.newest));
    const place = placeOf(event.entry);
    assert.equal(state.get(place), event.previous?.bytes.toString(), "an event's previous state is the state before it");
    const { resourceVersion } = event.entry.object().metadata;
    assert.equal(resourceVersion, String(event.revision));
    const write = this.writes[idOf(event.entry)]!;
    assert.equal(write.revision, 0, "a write has one event");
    assert.equal(write.removes, event.type === "DELETED");
    assert.equal(event.type === "ADDED", !state.has(place));
    assert.equal(placeOf(write.key), place);
    write.revision = event.revision;
    if (event.type === "DELETED") state.delete(place);
    else state.set(place, event.entry.bytes.toString());
    this.states.set(event.revision, state);
    this.newest = event.revision;
  }

  at(revision: number): State {
    let at = revision;
    while (!this.states.has(at)) at--;
    return this.states.get(at)!;
  }
}

function placeOf(key: Key): string {
  return `${key.resource} ${key.name}`;
}

function idOf(entry: Entry): number {
  return (entry.object() as unknown as { spec: { id: number } }).spec.id;
}

function listed(store: Store, resource: string, at?: number): State {
  const { entries } = store.list({ resource, ...(at === undefined ? {} : { at }) });
  assert.deepEqual(
    entries.map((entry) => entry.name),
    entries.map((entry) => entry.name).sort(),
  );
  return new Map(entries.map((entry) => [placeOf(entry), entry.bytes.toString()]));
}

function only(state: State, resource: string): State {
  return new Map([...state].filter(([place]) => place.startsWith(`${resource} `)));
}

function checkReads(store: Store, model: Model): void {
  assert.equal(store.revision, model.newest);
  for (const resource of RESOURCES) {
    assert.deepEqual(listed(store, resource), only(model.at(model.newest), resource), "the present");
    for (let at = store.compacted; at <= store.revision; at++) {
      const then = listed(store, resource, at);
      assert.deepEqual(then, only(model.at(at), resource), `the state at ${at}`);
      const replayed = new Map(then);
      for (const { type, entry } of store.since(at, resource)) {
        if (type === "DELETED") replayed.delete(placeOf(entry));
        else replayed.set(placeOf(entry), entry.bytes.toString());
      }
      assert.deepEqual(replayed, listed(store, resource), `the events since ${at} lead to the present`);
    }
  }
}

class Run {
  readonly clock = new VirtualClock();
  readonly model = new Model();
  journal: MemoryJournal;
  store!: Store;

  constructor(seed: number) {
    const faults: JournalFaults = { seed, fail: 0.1, unknown: 0.1, delay: { clock: this.clock, milliseconds: 20 } };
    this.journal = new MemoryJournal(faults);
  }

  async open(): Promise<void> {
    this.store = await createStore({ journal: this.journal, clock: this.clock, ...LIMITS });
    // What was not acknowledged may have survived the crash or not; what was acknowledged must be there already.
    const history = RESOURCES.flatMap((resource) => [...this.store.since(this.store.compacted, resource)]);
    for (const event of history.sort(byRevision)) {
      if (event.revision > this.model.newest) this.model.onEvent(event);
    }
    this.store.subscribe(undefined, (event) => this.model.onEvent(event));
  }

  async take(action: Step): Promise<void> {
    if (action.do === "pass") await this.clock.advance(action.milliseconds);
    else if (action.do === "settle") await this.settle();
    else if (action.do === "crash") await this.crash();
    else this.write(action);
  }

  write({ do: verb, resource, name, stale }: Step & { do: "write" | "remove" }): void {
    const { store, model } = this;
    const key: Key = { resource: RESOURCES[resource]!, namespace: "", name: `n${name}` };
    const head = store.head(key);
    const removes = verb === "remove" && head !== undefined;
    const visible = store.get(key);
    const expected = stale ? visible : head;
    const object = {
      apiVersion: "v1",
      kind: "X",
      metadata: { name: key.name, uid: `${key.name}` },
      spec: { id: model.writes.length },
    };
    const attempt = (): Promise<Entry> =>
      removes && expected !== undefined ? store.remove(key, expected, object) : store.write(key, expected, object);
    if (expected !== head) {
      assert.throws(attempt, (fault) => Fault.is(fault, "store.moved"));
      return;
    }
    const write: Written = { key, removes, outcome: "pending", revision: 0 };
    model.writes.push(write);
    attempt().then(
      (entry) => {
        write.outcome = "acknowledged";
        assert.equal(write.revision, entry.revision, "visible before it is acknowledged");
      },
      (fault) => {
        assert.ok(Fault.is(fault, "io.failed"));
        write.outcome = "failed";
        assert.equal(write.revision, 0, "what has failed was never visible");
      },
    );
    assert.equal(store.head(key) === undefined, removes);
  }

  async settle(): Promise<void> {
    let done = false;
    void this.store.settled().then(() => (done = true));
    for (let i = 0; !done && i < 1000; i++) await this.clock.advance(20);
    assert.ok(done, "every write has an outcome");
    assert.ok(this.model.writes.every((write) => write.outcome !== "pending"));
    for (const resource of RESOURCES) {
      for (let name = 0; name < 5; name++) {
        const key = { resource, namespace: "", name: `n${name}` };
        assert.equal(this.store.head(key), this.store.get(key));
      }
    }
    checkReads(this.store, this.model);
  }

  async crash(): Promise<void> {
    const lost = new Set(this.model.writes.filter((write) => write.outcome === "pending"));
    this.journal = this.journal.crash();
    await this.open();
    // Their callers will never know.
    for (const write of lost) write.outcome = "failed";
    for (const write of this.model.writes) {
      if (write.outcome === "acknowledged") assert.ok(this.store.revision >= write.revision, "no acknowledged write is lost");
    }
    checkReads(this.store, this.model);
  }
}

function byRevision(a: StoreEvent, b: StoreEvent): number {
  return a.revision - b.revision;
}

test("the store does what the model does, whatever fails", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(step, { minLength: 10, maxLength: 80 }), async (seed, steps) => {
      const run = new Run(seed);
      await run.open();
      for (const action of steps) await run.take(action);
      await run.settle();
    }),
    { numRuns: Number(process.env["ROUNDS"] ?? 60) },
  );
});
