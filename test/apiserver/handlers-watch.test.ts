import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Resources, Stream, WIDGETS, aWidget, widget } from "./resources.ts";

const labelled = (name: string, app: string): object => aWidget(name, { spec: { color: "red" } }, { labels: { app } });

describe("watch", () => {
  it("begins with what is there and goes on with what happens", async () => {
    const api = await Resources.create();
    await api.post(WIDGETS, aWidget("a"));
    const stream = await api.watch(WIDGETS);
    await api.post(WIDGETS, aWidget("b"));
    await api.patch(`${WIDGETS}/a`, { spec: { size: 2 } });
    await api.delete(`${WIDGETS}/b`);
    assert.deepEqual(stream.log, ["ADDED a@2", "ADDED b@3", "MODIFIED a@4", "DELETED b@5"]);
    assert.equal(stream.events[2]!.object.spec.size, 2);
  });

  it("begins after a revision", async () => {
    const api = await Resources.create();
    await api.post(WIDGETS, aWidget("a"));
    await api.post(WIDGETS, aWidget("b"));
    const stream = await api.watch(`${WIDGETS}?resourceVersion=2`);
    await api.post(WIDGETS, aWidget("c"));
    assert.deepEqual(stream.log, ["ADDED b@3", "ADDED c@4"]);
  });

  it("begins in the future when asked to", async () => {
    const api = await Resources.create();
    const stream = await api.watch(`${WIDGETS}?resourceVersion=3`);
    for (const name of ["a", "b", "c"]) await api.post(WIDGETS, aWidget(name));
    assert.deepEqual(stream.log, ["ADDED c@4"]);
  });

  it("marks the end of the first events", async () => {
    const api = await Resources.create();
    await api.post(WIDGETS, aWidget("a"));
    const asked = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    for (const query of [asked, `${asked}&resourceVersion=2`, "allowWatchBookmarks=true"]) {
      const stream = await api.watch(`${WIDGETS}?${query}`);
      assert.deepEqual(stream.log, ["ADDED a@2", "BOOKMARK @2"]);
      assert.deepEqual(stream.events[1]!.object, {
        kind: "Widget",
        apiVersion: "example.com/v1",
        metadata: { resourceVersion: "2", annotations: { "k8s.io/initial-events-end": "true" } },
      });
    }
    const none = await api.watch(`${WIDGETS}?sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`);
    assert.deepEqual(none.log, []);
  });

  it("says when a revision is too old", async () => {
    const api = await Resources.create({ store: { historyEvents: 1000 } });
    await api.post(WIDGETS, aWidget("a"));
    for (let i = 0; i < 1500; i++) await api.patch(`${WIDGETS}/a`, { spec: { any: { i } } });
    const stream = await api.watch(`${WIDGETS}?resourceVersion=2`);
    assert.deepEqual(stream.events.length, 1);
    const { type, object } = stream.events[0]!;
    assert.equal(type, "ERROR");
    assert.equal(object.code, 410);
    assert.equal(object.reason, "Expired");
    assert.match(object.message, /^too old resource version: 2 \(\d+\)$/);
    assert.ok(stream.ended);
  });

  it("tells of objects that start and stop matching", async () => {
    const api = await Resources.create();
    const stream = await api.watch(`${WIDGETS}?labelSelector=app%3Dx`);
    const fields = await api.watch(`${WIDGETS}?fieldSelector=spec.color%3Dred`);
    await api.post(WIDGETS, labelled("a", "y"));
    await api.patch(`${WIDGETS}/a`, { metadata: { labels: { app: "x" } } });
    await api.patch(`${WIDGETS}/a`, { spec: { size: 2 } });
    await api.patch(`${WIDGETS}/a`, { metadata: { labels: { app: "z" } }, spec: { size: 3, color: "blue" } });
    await api.patch(`${WIDGETS}/a`, { spec: { size: 4 } });
    await api.delete(`${WIDGETS}/a`);
    assert.deepEqual(stream.log, ["ADDED a@3", "MODIFIED a@4", "DELETED a@5"]);
    assert.equal(stream.events[2]!.object.spec.size, 2, "the state in which it still matched");
    assert.deepEqual(fields.log, ["ADDED a@2", "MODIFIED a@3", "MODIFIED a@4", "DELETED a@5"]);
  });

  it("keeps to its namespace and name", async () => {
    const api = await Resources.create();
    await api.post("/api/v1/namespaces", { metadata: { name: "other" } });
    const others = "/apis/example.com/v1/namespaces/other/widgets";
    const streams = {
      here: await api.watch(WIDGETS),
      everywhere: await api.watch("/apis/example.com/v1/widgets"),
      named: await api.watch("/apis/example.com/v1/widgets?fieldSelector=metadata.name%3Da"),
      one: await api.watch(`${others}?fieldSelector=metadata.name%3Da`),
      byField: await api.watch("/apis/example.com/v1/widgets?fieldSelector=metadata.namespace%3Dother"),
    };
    for (const path of [WIDGETS, others]) for (const name of ["a", "b"]) await api.post(path, aWidget(name));
    assert.deepEqual(streams.here.log, ["ADDED a@3", "ADDED b@4"]);
    assert.deepEqual(streams.everywhere.log, ["ADDED a@3", "ADDED b@4", "ADDED a@5", "ADDED b@6"]);
    assert.deepEqual(streams.named.log, ["ADDED a@3", "ADDED a@5"]);
    assert.deepEqual(streams.one.log, ["ADDED a@5"]);
    assert.deepEqual(streams.byField.log, ["ADDED a@5", "ADDED b@6"]);
  });

  it("shares one encoding among its watchers", async () => {
    const api = await Resources.create();
    const streams = [
      await api.watch(WIDGETS),
      await api.watch("/apis/example.com/v1/widgets"),
      await api.watch(`${WIDGETS}?labelSelector=!x`),
    ];
    await api.post(WIDGETS, aWidget("a"));
    assert.equal(streams[0]!.buffers[0], streams[1]!.buffers[0]);
    assert.equal(streams[0]!.buffers[0], streams[2]!.buffers[0]);
  });

  it("takes a namespace or name called * for what it is", async () => {
    const api = await Resources.create();
    const streams = [
      await api.watch("/apis/example.com/v1/namespaces/*/widgets"),
      await api.watch("/apis/example.com/v1/widgets?fieldSelector=metadata.name%3D*"),
    ];
    await api.post(WIDGETS, aWidget("a"));
    for (const stream of streams) assert.deepEqual(stream.log, []);
  });

  it("sends bookmarks every minute and shortly before the end", async () => {
    const api = await Resources.create();
    const stream = await api.watch(`${WIDGETS}?resourceVersion=1&allowWatchBookmarks=true&timeoutSeconds=90`);
    const plain = await api.watch(`${WIDGETS}?resourceVersion=1&timeoutSeconds=90`);
    await api.post("/api/v1/namespaces/default/configmaps", { metadata: { name: "c" } });
    await api.clock.advance(60_000);
    assert.deepEqual(stream.log, ["BOOKMARK @2"], "at the newest revision of all resources");
    await api.clock.advance(28_000);
    assert.deepEqual(stream.log, ["BOOKMARK @2", "BOOKMARK @2"]);
    assert.equal(stream.ended, false);
    await api.clock.advance(2_000);
    assert.ok(stream.ended);
    assert.deepEqual([plain.log, plain.ended], [[], true]);
    await api.post(WIDGETS, aWidget("late"));
    assert.equal(stream.events.length, 2);
  });

  it("ends between half an hour and an hour when nobody says when", async () => {
    const api = await Resources.create();
    const stream = await api.watch(WIDGETS);
    await api.clock.advance(30 * 60_000 - 1);
    assert.equal(stream.ended, false);
    await api.clock.advance(30 * 60_000 + 1);
    assert.ok(stream.ended);
  });

  it("forgets clients that go away, and its timers with them", async () => {
    const api = await Resources.create();
    const before = api.clock.pending;
    const stream = await api.watch(`${WIDGETS}?resourceVersion=1&allowWatchBookmarks=true`);
    stream.abort.abort();
    await api.post(WIDGETS, aWidget("a"));
    await api.clock.advance(60_000);
    assert.deepEqual(stream.log, []);
    assert.equal(api.clock.pending, before);
  });

  it("ends when its version is served differently", async () => {
    const api = await Resources.create();
    const stream = await api.watch(WIDGETS);
    api.registry.set({ ...widget });
    assert.equal(stream.ended, false, "the version is the same");
    api.registry.set({ ...widget, versions: [{ ...widget.versions[0]!, columns: [] }] });
    assert.equal(stream.ended, true);
    const again = await api.watch(WIDGETS);
    api.registry.delete("example.com", "widgets");
    assert.ok(again.ended);
  });

  it("renders other representations", async () => {
    const api = await Resources.create();
    const accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    const stream = await api.watch(WIDGETS, new Stream(), { accept });
    await api.post(WIDGETS, aWidget("a", {}, { labels: { x: "y" } }));
    assert.equal(stream.events[0]!.object.kind, "PartialObjectMetadata");
    assert.deepEqual(stream.events[0]!.object.metadata.labels, { x: "y" });
  });
});

describe("a slow watcher", () => {
  it("reads from history what it could not take", async () => {
    const api = await Resources.create();
    const stream = await api.watch(WIDGETS);
    stream.full = true;
    await api.post(WIDGETS, aWidget("a"));
    await api.post(WIDGETS, aWidget("b"));
    await api.patch(`${WIDGETS}/a`, { spec: { size: 2 } });
    assert.deepEqual(stream.log, ["ADDED a@2"], "what was written when it filled up");
    stream.drain();
    assert.deepEqual(stream.log, ["ADDED a@2", "ADDED b@3", "MODIFIED a@4"]);
    await api.delete(`${WIDGETS}/a`);
    assert.deepEqual(stream.log.at(-1), "DELETED a@5");
  });

  it("gets no bookmark while it is behind", async () => {
    const api = await Resources.create();
    const stream = await api.watch(`${WIDGETS}?resourceVersion=1&allowWatchBookmarks=true`);
    stream.full = true;
    await api.post(WIDGETS, aWidget("a"));
    await api.clock.advance(60_000);
    assert.deepEqual(stream.log, ["ADDED a@2"]);
    stream.drain();
    await api.clock.advance(60_000);
    assert.deepEqual(stream.log, ["ADDED a@2", "BOOKMARK @2"]);
  });

  it("is sent away when history has moved on", async () => {
    const api = await Resources.create({ store: { historyEvents: 1000 } });
    const stream = await api.watch(WIDGETS);
    stream.full = true;
    await api.post(WIDGETS, aWidget("a"));
    for (let i = 0; i < 1500; i++) await api.patch(`${WIDGETS}/a`, { spec: { any: { i } } });
    stream.drain();
    assert.deepEqual(stream.log, ["ADDED a@2", "ERROR @410"]);
    assert.ok(stream.ended);
  });

  it("takes a long beginning page by page, all of one revision", async () => {
    const api = await Resources.create();
    for (let i = 0; i < 1200; i++) await api.post(WIDGETS, aWidget(`w${String(i).padStart(4, "0")}`));
    const stream = new Stream();
    stream.full = true;
    await api.watch(`${WIDGETS}?allowWatchBookmarks=true`, stream);
    assert.equal(stream.events.length, 1);
    await api.delete(`${WIDGETS}/w1100`);
    await api.patch(`${WIDGETS}/w0001`, { spec: { size: 2 } });
    for (let i = 0; i < 3; i++) {
      stream.refill(100 * (i + 1));
      stream.drain();
    }
    assert.ok(stream.events.length < 1200);
    stream.drain();
    const [added, rest] = [stream.log.slice(0, 1200), stream.log.slice(1200)];
    assert.ok(added.every((line) => line.startsWith("ADDED")));
    assert.equal(added[1100], "ADDED w1100@1102");
    assert.deepEqual(rest, ["BOOKMARK @1201", "DELETED w1100@1202", "MODIFIED w0001@1203"]);
  });

  it("sees what any other sees, whatever it can take", async () => {
    const step = fc.record({
      name: fc.constantFrom("a", "b", "c"),
      act: fc.constantFrom("create", "red", "blue", "delete"),
      full: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const api = await Resources.create();
        const query = `${WIDGETS}?fieldSelector=spec.color%3Dred`;
        const [fast, slow] = [await api.watch(query), await api.watch(query)];
        for (const { name, act, full } of steps) {
          if (act === "create") await api.post(WIDGETS, aWidget(name, { spec: { color: "red" } }));
          else if (act === "delete") await api.delete(`${WIDGETS}/${name}`);
          else await api.patch(`${WIDGETS}/${name}`, { spec: { color: act } });
          if (full) slow.full = true;
          else slow.drain();
        }
        slow.drain();
        assert.deepEqual(slow.log, fast.log);
      }),
      { numRuns: 60 },
    );
  });
});
