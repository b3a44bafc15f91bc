import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AdmissionPlugin } from "#apiserver/admission/admission.ts";
import { MemoryJournal } from "#io/memory/journal.ts";
import { Resources, WIDGETS, aWidget, gear } from "./resources.ts";
import type { Answer } from "./resources.ts";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const MODIFIED = "the object has been modified; please apply your changes to the latest version and try again";

/** Code, reason and message: what clients decide by. */
function said({ status, object }: Answer): [number, string, string] {
  return [status, object.reason, object.message];
}

const revisionOf = ({ object }: Answer): string => object.metadata.resourceVersion!;

describe("create", () => {
  it("fills in what only the server knows", async () => {
    const api = await Resources.create();
    const claims = {
      uid: "x",
      generation: 9,
      creationTimestamp: "2020-01-01T00:00:00Z",
      deletionTimestamp: "2020-01-01T00:00:00Z",
      selfLink: "x",
    };
    const { status, object } = await api.post(WIDGETS, aWidget("a", { status: { phase: "x" } }, claims));
    const { uid, ...meta } = object.metadata;
    assert.equal(status, 201);
    assert.match(uid!, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual(meta, {
      name: "a",
      namespace: "default",
      generation: 1,
      creationTimestamp: "2030-01-01T00:00:00Z",
      resourceVersion: "2",
    });
    assert.deepEqual(object.spec, { size: 1 }, "defaulted");
    assert.equal("status" in object, false, "the status is the status subresource's");
    assert.deepEqual((await api.get(`${WIDGETS}/a`)).object, object);
  });

  it("makes names from a prefix, and another when one is taken", async () => {
    const api = await Resources.create();
    const names = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const { status, object } = await api.post(WIDGETS, { ...aWidget(""), metadata: { generateName: `${"p".repeat(80)}-` } });
      assert.equal(status, 201);
      names.add(object.metadata.name!);
    }
    assert.equal(names.size, 30);
    for (const name of names) assert.match(name, /^p{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  it("drops owners that are there twice, however many there are", async () => {
    const api = await Resources.create();
    const owner = (name: string): object => ({ apiVersion: "v1", kind: "ConfigMap", name, uid: "same" });
    const owners = Array.from({ length: 20_000 }, (_, i) => owner(`o${i}`));
    const ownerReferences = [...owners, { ...owner("o7"), controller: true }, owner("o7")];
    const start = performance.now();
    const { object, warnings } = await api.post(WIDGETS, aWidget("a", {}, { ownerReferences }));
    assert.ok(performance.now() - start < 30_000, "each is not compared with each");
    assert.deepEqual(object.metadata.ownerReferences, ownerReferences.slice(0, -1));
    assert.match(warnings.join(), /duplicate UID\(s\) observed: same$/);
  });

  it("takes unknown and repeated fields as the client wants them taken", async () => {
    const api = await Resources.create();
    const body = (name: string): string =>
      `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"${name}","x":1},"spec":{"size":1,"size":2,"y":{}}}`;
    const complaints = ['duplicate field "spec.size"', 'unknown field "metadata.x"', 'unknown field "spec.y"'];
    const warned = await api.post(WIDGETS, body("a"));
    assert.deepEqual(warned.warnings, complaints);
    assert.deepEqual(warned.object.spec, { size: 2 });
    assert.deepEqual((await api.post(`${WIDGETS}?fieldValidation=Ignore`, body("b"))).warnings, []);
    const message = `Widget in version "v1" cannot be handled as a Widget: strict decoding error: ${complaints.join(", ")}`;
    assert.deepEqual(said(await api.post(`${WIDGETS}?fieldValidation=Strict`, body("c"))), [400, "BadRequest", message]);
  });

  it("stores nothing in a dry run", async () => {
    const api = await Resources.create();
    const { status, object } = await api.post(`${WIDGETS}?dryRun=All`, aWidget("a"));
    assert.equal(status, 201);
    assert.equal(object.metadata.resourceVersion, undefined);
    assert.equal(object.spec.size, 1);
    assert.equal((await api.get(`${WIDGETS}/a`)).status, 404);
    await api.post(WIDGETS, aWidget("a"));
    assert.equal((await api.post(`${WIDGETS}?dryRun=All`, aWidget("a"))).status, 409);
  });

  const refused: [name: string, path: string, body: unknown, answer: [number, string | undefined, string]][] = [
    [
      "an object of another namespace",
      WIDGETS,
      aWidget("a", {}, { namespace: "b" }),
      [400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request"],
    ],
    [
      "a namespace that is not there",
      "/apis/example.com/v1/namespaces/nope/widgets",
      aWidget("a"),
      [404, "NotFound", 'namespaces "nope" not found'],
    ],
    [
      "an object with a revision",
      WIDGETS,
      aWidget("a", {}, { resourceVersion: "5" }),
      [500, undefined, "resourceVersion should not be set on objects to be created"],
    ],
    [
      "an object without a kind",
      WIDGETS,
      "{}",
      [400, "BadRequest", "the object provided is unrecognized (must be of type Widget): Object 'Kind' is missing in '{}' ({})"],
    ],
    [
      "another kind",
      WIDGETS,
      { ...aWidget("a"), kind: "Wodget" },
      [422, "Invalid", 'Wodget.example.com "a" is invalid: kind: Invalid value: "Wodget": must be Widget'],
    ],
    [
      "another version",
      WIDGETS,
      { ...aWidget("a"), apiVersion: "example.com/v2" },
      [
        400,
        "BadRequest",
        "the API version in the data (example.com/v2) does not match the expected API version (example.com/v1)",
      ],
    ],
    [
      "metadata of the wrong type",
      WIDGETS,
      aWidget("a", {}, { labels: { a: 5 } }),
      [
        400,
        "BadRequest",
        'Widget in version "v1" cannot be handled as a Widget: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
      ],
    ],
    [
      "no name",
      WIDGETS,
      { ...aWidget(""), metadata: {} },
      [422, "Invalid", 'Widget.example.com "" is invalid: metadata.name: Required value: name or generateName is required'],
    ],
    [
      "what the schema forbids",
      WIDGETS,
      aWidget("a", { spec: { size: 101 } }),
      [
        422,
        "Invalid",
        'Widget.example.com "a" is invalid: spec.size: Invalid value: 101: spec.size in body should be less than or equal to 100',
      ],
    ],
    [
      "scale fields out of range",
      WIDGETS,
      aWidget("a", { spec: { replicas: -1 } }),
      [422, "Invalid", 'Widget.example.com "a" is invalid: .spec.replicas: Invalid value: -1: should be a non-negative integer'],
    ],
    [
      "an unknown option",
      `${WIDGETS}?dryRun=Some`,
      aWidget("a"),
      [422, "Invalid", 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"'],
    ],
  ];
  for (const [name, path, body, answer] of refused) {
    it(`refuses ${name}`, async () => {
      const api = await Resources.create();
      assert.deepEqual(said(await api.post(path, body)), answer);
    });
  }

  it("refuses bodies it cannot read", async () => {
    const api = await Resources.create();
    const accepted = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
    for (const type of ["text/plain", "application/vnd.kubernetes.protobuf"]) {
      const answer = await api.request("POST", WIDGETS, "k8s\0", { "content-type": type });
      const message = `the body of the request was in an unknown format - accepted media types include: ${accepted}`;
      assert.deepEqual(said(answer), [415, "UnsupportedMediaType", message]);
    }
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
      .split("")
      .map((c, i) => `${c}: &${c} [${`*${"abcdefgh"[i]},`.repeat(9)}]`)
      .join("\n")}`;
    const deep = "[".repeat(5_000) + "]".repeat(5_000);
    for (const [body, type] of [
      [bomb, "application/yaml"],
      [deep, "application/yaml"],
      [deep, "application/json"],
      ["{", "application/json"],
    ] as const) {
      const start = performance.now();
      assert.equal((await api.request("POST", WIDGETS, body, { "content-type": type })).status, 400);
      assert.ok(performance.now() - start < 15_000);
    }
  });

  it("reads YAML as Go does", async () => {
    const api = await Resources.create();
    const body =
      "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {any: {a: yes, b: 0644, c: 2020-01-01, d: ~, e: '1'}, size: 1, size: 2}";
    const { object, warnings } = await api.request("POST", WIDGETS, body, { "content-type": "application/yaml" });
    assert.deepEqual(object.spec, { any: { a: true, b: 420, c: "2020-01-01", d: null, e: "1" }, size: 2 });
    assert.deepEqual(warnings, ['line 4: key "size" already set in map']);
  });

  it("warns of finalizers that others may use too", async () => {
    const api = await Resources.create();
    const { warnings } = await api.post(WIDGETS, aWidget("a", {}, { finalizers: ["foo", "x.y/z", "orphan", "a.b"] }));
    const prefer = (finalizer: string, more: string): string =>
      `metadata.finalizers: "${finalizer}": prefer a domain-qualified finalizer name${more} to avoid accidental conflicts with other finalizer writers`;
    assert.deepEqual(warnings, [prefer("a.b", " including a path (/)"), prefer("foo", "")]);
  });
});

describe("update", () => {
  it("counts generations for changes outside metadata and status", async () => {
    const api = await Resources.create();
    const created = await api.post(WIDGETS, aWidget("a"));
    const put = (object: object): Promise<Answer> => api.put(`${WIDGETS}/a`, object);
    const labelled = await put({ ...created.object, metadata: { ...created.object.metadata, labels: { a: "b" } } });
    assert.equal(labelled.object.metadata.generation, 1);
    const status = await put({ ...labelled.object, status: { phase: "ignored" } });
    assert.equal("status" in status.object, false);
    assert.equal(revisionOf(status), revisionOf(labelled), "nothing changed, nothing is written");
    const changed = await put({ ...labelled.object, spec: { size: 3 } });
    assert.equal(changed.object.metadata.generation, 2);
  });

  it("knows stale and missing revisions", async () => {
    const api = await Resources.create();
    await api.post(WIDGETS, aWidget("a"));
    const path = `${WIDGETS}/a`;
    assert.deepEqual(said(await api.put(path, aWidget("a"))), [
      422,
      "Invalid",
      'widgets.example.com "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    ]);
    assert.deepEqual(said(await api.put(path, aWidget("a", {}, { resourceVersion: "1" }))), [
      409,
      "Conflict",
      `Operation cannot be fulfilled on widgets.example.com "a": ${MODIFIED}`,
    ]);
    await api.post(CONFIG_MAPS, { metadata: { name: "c" } });
    assert.equal(
      (await api.put(`${CONFIG_MAPS}/c`, { metadata: { name: "c" }, data: { a: "b" } })).status,
      200,
      "built-in kinds may leave it out",
    );
  });

  it("cannot change who and when an object is", async () => {
    const api = await Resources.create();
    const { object } = await api.post(WIDGETS, aWidget("a"));
    const claims = { creationTimestamp: "2020-01-01T00:00:00Z", generation: 50, selfLink: "x" };
    const kept = await api.put(`${WIDGETS}/a`, { ...object, metadata: { ...object.metadata, ...claims } });
    assert.deepEqual(kept.object, object);
    const uid = await api.put(`${WIDGETS}/a`, { ...object, metadata: { ...object.metadata, uid: "x" } });
    assert.equal(uid.status, 409);
    const going = await api.put(`${WIDGETS}/a`, {
      ...object,
      metadata: { ...object.metadata, deletionTimestamp: "2030-01-01T00:00:00Z" },
    });
    assert.deepEqual(said(going), [
      422,
      "Invalid",
      'Widget.example.com "a" is invalid: metadata.deletionTimestamp: Invalid value: "2030-01-01T00:00:00Z": field is immutable',
    ]);
  });

  it("creates what is absent where the kind allows it", async () => {
    const api = await Resources.create();
    const lease = { metadata: { name: "l" }, spec: { holderIdentity: "a" } };
    assert.equal((await api.put(`${LEASES}/l`, lease)).status, 201);
    assert.equal((await api.put(`${LEASES}/l`, lease)).status, 200);
    assert.equal((await api.put(`${CONFIG_MAPS}/c`, { metadata: { name: "c" } })).status, 404);
  });

  it("writes the status through its subresource, and nothing else", async () => {
    const api = await Resources.create();
    const { object } = await api.post(WIDGETS, aWidget("a"));
    const wanted = {
      ...object,
      metadata: { ...object.metadata, labels: { x: "y" } },
      spec: { size: 50 },
      status: { phase: "Ready", bogus: 1 },
    };
    const answer = await api.put(`${WIDGETS}/a/status`, wanted);
    assert.deepEqual(answer.object["status"], { phase: "Ready" });
    assert.deepEqual(answer.warnings, ['unknown field "status.bogus"']);
    assert.deepEqual({ ...answer.object.metadata, resourceVersion: "2" }, object.metadata);
    assert.deepEqual(answer.object.spec, { size: 1 });
    const invalid = await api.patch(`${WIDGETS}/a/status`, { status: { phase: 5 } });
    assert.deepEqual(said(invalid).slice(0, 2), [422, "Invalid"]);
  });

  it("scales", async () => {
    const api = await Resources.create();
    await api.post(WIDGETS, aWidget("a"));
    const scale = `${WIDGETS}/a/scale`;
    assert.equal((await api.get(scale)).status, 500);
    const set = await api.put(scale, {
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: { name: "a", namespace: "default" },
      spec: { replicas: 3 },
    });
    const { uid, ...meta } = set.object.metadata;
    assert.ok(uid);
    assert.deepEqual(
      { ...set.object, metadata: meta },
      {
        kind: "Scale",
        apiVersion: "autoscaling/v1",
        metadata: { name: "a", namespace: "default", resourceVersion: "3", creationTimestamp: "2030-01-01T00:00:00Z" },
        spec: { replicas: 3 },
        status: { replicas: 0 },
      },
    );
    await api.patch(`${WIDGETS}/a/status`, { status: { replicas: 2, selector: "a=b" } });
    assert.deepEqual((await api.patch(scale, { spec: { replicas: 5 } })).object["status"], { replicas: 2, selector: "a=b" });
    assert.equal((await api.get(`${WIDGETS}/a`)).object.spec.replicas, 5);
    const stale = await api.put(scale, { metadata: { name: "a", resourceVersion: "1" }, spec: { replicas: 1 } });
    assert.equal(stale.status, 409);
  });
});

describe("patch", () => {
  it("takes the types its kind knows", async () => {
    const api = await Resources.create();
    await api.post(WIDGETS, aWidget("a"));
    await api.post(CONFIG_MAPS, { metadata: { name: "c" }, data: { a: "1" } });
    assert.equal(
      (await api.patch(`${WIDGETS}/a`, [{ op: "add", path: "/spec/color", value: "red" }], "json")).object.spec.color,
      "red",
    );
    const types = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    const message = `the body of the request was in an unknown format - accepted media types include: ${types}`;
    assert.deepEqual(said(await api.patch(`${WIDGETS}/a`, {}, "strategic")), [415, "UnsupportedMediaType", message]);
    assert.deepEqual((await api.patch(`${CONFIG_MAPS}/c`, { data: { b: "2" } }, "strategic")).object["data"], { a: "1", b: "2" });
    assert.equal((await api.request("PATCH", `${CONFIG_MAPS}/c`, "{}", { "content-type": "text/x" })).status, 415);
    assert.equal(
      (await api.request("PATCH", `${CONFIG_MAPS}/c`, "{}", { "content-type": "application/apply-patch+yaml" })).status,
      415,
    );
  });

  it("changes nothing when nothing changes", async () => {
    const api = await Resources.create();
    const created = await api.post(WIDGETS, aWidget("a", { spec: { color: "red" } }));
    const stream = await api.watch(`${WIDGETS}?resourceVersion=${revisionOf(created)}`);
    for (const patch of [
      {},
      { spec: { color: "red" } },
      { spec: { size: 1 } },
      { metadata: { labels: null } },
      { spec: { bogus: 1 } },
    ]) {
      assert.deepEqual((await api.patch(`${WIDGETS}/a`, patch)).object, created.object);
    }
    assert.deepEqual(stream.log, []);
  });

  it("holds a client to the revision it names", async () => {
    const api = await Resources.create();
    await api.post(WIDGETS, aWidget("a"));
    const stale = await api.patch(`${WIDGETS}/a`, { metadata: { resourceVersion: "1" }, spec: { size: 2 } });
    assert.deepEqual(said(stale), [409, "Conflict", `Operation cannot be fulfilled on widgets.example.com "a": ${MODIFIED}`]);
    assert.equal((await api.patch(`${WIDGETS}/a`, { metadata: { resourceVersion: "2" }, spec: { size: 2 } })).status, 200);
  });

  it("lets concurrent patches of one object all happen", async () => {
    const slow: AdmissionPlugin = { validate: () => new Promise((resolve) => setImmediate(resolve)) };
    const api = await Resources.create({ plugins: [slow] });
    await api.post(WIDGETS, aWidget("a"));
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, i) => api.patch(`${WIDGETS}/a`, { spec: { any: { [`n${i}`]: i } } })),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 200],
    );
    assert.deepEqual((await api.get(`${WIDGETS}/a`)).object.spec.any, { n0: 0, n1: 1, n2: 2, n3: 3, n4: 4 });
  });

  it("gives up on an object that never stands still", async () => {
    let writes = 0;
    const api: Resources = await Resources.create({
      plugins: [
        {
          async validate({ name, operation }) {
            if (operation === "UPDATE" && name === "a" && ++writes % 2 === 1)
              await api.patch(`${WIDGETS}/a`, { spec: { any: { writes } } });
          },
        },
      ],
    });
    await api.post(WIDGETS, aWidget("a"));
    const answer = await api.patch(`${WIDGETS}/a`, { spec: { size: 2 } });
    assert.deepEqual(said(answer), [409, "Conflict", `Operation cannot be fulfilled on widgets.example.com "a": ${MODIFIED}`]);
  });

  it("refuses what cannot be decoded afterwards, and shows it", async () => {
    const api = await Resources.create();
    await api.post(WIDGETS, aWidget("a"));
    const answer = await api.patch(`${WIDGETS}/a`, { metadata: { labels: { a: 1 } } });
    assert.equal(answer.status, 422);
    assert.match(
      answer.object.message,
      /^ "" is invalid: patch: Invalid value: ".*\\"labels\\":\{\\"a\\":1\}.*": json: cannot unmarshal number into Go struct field ObjectMeta\.labels of type string$/,
    );
    const strict = await api.request(
      "PATCH",
      `${WIDGETS}/a?fieldValidation=Strict`,
      '[{"op":"add","path":"/spec/x","value":1,"y":2}]',
      { "content-type": "application/json-patch+json" },
    );
    assert.match(strict.object.message, /strict decoding error: json patch unknown field "\[0\]\.y", unknown field "spec\.x"$/);
  });
});

describe("a failing disk", () => {
  it("loses no acknowledged write, and answers nothing it could still lose", async () => {
    const journal = new MemoryJournal();
    const api = await Resources.create({ journal });
    const [first, again] = await Promise.all([api.post(WIDGETS, aWidget("a")), api.patch(`${WIDGETS}/a`, {})]);
    assert.equal(first.status, 201);
    assert.ok(again.status === 200 || again.status === 404);
    assert.equal((await api.get(`${WIDGETS}/a`)).status, 200);
  });
});

describe("versions", () => {
  const GEARS = { v1: "/apis/example.com/v1/gears", v2: "/apis/example.com/v2/gears" };

  it("shows an object in each of them, and stores one", async () => {
    const api = await Resources.create();
    const { object } = await api.post(GEARS.v2, {
      apiVersion: "example.com/v2",
      kind: "Gear",
      metadata: { name: "g" },
      spec: { b: "x" },
    });
    assert.deepEqual([object.apiVersion, object.spec], ["example.com/v2", { b: "x" }]);
    assert.deepEqual((await api.get(`${GEARS.v1}/g`)).object.spec, { a: "x" });
    const patched = await api.patch(`${GEARS.v1}/g`, { spec: { a: "y" } });
    const list = await api.get(GEARS.v2);
    assert.deepEqual(list.object.items[0]!.spec, { b: "y" });
    const same = await api.patch(`${GEARS.v2}/g`, { spec: { b: "y" } });
    assert.equal(revisionOf(same), revisionOf(patched));
    assert.deepEqual(list.warnings, ["example.com/v2 Gear is deprecated"]);
  });

  it("asks the rules of the version the request came in", async () => {
    const api = await Resources.create();
    api.registry.set(
      gear({
        validate: (object) =>
          object.apiVersion.endsWith("v1") ? [{ type: "FieldValueForbidden", field: "spec.a", body: "Forbidden: no" }] : [],
      }),
    );
    const body = (version: string): object => ({
      apiVersion: `example.com/${version}`,
      kind: "Gear",
      metadata: { name: version },
    });
    assert.deepEqual(said(await api.post(GEARS.v1, body("v1"))), [
      422,
      "Invalid",
      'Gear.example.com "v1" is invalid: spec.a: Forbidden: no',
    ]);
    assert.equal((await api.post(GEARS.v2, body("v2"))).status, 201);
  });

  it("prunes and defaults on read what an older schema let in", async () => {
    const api = await Resources.create();
    await api.post(WIDGETS, aWidget("a", { spec: { color: "red", tags: ["x"] } }));
    const { widget } = await import("./resources.ts");
    const version = widget.versions[0]!;
    const spec = {
      type: "object" as const,
      properties: { color: { type: "string" as const }, shape: { type: "string" as const, default: "round" } },
    };
    api.registry.set({ ...widget, versions: [{ ...version, schema: { type: "object", properties: { spec } } }] });
    const { object } = await api.get(`${WIDGETS}/a`);
    assert.deepEqual(object.spec, { color: "red", shape: "round" });
    assert.deepEqual((await api.get(WIDGETS)).object.items[0], object);
    assert.equal(object.metadata.resourceVersion, "2");
  });
});
