import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "#std/fault.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { HttpRequest, HttpResponse, HttpTransport } from "#io/http.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { type Client, createClient, type ClientOptions } from "./client.ts";
import { kindRef } from "./kind.ts";

interface Thing extends KubeObject {
  spec?: { size: number };
}
const Thing = kindRef<Thing>({ group: "example.org", version: "v1", kind: "Thing", plural: "things", scope: "Namespaced" });
const Node = kindRef({ group: "", version: "v1", kind: "Node", plural: "nodes", scope: "Cluster" });

type Answer = { status?: number; headers?: Record<string, string | string[]>; body?: unknown };

/** A server that says what it is told to, and keeps what it was asked. */
function scripted(...answers: (Answer | ((request: HttpRequest) => Promise<HttpResponse>))[]) {
  const asked: (HttpRequest & { json: unknown })[] = [];
  const clock = new VirtualClock();
  const transport: HttpTransport = {
    async request(request) {
      asked.push({
        ...request,
        json: request.body === undefined ? undefined : JSON.parse(new TextDecoder().decode(request.body)),
      });
      const answer = answers[Math.min(asked.length, answers.length) - 1]!;
      if (typeof answer === "function") return await answer(request);
      const { status = 200, headers = {}, body = {} } = answer;
      const text = typeof body === "string" ? body : JSON.stringify(body);
      return { status, headers, body: bytes(text) };
    },
    close: async () => {},
  };
  const make = (options: Partial<ClientOptions> = {}): Client =>
    createClient({ transport, clock, entropy: new SeededEntropy(1), ...options });
  return { asked, clock, client: make(), make };
}

async function* bytes(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

const thing = (name: string, resourceVersion = "1"): Thing => ({
  apiVersion: "example.org/v1",
  kind: "Thing",
  metadata: { name, resourceVersion },
});
const faultOf = async (promise: Promise<unknown>): Promise<Fault> => {
  const error = await promise.then(
    () => assert.fail("did not reject"),
    (caught: unknown) => caught,
  );
  assert.ok(Fault.is(error), String(error));
  return error;
};

test("paths: group, namespace, name, subresource, query", async () => {
  const { asked, client } = scripted({ body: thing("a") });
  const things = client.for(Thing);
  await things.in("team one").get("a b");
  await things.in("n").patch("a", { spec: null }, { subresource: "status", dryRun: true, fieldValidation: "Strict" });
  await client.for(Node).get("n1");
  await things.create({ metadata: { name: "x", namespace: "own" }, spec: { size: 1 } });
  await things.in("n").delete("a", { preconditions: { uid: "u" }, propagationPolicy: "Orphan" });
  assert.deepEqual(
    asked.map(({ method, target }) => `${method} ${target}`),
    [
      "GET /apis/example.org/v1/namespaces/team%20one/things/a%20b",
      "PATCH /apis/example.org/v1/namespaces/n/things/a/status?fieldManager=sidero&fieldValidation=Strict&dryRun=All",
      "GET /api/v1/nodes/n1",
      "POST /apis/example.org/v1/namespaces/own/things?fieldManager=sidero",
      "DELETE /apis/example.org/v1/namespaces/n/things/a",
    ],
  );
  assert.equal(asked[1]!.headers?.["content-type"], "application/merge-patch+json");
  assert.deepEqual(asked[3]!.json, {
    apiVersion: "example.org/v1",
    kind: "Thing",
    metadata: { name: "x", namespace: "own" },
    spec: { size: 1 },
  });
  assert.deepEqual(asked[4]!.json, {
    apiVersion: "v1",
    kind: "DeleteOptions",
    preconditions: { uid: "u" },
    propagationPolicy: "Orphan",
  });
});

test("a name that would mean the collection never leaves the client", async () => {
  const { asked, client } = scripted({});
  for (const name of ["", ".", ".."])
    assert.equal((await faultOf(client.for(Thing).in("n").delete(name))).code, "api.bad-request");
  assert.equal((await faultOf(client.for(Thing).get("x"))).code, "api.bad-request");
  assert.equal(asked.length, 0);
});

test("a refusal is the fault of its Status; other bodies keep code and text", async () => {
  const status = { kind: "Status", status: "Failure", code: 409, reason: "Conflict", message: "no", details: { name: "a" } };
  const { client } = scripted({ status: 409, body: status }, { status: 502, body: "<html>bad gateway</html>" });
  const conflict = await faultOf(client.for(Node).get("a"));
  assert.deepEqual([conflict.code, conflict.retry, conflict.message], ["api.conflict", "soon", "no"]);
  const gateway = await faultOf(client.for(Node).get("a"));
  assert.deepEqual([gateway.code, gateway.message], ["api.internal", "HTTP 502: <html>bad gateway</html>"]);
});

test("a reason that is no word of Kubernetes' is read by its code", async () => {
  const { client } = scripted({ status: 404, body: { kind: "Status", apiVersion: "v1", reason: "constructor", code: 404 } });
  assert.equal((await faultOf(client.for(Node).get("a"))).code, "api.not-found");
});

test("come back later is waited out, ten times", async () => {
  const busy = {
    status: 429,
    headers: { "retry-after": "3" },
    body: { kind: "Status", code: 429, reason: "TooManyRequests", message: "busy" },
  };
  const { asked, client, clock } = scripted(busy, { ...busy, status: 503 }, { body: thing("a") });
  const got = client.for(Node).get("a");
  await clock.advance(2999);
  assert.equal(asked.length, 1);
  await clock.advance(10_000);
  assert.equal((await got).metadata.name, "a");
  const forever = scripted(busy);
  const refused = faultOf(forever.client.for(Node).get("a"));
  await forever.clock.advance(60_000);
  assert.equal((await refused).code, "api.too-many-requests");
  assert.equal(forever.asked.length, 10);
});

test("without Retry-After, or with an unreadable one, the refusal is the caller's at once", async () => {
  const refusal = { kind: "Status", code: 503, reason: "ServiceUnavailable", message: "down" };
  const { asked, client } = scripted(
    { status: 503, body: refusal },
    { status: 503, headers: { "retry-after": "soon" }, body: refusal },
  );
  assert.equal((await faultOf(client.for(Node).get("a"))).code, "api.unavailable");
  assert.equal((await faultOf(client.for(Node).get("a"))).code, "api.unavailable");
  assert.equal(asked.length, 2);
});

const never = (request: HttpRequest): Promise<HttpResponse> =>
  new Promise((_, reject) => request.signal!.addEventListener("abort", () => reject(new Error("aborted")), { once: true }));

test("a server that does not answer is left after the time-out; the caller's signal gives its own reason", async () => {
  const { client, clock } = scripted(never);
  const slow = faultOf(client.for(Node).get("a"));
  await clock.advance(30_000);
  assert.equal((await slow).code, "api.timeout");
  const stop = new AbortController();
  const stopped = client.for(Node).get("a", { signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(stopped, /enough/);
  assert.equal(clock.pending, 0);
});

test("all pages of a list, as of the first one's revision", async () => {
  const page = (names: string[], next?: string) => ({
    body: { metadata: { resourceVersion: "9", continue: next }, items: names.map((name) => ({ metadata: { name } })) },
  });
  const { asked, client } = scripted(page(["a", "b"], "t1"), page(["c"], "t2"), page(["d"]));
  const { items, metadata } = await client.for(Node).listAll({ limit: 2, labelSelector: "x=y" });
  assert.deepEqual(
    items.map((item) => [item.kind, item.apiVersion, item.metadata.name]),
    ["a", "b", "c", "d"].map((name) => ["Node", "v1", name]),
  );
  assert.deepEqual(metadata, { resourceVersion: "9" });
  assert.equal(asked[1]!.target, "/api/v1/nodes?labelSelector=x%3Dy&limit=2&continue=t1");
});

test("when the pages have expired under way, everything is asked for at once", async () => {
  const gone = { status: 410, body: { kind: "Status", code: 410, reason: "Expired", message: "too old" } };
  const whole = { body: { metadata: { resourceVersion: "12" }, items: [{ metadata: { name: "a" } }] } };
  const { asked, client } = scripted({ body: { metadata: { resourceVersion: "9", continue: "t" }, items: [] } }, gone, whole);
  assert.equal((await client.for(Node).listAll()).metadata.resourceVersion, "12");
  assert.equal(asked[2]!.target, "/api/v1/nodes?limit=0");
});

function streaming(...lines: unknown[]): () => Promise<HttpResponse> {
  return async () => ({ status: 200, headers: {}, body: bytes(...lines.map((line) => `${JSON.stringify(line)}\n`)) });
}

test("a watch: events, bookmarks, a clean end", async () => {
  const { asked, client } = scripted(
    streaming(
      { type: "ADDED", object: thing("a") },
      { type: "BOOKMARK", object: thing("", "7") },
      { type: "DELETED", object: thing("a", "8") },
    ),
  );
  let opened = 0;
  const events = await Array.fromAsync(
    client.for(Thing).watch({ resourceVersion: "5", timeoutSeconds: 60, onOpen: () => opened++ }),
  );
  assert.deepEqual(events, [
    { type: "ADDED", object: thing("a") },
    { type: "BOOKMARK", resourceVersion: "7" },
    { type: "DELETED", object: thing("a", "8") },
  ]);
  assert.equal(opened, 1);
  assert.equal(
    asked[0]!.target,
    "/apis/example.org/v1/things?watch=true&allowWatchBookmarks=true&timeoutSeconds=60&resourceVersion=5",
  );
});

test("a watch: an ERROR event is its fault, nonsense is the peer's", async () => {
  const gone = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" };
  const { client } = scripted(
    streaming({ type: "ERROR", object: gone }),
    streaming({ type: "SURPRISE" }),
    streaming(7),
    streaming({ type: "ADDED", object: 1 }),
  );
  const watch = (): Promise<Fault> => faultOf(Array.fromAsync(client.for(Thing).watch()));
  assert.equal((await watch()).code, "api.expired");
  for (let i = 0; i < 3; i++) assert.equal((await watch()).code, "api.malformed");
});

test("a watch that does not end in its time is left, and one that is left ends at the server too", async () => {
  const signals: AbortSignal[] = [];
  const { client, clock } = scripted(async (request) => {
    signals.push(request.signal!);
    const body = (async function* (): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode(`${JSON.stringify({ type: "ADDED", object: thing("a") })}\n`);
      await never(request);
    })();
    return { status: 200, headers: {}, body };
  });
  const overdue = faultOf(Array.fromAsync(client.for(Thing).watch({ timeoutSeconds: 60 })));
  await clock.advance(90_000);
  assert.equal((await overdue).code, "api.timeout");
  for await (const _event of client.for(Thing).watch()) break;
  assert.equal(signals[1]!.aborted, true);
  assert.equal(clock.pending, 0);
});

test("warnings are handed on, unquoted", async () => {
  const texts: string[] = [];
  const { make } = scripted({ headers: { warning: ['299 - "old \\"version\\""', "odd"] }, body: thing("a") });
  await make({ onWarning: (text) => texts.push(text) })
    .for(Node)
    .get("a");
  assert.deepEqual(texts, ['old "version"', "odd"]);
});
