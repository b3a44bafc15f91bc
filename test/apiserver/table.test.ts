/** Tables of the built-in kinds, as `kubectl get` prints them from a real cluster. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startFixture } from "./fixture.ts";
import type { Fixture } from "./fixture.ts";

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const DEFAULT = "/api/v1/namespaces/default";

interface Table {
  kind: string;
  columnDefinitions: { name: string; format: string; priority: number }[];
  rows: { cells: unknown[]; object: { metadata: { name: string } } }[];
}

let fixture: Fixture;
before(async () => {
  fixture = await startFixture();
});
after(() => fixture.stop());

/** `NAME=value` of the columns that are shown without `-o wide`. */
async function row(target: string, name: string): Promise<string> {
  const table = await fixture.get<Table>(target, { accept: TABLE });
  assert.equal(table.kind, "Table");
  const found = table.rows.find((each) => each.object.metadata.name === name);
  assert.ok(found, `${target} has ${name}`);
  assert.equal(found.cells.length, table.columnDefinitions.length);
  const shown = table.columnDefinitions.flatMap((column, i) =>
    column.priority === 0 ? [`${column.name.toUpperCase()}=${String(found.cells[i])}`] : [],
  );
  return shown.join(" ");
}

test("built-in kinds have the columns of a real cluster", async () => {
  await fixture.create(`${DEFAULT}/secrets`, { metadata: { name: "s" }, type: "Opaque", stringData: { a: "1", b: "2" } });
  await fixture.create(`${DEFAULT}/configmaps`, { metadata: { name: "c" }, data: { a: "1" }, binaryData: { b: "AA==" } });
  await fixture.create("/apis/coordination.k8s.io/v1/namespaces/default/leases", {
    metadata: { name: "l" },
    spec: { holderIdentity: "me" },
  });
  const conditions = [{ type: "Ready", status: "True" }];
  const labels = { "node-role.kubernetes.io/control-plane": "" };
  await fixture.create("/api/v1/nodes", { metadata: { name: "n", labels }, spec: { unschedulable: true } });
  const node = await fixture.get<{ status: object }>("/api/v1/nodes/n");
  const nodeInfo = { kubeletVersion: "v1.36.0" };
  await fixture.put("/api/v1/nodes/n/status", { ...node, status: { ...node.status, conditions, nodeInfo } });
  await fixture.clock.advance(5 * 60_000);
  assert.equal(await row("/api/v1/namespaces", "default"), "NAME=default STATUS=Active AGE=5m");
  assert.equal(await row(`${DEFAULT}/secrets`, "s"), "NAME=s TYPE=Opaque DATA=2 AGE=5m");
  assert.equal(await row(`${DEFAULT}/configmaps`, "c"), "NAME=c DATA=2 AGE=5m");
  assert.equal(await row("/apis/coordination.k8s.io/v1/namespaces/default/leases", "l"), "NAME=l HOLDER=me AGE=5m");
  assert.equal(
    await row("/api/v1/nodes", "n"),
    "NAME=n STATUS=Ready,SchedulingDisabled ROLES=control-plane AGE=5m VERSION=v1.36.0",
  );
});

test("events show when they were last seen, and their name last", async () => {
  const now = new Date(fixture.clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  await fixture.create(`${DEFAULT}/events`, {
    metadata: { name: "e", namespace: "default" },
    involvedObject: { kind: "ConfigMap", namespace: "default", name: "c" },
    reason: "Tested",
    message: "All is well",
    type: "Normal",
    lastTimestamp: now,
    count: 3,
  });
  await fixture.clock.advance(30_000);
  assert.equal(
    await row(`${DEFAULT}/events`, "e"),
    "LAST SEEN=30s TYPE=Normal REASON=Tested OBJECT=configmap/c MESSAGE=All is well",
  );
});

test("a watch of a table can be followed: columns first, then rows, bookmarks too", async () => {
  const target = `${DEFAULT}/configmaps?watch=true&timeoutSeconds=70&allowWatchBookmarks=true`;
  const answer = await fixture.transport.request({ method: "GET", target, headers: { accept: TABLE } });
  await fixture.create(`${DEFAULT}/configmaps`, { metadata: { name: "second" } });
  await fixture.clock.advance(71_000);
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  const lines = Buffer.concat(pieces).toString().trimEnd().split("\n");
  const events = lines.map((line) => JSON.parse(line) as { type: string; object: Table });
  assert.ok(events.every(({ object }, i) => object.kind === "Table" && (object.columnDefinitions === null) === i > 0));
  const added = events.filter(({ type }) => type === "ADDED").map(({ object }) => object.rows[0]!.cells[0]);
  assert.deepEqual(added, ["c", "second"]);
  assert.equal(events.at(-1)!.type, "BOOKMARK");
});
