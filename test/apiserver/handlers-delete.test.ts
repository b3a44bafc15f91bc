import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Resources, WIDGETS, aWidget } from "./resources.ts";

const HELD = { finalizers: ["x.y/z"] };

describe("delete", () => {
  it("removes an object and says which it was", async () => {
    const api = await Resources.create();
    const { object } = await api.post(WIDGETS, aWidget("a"));
    const answer = await api.delete(`${WIDGETS}/a`);
    assert.deepEqual(
      [answer.status, answer.object],
      [
        200,
        {
          kind: "Status",
          apiVersion: "v1",
          metadata: {},
          status: "Success",
          details: { name: "a", group: "example.com", kind: "widgets", uid: object.metadata.uid },
        },
      ],
    );
    assert.equal((await api.delete(`${WIDGETS}/a`)).status, 404);
  });

  it("waits for finalizers, takes no new ones, and goes with the last", async () => {
    const api = await Resources.create();
    const stream = await api.watch(WIDGETS);
    await api.post(WIDGETS, aWidget("a", {}, HELD));
    const marked = await api.delete(`${WIDGETS}/a`);
    const { deletionTimestamp, deletionGracePeriodSeconds, generation, resourceVersion } = marked.object.metadata;
    assert.deepEqual(
      [marked.status, deletionTimestamp, deletionGracePeriodSeconds, generation],
      [200, "2030-01-01T00:00:00Z", 0, 2],
    );
    await api.clock.advance(5_000);
    assert.equal((await api.delete(`${WIDGETS}/a`)).object.metadata.resourceVersion, resourceVersion, "once is enough");
    assert.equal((await api.delete(`${WIDGETS}/a?orphanDependents=false`)).status, 202);
    const another = await api.patch(`${WIDGETS}/a`, { metadata: { finalizers: ["x.y/z", "n.e/w"] } });
    assert.match(
      another.object.message,
      /no new finalizers can be added if the object is being deleted, found new finalizers \[\]string\{"n\.e\/w"\}$/,
    );
    const undone = await api.patch(`${WIDGETS}/a`, { metadata: { deletionTimestamp: null }, spec: { size: 2 } });
    assert.equal(undone.object.metadata.deletionTimestamp, deletionTimestamp);
    assert.match((await api.post(WIDGETS, aWidget("a"))).object.message, /^object is being deleted: /);
    assert.equal((await api.patch(`${WIDGETS}/a?dryRun=All`, { metadata: { finalizers: null } })).status, 200);
    assert.equal((await api.get(`${WIDGETS}/a`)).status, 200);
    const last = await api.patch(`${WIDGETS}/a`, { metadata: { finalizers: null } });
    assert.deepEqual([last.status, last.object.metadata.finalizers], [200, undefined]);
    assert.equal((await api.get(`${WIDGETS}/a`)).status, 404);
    assert.deepEqual(stream.log, ["ADDED a@2", "MODIFIED a@3", "MODIFIED a@4", "DELETED a@5"]);
  });

  it("holds a client to the object it means", async () => {
    const api = await Resources.create();
    const { object } = await api.post(WIDGETS, aWidget("a"));
    const uid = await api.delete(`${WIDGETS}/a`, { preconditions: { uid: "x" } });
    assert.equal(
      uid.object.message,
      `Operation cannot be fulfilled on Widget.example.com "a": the UID in the precondition (x) does not match the UID in record (${object.metadata.uid}). ` +
        "The object might have been deleted and then recreated",
    );
    assert.equal((await api.delete(`${WIDGETS}/a`, { preconditions: { resourceVersion: "1" } })).status, 409);
    const both = { uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion };
    assert.equal(
      (await api.delete(`${WIDGETS}/a`, { kind: "DeleteOptions", apiVersion: "v1", preconditions: both })).status,
      200,
    );
  });

  it("records the policy for dependents as a finalizer", async () => {
    const api = await Resources.create();
    for (const [name, options, finalizers] of [
      ["a", { propagationPolicy: "Foreground" }, ["foregroundDeletion"]],
      ["b", { propagationPolicy: "Orphan" }, ["orphan"]],
      ["c", { orphanDependents: true }, ["orphan"]],
    ] as const) {
      await api.post(WIDGETS, aWidget(name));
      assert.deepEqual(
        (await api.delete(`${WIDGETS}/${name}?dryRun=All`, { ...options, dryRun: ["All"] })).object.metadata.finalizers,
        finalizers,
      );
      assert.deepEqual((await api.delete(`${WIDGETS}/${name}`, options)).object.metadata.finalizers, finalizers);
    }
    const changed = await api.delete(`${WIDGETS}/a?propagationPolicy=Background`);
    assert.equal(changed.object["status"], "Success", "a later policy wins");
  });

  it("does nothing in a dry run", async () => {
    const api = await Resources.create();
    await api.post(WIDGETS, aWidget("a"));
    assert.equal((await api.delete(`${WIDGETS}/a?dryRun=All`)).object["status"], "Success");
    assert.equal((await api.get(`${WIDGETS}/a`)).status, 200);
  });

  const refused: [body: unknown, code: number, message: RegExp][] = [
    [
      { propagationPolicy: "Now" },
      422,
      /Unsupported value: "Now": supported values: "Foreground", "Background", "Orphan", "nil"$/,
    ],
    [
      { propagationPolicy: "Orphan", orphanDependents: true },
      422,
      /orphanDependents and deletionPropagation cannot be both set$/,
    ],
    [
      { gracePeriodSeconds: "x" },
      400,
      /cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64$/,
    ],
    [{ dryRun: "All" }, 400, /DeleteOptions.dryRun of type \[\]string$/],
    [{ kind: "Foo", apiVersion: "v1" }, 400, /^no kind "Foo" is registered for version "v1"/],
    ["[]", 400, /^couldn't get version\/kind; json parse error: json: cannot unmarshal array into Go value of type struct/],
    ["{", 400, /^couldn't get version\/kind; json parse error: unexpected end of JSON input$/],
  ];
  for (const [body, code, message] of refused) {
    it(`refuses ${JSON.stringify(body)}`, async () => {
      const api = await Resources.create();
      await api.post(WIDGETS, aWidget("a"));
      const { status, object } = await api.delete(`${WIDGETS}/a`, body);
      assert.equal(status, code);
      assert.match(object.message, message);
    });
  }
});

describe("delete of a collection", () => {
  it("removes what a list would show, and shows it", async () => {
    const api = await Resources.create();
    for (const name of ["a", "b", "c"]) await api.post(WIDGETS, aWidget(name, {}, { labels: { keep: String(name === "b") } }));
    await api.post(WIDGETS, aWidget("d", {}, { ...HELD, labels: { keep: "false" } }));
    assert.equal((await api.delete(`${WIDGETS}?dryRun=All`)).object.items.length, 4);
    const { object } = await api.delete(`${WIDGETS}?labelSelector=keep%3Dfalse`);
    assert.equal(object.kind, "WidgetList");
    const shown = object.items.map((item) => item.metadata.name);
    assert.deepEqual(shown, ["a", "c", "d"]);
    const left = (await api.get(WIDGETS)).object.items;
    assert.deepEqual(
      left.map(({ metadata }) => [metadata.name, metadata.deletionTimestamp !== undefined]),
      [
        ["b", false],
        ["d", true],
      ],
    );
  });
});

describe("namespaces", () => {
  it("are marked, hold until finalized, and take nothing new meanwhile", async () => {
    const api = await Resources.create();
    await api.post("/api/v1/namespaces", { metadata: { name: "n" } });
    const path = "/apis/example.com/v1/namespaces/n/widgets";
    await api.post(path, aWidget("a"));
    const marked = await api.delete("/api/v1/namespaces/n");
    assert.deepEqual([marked.object["status"], marked.object.spec], [{ phase: "Terminating" }, { finalizers: ["kubernetes"] }]);
    const late = await api.post(path, aWidget("b"));
    assert.deepEqual(late.object, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'widgets.example.com "b" is forbidden: unable to create new content in namespace n because it is being terminated',
      reason: "Forbidden",
      details: {
        name: "b",
        group: "example.com",
        kind: "widgets",
        causes: [{ reason: "NamespaceTerminating", message: "namespace n is being terminated", field: "metadata.namespace" }],
      },
      code: 403,
    });
    assert.equal((await api.patch(`${path}/a`, { spec: { size: 2 } })).status, 200, "what is there can still change");
    assert.equal((await api.delete("/api/v1/namespaces")).status, 405);
    const finalized = await api.put("/api/v1/namespaces/n/finalize", { ...marked.object, spec: { finalizers: [] } });
    assert.equal(finalized.status, 200);
    assert.equal((await api.get("/api/v1/namespaces/n")).status, 404);
  });

  it("may not all go", async () => {
    const api = await Resources.create();
    const { object } = await api.delete("/api/v1/namespaces/default");
    assert.equal(object.message, 'namespaces "default" is forbidden: this namespace may not be deleted');
  });
});
