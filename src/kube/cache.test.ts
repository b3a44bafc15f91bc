import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "#std/fault.ts";
import type { KubeObject } from "#schema/meta.ts";
import { silent } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { Cache, type Change } from "./cache.ts";
import type { ListOptions, ResourceClient, WatchEvent, WatchOptions } from "./client.ts";
import { kindRef } from "./kind.ts";
import { statusFault } from "./status.ts";

interface Thing extends KubeObject {
  spec: { color: string };
}
const Thing = kindRef<Thing>({ group: "example.org", version: "v1", kind: "Thing", plural: "things", scope: "Cluster" });

/** A server of one kind that remembers its history, can lose it, and can break connections. */
class ModelServer {
  revision = 10;
  readonly objects = new Map<string, Thing>();
  history: { revision: number; event: WatchEvent<Thing> }[] = [];
  lists = 0;
  watches = 0;
  /** What the next request is refused with. */
  refusal: Fault | undefined;
  #compacted = 0;
  #wake: (() => void)[] = [];
  #cut: Fault | "end" | undefined;

  write(name: string, color: string): string {
    const uid = this.objects.get(name)?.metadata.uid ?? `u${this.revision}`;
    return this.#record(this.objects.has(name) ? "MODIFIED" : "ADDED", name, uid, color);
  }
  remove(name: string): void {
    const old = this.objects.get(name);
    if (old !== undefined) this.#record("DELETED", name, old.metadata.uid!, old.spec.color);
  }
  bookmark(): void {
    this.history.push({ revision: this.revision, event: { type: "BOOKMARK", resourceVersion: String(this.revision) } });
    this.#go();
  }
  /** Breaks all watches, with a fault or in good order. */
  cut(how: Fault | "end"): void {
    this.#cut = how;
    this.#go();
    this.#cut = undefined;
  }
  compact(): void {
    this.#compacted = this.revision;
    this.history = [];
  }

  readonly resource = {
    kind: Thing,
    listAll: async (_options?: ListOptions) => {
      this.lists++;
      await Promise.resolve();
      this.#refuse();
      const items = structuredClone([...this.objects.values()]);
      return { apiVersion: "v1", kind: "List", metadata: { resourceVersion: String(this.revision) }, items };
    },
    watch: (options?: WatchOptions) => this.#watch(options!),
  } as unknown as ResourceClient<Thing>;

  async *#watch({ resourceVersion, signal, onOpen }: WatchOptions): AsyncGenerator<WatchEvent<Thing>> {
    this.watches++;
    this.#refuse();
    let at = Number(resourceVersion);
    if (at >= this.#compacted) onOpen?.();
    for (;;) {
      if (at < this.#compacted) throw statusFault("Expired", "too old resource version");
      for (const { revision, event } of this.history.filter(
        (each) => each.revision > at || (each.event.type === "BOOKMARK" && each.revision === at),
      )) {
        at = Math.max(at, revision);
        yield structuredClone(event);
      }
      this.history = this.history.filter((each) => each.event.type !== "BOOKMARK");
      const how = await new Promise<Fault | "end" | undefined>((resolve) => {
        this.#wake.push(() => resolve(this.#cut));
        signal!.addEventListener("abort", () => resolve("end"), { once: true });
      });
      if (how === "end") return;
      if (how !== undefined) throw how;
    }
  }

  #record(type: "ADDED" | "MODIFIED" | "DELETED", name: string, uid: string, color: string): string {
    const resourceVersion = String(++this.revision);
    const object: Thing = {
      apiVersion: "example.org/v1",
      kind: "Thing",
      metadata: { name, uid, resourceVersion },
      spec: { color },
    };
    if (type === "DELETED") this.objects.delete(name);
    else this.objects.set(name, object);
    this.history.push({ revision: this.revision, event: { type, object } });
    this.#go();
    return resourceVersion;
  }
  #refuse(): void {
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal !== undefined) throw refusal;
  }
  #go(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const each of wake) each();
  }
}

const BROKEN = new Fault("io.unreachable", "connection reset", { fault: "world", retry: "soon" });

function fixture() {
  const server = new ModelServer();
  const clock = new VirtualClock();
  const cache = new Cache({ resource: server.resource, clock, entropy: new SeededEntropy(3), log: silent });
  const changes: Change<Thing>[] = [];
  cache.onChange((change) => changes.push(change));
  const stop = new AbortController();
  const running = cache.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
    assert.equal(clock.pending, 0);
  };
  const log = (): string[] => changes.splice(0).map(({ type, key, object }) => `${type} ${key} ${object.spec.color}`);
  return { server, clock, cache, changes, log, end };
}

test("the first list, then changes as they happen", async () => {
  const { server, clock, cache, changes, end } = fixture();
  server.write("a", "red");
  await clock.advance(0);
  assert.deepEqual(
    changes.map(({ type, isInitial }) => [type, isInitial]),
    [["add", true]],
  );
  server.write("a", "blue");
  server.write("b", "red");
  server.remove("a");
  await clock.advance(0);
  assert.deepEqual(
    changes.slice(1).map(({ type, key, isInitial, old }) => [type, key, isInitial, old?.spec.color]),
    [
      ["update", "a", false, "red"],
      ["add", "b", false, undefined],
      ["delete", "a", false, undefined],
    ],
  );
  assert.deepEqual(
    [...cache.values()].map((each) => each.metadata.name),
    ["b"],
  );
  await end();
});

test("objects are frozen through and through", async () => {
  const { server, clock, cache, end } = fixture();
  server.write("a", "red");
  await clock.advance(0);
  assert.throws(() => (cache.get("a")!.spec.color = "blue"), TypeError);
  await end();
});

test("a broken watch resumes where it was; one that ended too", async () => {
  const { server, clock, cache, log, end } = fixture();
  await clock.advance(0);
  for (const how of [BROKEN, "end"] as const) {
    server.cut(how);
    server.write("a", "red");
    server.remove("a");
    await clock.advance(2000);
    assert.deepEqual(log(), ["add a red", "delete a red"]);
    assert.equal(cache.problem, undefined);
  }
  assert.equal(server.lists, 1);
  await end();
});

test("when history is gone, a list finds out what was added, changed and deleted meanwhile", async () => {
  const { server, clock, log, end } = fixture();
  for (const name of ["stays", "changes", "goes", "is reborn"]) server.write(name, "red");
  await clock.advance(0);
  log();
  server.cut(BROKEN);
  server.write("changes", "blue");
  server.remove("goes");
  server.remove("is reborn");
  server.write("is reborn", "green");
  server.write("new", "red");
  server.compact();
  await clock.advance(5000);
  assert.deepEqual(log(), [
    "delete goes red",
    "delete is reborn red",
    "update changes blue",
    "add is reborn green",
    "add new red",
  ]);
  assert.equal(server.lists, 2);
  await end();
});

test("a bookmark moves the place to resume from", async () => {
  const { server, clock, cache, end } = fixture();
  await clock.advance(0);
  server.revision += 100;
  server.bookmark();
  await clock.advance(0);
  assert.equal(cache.revision, "110");
  server.compact();
  server.cut(BROKEN);
  await clock.advance(5000);
  assert.equal(server.lists, 1);
  await end();
});

test("a kind that is not there yet is waited for, with the reason", async () => {
  const { server, clock, cache, end } = fixture();
  server.refusal = statusFault("NotFound", "the server could not find the requested resource");
  await clock.advance(0);
  assert.equal(cache.isSynced, false);
  assert.equal(cache.problem?.code, "api.not-found");
  server.refusal = statusFault("TooManyRequests", "storage is (re)initializing");
  await clock.advance(1000);
  assert.equal(cache.problem?.message, "storage is (re)initializing");
  await clock.advance(2000);
  assert.equal(cache.isSynced, true);
  assert.equal(cache.problem, undefined);
  await end();
});

test("a server that fails is asked ever more seldom", async () => {
  const { server, clock, end } = fixture();
  await clock.advance(0);
  server.cut(BROKEN);
  for (let i = 0; i < 600; i++) {
    server.refusal = BROKEN;
    await clock.advance(1000);
  }
  assert.ok(server.watches > 20 && server.watches < 60, `${server.watches} watches in ten minutes`);
  await end();
});

test("a server that went back in time is listed anew", async () => {
  const { server, clock, cache, end } = fixture();
  server.write("a", "red");
  await clock.advance(0);
  server.objects.clear();
  server.history = [];
  server.revision = 5;
  server.refusal = statusFault("Timeout", "Too large resource version: 11, current: 5", {
    causes: [{ reason: "ResourceVersionTooLarge" }],
  });
  server.cut("end");
  await clock.advance(3000);
  assert.equal(cache.size, 0);
  assert.equal(cache.revision, "5");
  await end();
});

test("reached: resolves with the write, a later one, a bookmark or a list, and not before", async () => {
  const { server, clock, cache, end } = fixture();
  await clock.advance(0);
  const reached: string[] = [];
  const wait = (version: string): void => void cache.reached(version).then(() => reached.push(version));
  wait("10");
  wait("13");
  wait("12");
  wait("opaque");
  await clock.advance(0);
  assert.deepEqual(reached, ["10", "opaque"]);
  server.write("a", "red");
  await clock.advance(0);
  assert.equal(reached.length, 2);
  server.write("a", "blue");
  await clock.advance(0);
  assert.deepEqual(reached.slice(2), ["12"]);
  server.revision = 20;
  server.bookmark();
  await clock.advance(0);
  assert.deepEqual(reached.slice(3), ["13"]);
  // The write that is waited for is lost with a server restored from an old backup: the list that shows so ends the wait.
  wait("99");
  server.cut(statusFault("Expired", "gone"));
  await clock.advance(3000);
  assert.deepEqual(reached.slice(4), ["99"]);
  await end();
});

test("waiting ends with its signal", async () => {
  const { clock, cache, end } = fixture();
  await clock.advance(0);
  const stop = new AbortController();
  const wait = cache.reached("1000", stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(wait, /enough/);
  await assert.rejects(cache.reached("1000", stop.signal), /enough/);
  await end();
});

test("indexes follow, also those made late", async () => {
  const { server, clock, cache, end } = fixture();
  server.write("a", "red");
  await clock.advance(0);
  const byColor = cache.index((thing) => [thing.spec.color]);
  const names = (color: string): string[] => byColor.get(color).map((each) => each.metadata.name!);
  assert.deepEqual(names("red"), ["a"]);
  server.write("b", "red");
  server.write("a", "blue");
  await clock.advance(0);
  assert.deepEqual([names("red"), names("blue"), names("green")], [["b"], ["a"], []]);
  server.remove("b");
  await clock.advance(0);
  assert.deepEqual(names("red"), []);
  await end();
});

test("a reader that fails harms neither the cache nor other readers", async () => {
  const { server, clock, cache, changes, end } = fixture();
  const stop = cache.onChange(() => assert.fail("a defect"));
  const others: string[] = [];
  cache.onChange(({ key }) => others.push(key));
  server.write("a", "red");
  await clock.advance(0);
  assert.deepEqual([others, changes.length, cache.problem], [["a"], 1, undefined]);
  stop();
  await end();
});

test("property: whatever breaks, the cache ends as the server, and its changes tell how", async () => {
  const name = fc.constantFrom("a", "b", "c");
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("write" as const), name, color: fc.constantFrom("red", "blue") }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("remove" as const), name }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom("cut" as const, "end" as const, "compact" as const, "refuse" as const, "bookmark" as const),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), time: fc.integer({ min: 0, max: 3000 }) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { server, clock, cache, changes, end } = fixture();
      for (const each of steps) {
        if (each.do === "write") server.write(each.name, each.color);
        else if (each.do === "remove") server.remove(each.name);
        else if (each.do === "wait") await clock.advance(each.time);
        else if (each.do === "refuse") server.refusal = BROKEN;
        else if (each.do === "compact") server.compact();
        else if (each.do === "bookmark") server.bookmark();
        else server.cut(each.do === "cut" ? BROKEN : "end");
      }
      await clock.advance(60_000);
      const state = new Map<string, Thing>();
      for (const { type, key, object, old } of changes) {
        assert.equal(state.has(key), type !== "add");
        if (type === "update") assert.equal(old, state.get(key));
        if (type === "delete") state.delete(key);
        else state.set(key, object);
      }
      assert.deepEqual(state, server.objects);
      assert.deepEqual(new Map([...cache.values()].map((each) => [each.metadata.name!, each])), server.objects);
      assert.equal(cache.problem, undefined);
      await end();
    }),
    { numRuns: 60 },
  );
});
