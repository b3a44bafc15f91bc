import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "#io/clock.ts";
import type { Definition } from "#schema/definition.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { Resource } from "../registry.ts";
import { createChooseRenderer } from "./choose.ts";
import type { Item } from "./render.ts";

const NOW = Date.parse("2026-11-21T01:00:00Z");
const clock: Clock = { now: () => NOW, monotonic: () => NOW, after: () => ({ cancel: () => undefined }) };
const choose = createChooseRenderer(clock);

const definition: Definition = {
  group: "lab.example.io",
  kind: "Machine",
  listKind: "MachineList",
  plural: "machines",
  singular: "machine",
  shortNames: [],
  categories: [],
  namespaced: true,
  storageVersion: "v1",
  custom: true,
  strategy: { hasGeneration: true, cells: { Sum: (object) => (object["sum"] === undefined ? null : 42) } },
  versions: [
    {
      name: "v1",
      served: true,
      schema: { type: "object" },
      hasStatus: false,
      selectable: [],
      columns: [
        { name: "S", type: "string", jsonPath: ".spec.value" },
        { name: "I", type: "integer", jsonPath: ".spec.value" },
        { name: "N", type: "number", jsonPath: ".spec.value" },
        { name: "B", type: "boolean", jsonPath: ".spec.value", priority: 1, description: "Told." },
        { name: "D", type: "date", jsonPath: ".spec.value" },
        { name: "Sum", type: "integer", jsonPath: ".sum" },
      ],
    },
  ],
};
const resource: Resource = { definition, version: definition.versions[0]! };

function item(name: string, rest: object = {}): Item {
  const metadata = { name, namespace: "default", resourceVersion: "7", creationTimestamp: "2026-11-21T00:55:00Z" };
  const object = { apiVersion: "lab.example.io/v1", kind: "Machine", metadata, ...rest };
  return { bytes: Buffer.from(JSON.stringify(object)), object: () => structuredClone<KubeObject>(object) };
}

function render(accept: string | undefined, query = ""): ReturnType<typeof choose> {
  return choose(resource, accept, new URLSearchParams(query));
}

function text(pieces: readonly Buffer[]): string {
  return Buffer.concat(pieces).toString();
}

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";
const PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
const NOT_ACCEPTABLE = /^only the following media types are accepted: application\/json, application\/yaml, application\/vnd/;

test("negotiation takes what the genuine server takes", () => {
  const a = item("a");
  const starts: [string | undefined, string, string][] = [
    [undefined, "application/json", '{"apiVersion"'],
    ["", "application/json", '{"apiVersion"'],
    ["*/*", "application/json", '{"apiVersion"'],
    ["application/*", "application/json", '{"apiVersion"'],
    ["text/*, */*;q=0.1", "application/json", '{"apiVersion"'],
    ["application/json; q=0", "application/json", '{"apiVersion"'],
    ["application/json;foo=bar", "application/json", '{"apiVersion"'],
    ["application/json;charset=utf-8", "application/json", '{"apiVersion"'],
    ["application/vnd.kubernetes.protobuf,application/json", "application/json", '{"apiVersion"'],
    [
      "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io,application/json",
      "application/json",
      '{"apiVersion"',
    ],
    ["application/json;q=0.1,application/yaml;q=0.9", "application/yaml", "apiVersion: lab"],
    ["application/yaml", "application/yaml", "apiVersion: lab"],
    [`${TABLE},application/json`, "application/json", '{"kind":"Table","apiVersion":"meta.k8s.io/v1"'],
    [
      "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
      "application/json",
      '{"kind":"Table","apiVersion":"meta.k8s.io/v1beta1"',
    ],
    ["application/yaml;as=Table;v=v1;g=meta.k8s.io", "application/yaml", "apiVersion: meta.k8s.io/v1\ncolumnDefinitions:\n- d"],
    [PARTIAL, "application/json", '{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a"'],
  ];
  for (const [accept, contentType, start] of starts) {
    const renderer = render(accept);
    assert.equal(renderer.contentType, contentType, accept ?? "no header");
    assert.ok(text(renderer.one(a)).startsWith(start), `${accept}: ${text(renderer.one(a))}`);
  }
});

test("negotiation refuses what the genuine server refuses", () => {
  const refused = [
    "text/html",
    "application/cbor",
    "application/vnd.kubernetes.protobuf",
    "APPLICATION/JSON",
    "garbage;;;",
    "application/json;as=Table",
    "application/json;as=Table;g=meta.k8s.io",
    "application/json;as=Table;v=v2;g=meta.k8s.io",
    "application/json;as=Foo;v=v1;g=meta.k8s.io",
    "application/json;v=v1",
  ];
  for (const accept of refused) assert.throws(() => render(accept), { message: NOT_ACCEPTABLE }, accept);
  assert.throws(() => render("application/yaml", "watch=1"), {
    message:
      "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch",
  });
  assert.throws(() => render(TABLE, "includeObject=Bogus"), {
    message: `Unable to convert to Table as requested: includeObject: Invalid value: "Bogus": must be 'Metadata', 'Object', 'None', or empty`,
  });
  assert.throws(() => render(PARTIAL).list([], {}), { message: /PartialObjectMetadata, but the requested object is a list/ });
});

test("stored bytes are not touched, and a renderer and an event's line are shared", () => {
  const [a, b] = [item("a"), item("b")];
  const json = render("application/json");
  assert.equal(json, render("*/*"));
  assert.equal(json.one(a)[0], a.bytes);
  const pieces = json.list([a, b], { resourceVersion: "9" });
  assert.ok(pieces.includes(a.bytes) && pieces.includes(b.bytes));
  assert.deepEqual(JSON.parse(text(pieces)), {
    kind: "MachineList",
    apiVersion: "lab.example.io/v1",
    metadata: { continue: "", resourceVersion: "9" },
    items: [a.object(), b.object()],
  });
  assert.deepEqual((JSON.parse(text(json.list([], {}))) as { items: unknown }).items, []);
  const line = json.event("ADDED", a, true);
  assert.equal(line, json.event("ADDED", a, false));
  assert.equal(line.toString(), `{"type":"ADDED","object":${a.bytes.toString()}}\n`);
  assert.match(json.event("DELETED", a, false).toString(), /^{"type":"DELETED"/);
});

test("events are forgotten by bytes, oldest first", () => {
  const json = render("application/json");
  const big = Array.from({ length: 5 }, (_, i) => item(`big${i}`, { spec: "x".repeat(1024 * 1024) }));
  const lines = big.map((each) => json.event("ADDED", each, false));
  assert.equal(json.event("ADDED", big[4]!, false), lines[4]);
  assert.notEqual(json.event("ADDED", big[0]!, false), lines[0]);
});

test("pretty printing is for answers, not for event lines", () => {
  const pretty = render("application/json", "pretty=true");
  assert.match(text(pretty.one(item("a"))), /^{\n {2}"apiVersion"/);
  const watch = render("application/json", "pretty=true&watch=1");
  assert.match(watch.event("ADDED", item("a"), true).toString(), /^{"type":"ADDED","object":{"apiVersion"[^\n]*}}\n$/);
  assert.equal(render("application/json", "pretty=false"), render("application/json"));
});

test("YAML quotes what an older YAML reader would take for something else", () => {
  const yaml = text(render("application/yaml").one(item("on", { spec: { when: "2026-11-21T00:00:00Z", list: ["1", "no"] } })));
  assert.match(yaml, / {2}name: "on"\n/);
  assert.match(yaml, /when: "2026-11-21T00:00:00Z"\n/);
  assert.match(yaml, / {2}list:\n {2}- "1"\n {2}- "no"\n/);
});

test("cells are formatted as the genuine server formats them", () => {
  function cells(value: unknown): unknown[] {
    const table = JSON.parse(text(render(TABLE).one(item("a", { spec: { value } })))) as { rows: { cells: unknown[] }[] };
    return table.rows[0]!.cells;
  }
  assert.deepEqual(cells("hello"), ["a", "hello", null, null, null, "<invalid>", null]);
  assert.deepEqual(cells(7), ["a", "7", 7, 7, null, null, null]);
  assert.deepEqual(cells(1234567890.5), ["a", "1.2345678905e+09", 1234567890, 1234567890.5, null, null, null]);
  assert.deepEqual(cells(0.00001)[1], "1e-05");
  assert.deepEqual(cells(1e21)[1], "1e+21");
  assert.deepEqual(cells(true), ["a", "true", null, null, true, null, null]);
  assert.deepEqual(cells({ x: 1, b: [1, "<"] })[1], String.raw`{"b":[1,"\u003c"],"x":1}`);
  assert.deepEqual(cells("2026-11-21T00:00:00Z")[5], "60m");
  assert.deepEqual(cells("")[5], "<unknown>");
  assert.deepEqual(cells(null), ["a", "<no value>", null, null, null, null, null]);
});

test("a table has columns once per stream, and rows with as much of the object as asked", () => {
  const a = item("a", { sum: 1 });
  const table = JSON.parse(
    text(render(TABLE).list([a], { resourceVersion: "9", continue: "x", remainingItemCount: 3 })),
  ) as Table;
  assert.deepEqual(table.metadata, { resourceVersion: "9", continue: "x", remainingItemCount: 3 });
  assert.deepEqual(
    table.columnDefinitions!.map(({ name, type, format, priority }) => [name, type, format, priority].join()),
    ["Name,string,name,0", "S,string,,0", "I,integer,,0", "N,number,,0", "B,boolean,,1", "D,date,,0", "Sum,integer,,0"],
  );
  assert.equal(table.columnDefinitions![1]!.description, "Custom resource definition column (in JSONPath format): .spec.value");
  assert.equal(table.columnDefinitions![4]!.description, "Told.");
  assert.equal(table.rows[0]!.cells[6], 42);
  assert.equal((table.rows[0]!.object as KubeObject).kind, "PartialObjectMetadata");
  const events = [true, false].map((first) => render(TABLE).event("ADDED", a, first).toString());
  assert.deepEqual(
    events.map((line) => (JSON.parse(line) as { object: Table }).object.columnDefinitions === null),
    [false, true],
  );
  const none = JSON.parse(text(render(TABLE, "includeObject=None").one(a))) as Table;
  assert.equal(none.rows[0]!.object, null);
  assert.equal(none.metadata.resourceVersion, "7");
  const whole = JSON.parse(text(render(TABLE, "includeObject=Object").one(a))) as Table;
  assert.deepEqual(whole.rows[0]!.object, a.object());
});

test("errors go through a watch as they are, whatever the shape", () => {
  const bytes = Buffer.from('{"kind":"Status"}');
  const status: Item = { bytes, object: () => JSON.parse(bytes.toString()) as KubeObject };
  for (const accept of [TABLE, PARTIAL, "application/json"]) {
    assert.equal(
      render(accept, "watch=1").event("ERROR", status, false).toString(),
      '{"type":"ERROR","object":{"kind":"Status"}}\n',
    );
  }
});

test("a kind without columns of its own shows its age", () => {
  const plain = { ...resource, version: { ...resource.version, columns: [] } };
  const table = JSON.parse(text(choose(plain, TABLE, new URLSearchParams()).one(item("a")))) as Table;
  assert.deepEqual(table.rows[0]!.cells, ["a", "5m"]);
});

interface Table {
  metadata: Record<string, unknown>;
  columnDefinitions: { name: string; type: string; format: string; priority: number; description: string }[] | null;
  rows: { cells: unknown[]; object: unknown }[];
}
