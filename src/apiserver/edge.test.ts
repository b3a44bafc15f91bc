import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "#std/fault.ts";
import type { HttpRequest } from "#io/http.ts";
import type { Log } from "#io/log.ts";
import { silent } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import { digest } from "#io/node/digest.ts";
import { systemEntropy } from "#io/node/entropy.ts";
import type { Incoming, Principal } from "#io/serve.ts";
import { notFound, type Status, statusFault } from "#kube/status.ts";
import { createAuthenticator } from "./authenticate.ts";
import { createEdge, type EdgeLimits } from "./edge.ts";
import { openPki } from "./pki.ts";
import { createMemoryDisk } from "#io/memory/disk.ts";
import type { ApiHandler, ApiRequest } from "./request.ts";
import { readTokens } from "./tokens.ts";

const TOKENS = 'admintok,adm,u2,system:masters\nbobtok,bob,u1,"devs,ops"\n';
const ADMIN: Principal = { name: "system:sidero", groups: ["system:masters"] };

interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly text: string;
}

interface Fixture {
  readonly clock: VirtualClock;
  readonly logged: unknown[];
  readonly ask: (request: Partial<HttpRequest> & { target: string }, principal?: Principal) => Promise<Answer>;
}

/** An edge before a handler, asked through the memory transport: by somebody on the network unless a principal is named. */
function fixture(handler: ApiHandler = whoami, limits?: EdgeLimits): Fixture {
  const clock = new VirtualClock();
  const logged: unknown[] = [];
  const log: Log = { ...silent, error: (message, facts) => logged.push([message, facts]) };
  const authenticate = createAuthenticator({ clock, tokens: readTokens(TOKENS, digest) });
  const edge = createEdge({
    authenticate,
    handler,
    clock,
    entropy: systemEntropy,
    log,
    ...(limits === undefined ? {} : { limits }),
  });
  return {
    clock,
    logged,
    async ask(request, principal) {
      const transport = createMemoryTransport(edge, principal === undefined ? {} : { principal });
      const answer = await transport.request({ method: "GET", ...request });
      const pieces: Uint8Array[] = [];
      for await (const piece of answer.body) pieces.push(piece);
      return { code: answer.status, headers: answer.headers, text: Buffer.concat(pieces).toString() };
    },
  };
}

const whoami: ApiHandler = async ({ user, path }) => ({
  status: 200,
  headers: {},
  body: [Buffer.from(JSON.stringify({ user, path }))],
});

function status(answer: Answer): Status {
  assert.equal(answer.headers["content-type"], "application/json");
  const parsed = JSON.parse(answer.text) as Status;
  assert.equal(parsed.code, answer.code);
  return parsed;
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

test("nobody gets past the edge, but may ask for health and version", async () => {
  const { ask } = fixture();
  const refused = await ask({ target: "/api" });
  assert.deepEqual(status(refused), {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "Unauthorized",
    reason: "Unauthorized",
    code: 401,
  });
  for (const target of ["/livez", "/readyz?verbose", "/healthz", "/version"]) {
    assert.match((await ask({ target })).text, /"name":"system:anonymous","groups":\["system:unauthenticated"\]/);
  }
  for (const target of ["/livez/ping", "/livez/", "/", "/metrics"]) assert.equal((await ask({ target })).code, 401);
});

test("bearer tokens, as the genuine server reads the header", async () => {
  const { ask } = fixture();
  for (const authorization of ["Bearer admintok", "bearer admintok", "BEARER admintok x", "  Bearer admintok "]) {
    const answer = await ask({ target: "/api", headers: { authorization } });
    assert.deepEqual(
      JSON.parse(answer.text).user,
      { name: "adm", uid: "u2", groups: ["system:masters", "system:authenticated"] },
      authorization,
    );
  }
  for (const authorization of [
    "Bearer nope",
    "Bearer",
    "Bearer ",
    "Bearer  admintok",
    "Basic admintok",
    "admintok",
    "Beareradmintok",
  ]) {
    assert.equal((await ask({ target: "/api", headers: { authorization } })).code, 401, authorization);
  }
  assert.equal((await ask({ target: "/livez", headers: bearer("nope") })).code, 401);
  assert.equal((await ask({ target: "/livez", headers: bearer("bobtok") })).code, 200);
});

test("who is in the process is who the transport says, and no header says otherwise", async () => {
  const { ask } = fixture();
  const inside = await ask({ target: "/api", headers: bearer("bobtok") }, ADMIN);
  assert.equal(JSON.parse(inside.text).user.name, "system:sidero");
  for (const name of ["x-remote-user", "principal", "x-principal", "peer", "__proto__"]) {
    const headers = Object.fromEntries([[name, JSON.stringify(ADMIN)]]) as Record<string, string>;
    assert.equal((await ask({ target: "/api", headers })).code, 401);
  }
});

test("a client certificate is its subject while it is valid", async () => {
  const clock = new VirtualClock();
  const pki = await openPki({ disk: createMemoryDisk(), directory: "/pki", clock, entropy: systemEntropy, names: ["localhost"] });
  const certificate = Buffer.from(pki.admin.certificate.replace(/-----[^-]+-----|\s/g, ""), "base64");
  const authenticate = createAuthenticator({ clock });
  const incoming = { peer: { address: "", certificate }, headers: bearer("nope") } as unknown as Incoming;
  const user = { name: "sidero-admin", groups: ["system:masters", "system:authenticated"] };
  assert.deepEqual(await authenticate(incoming), user);
  await clock.advance(801 * 24 * 60 * 60_000);
  assert.throws(
    () => authenticate(incoming),
    (error) => Fault.is(error, "api.unauthorized"),
  );
});

/** What the genuine server answered to bob, without its reason at the end. */
const FORBIDDEN: readonly (readonly [string, string, object])[] = [
  [
    "GET /api/v1/namespaces",
    'namespaces is forbidden: User "bob" cannot list resource "namespaces" in API group "" at the cluster scope',
    { kind: "namespaces" },
  ],
  [
    "GET /apis/metal.sidero.dev/v1/servers/x",
    'servers.metal.sidero.dev "x" is forbidden: User "bob" cannot get resource "servers" in API group "metal.sidero.dev" at the cluster scope',
    { name: "x", group: "metal.sidero.dev", kind: "servers" },
  ],
  [
    "GET /api/v1/namespaces/d/secrets/x/status",
    'secrets "x" is forbidden: User "bob" cannot get resource "secrets/status" in API group "" in the namespace "d"',
    { name: "x", kind: "secrets" },
  ],
  [
    "DELETE /apis/a/v1/namespaces/d/secrets",
    'secrets.a is forbidden: User "bob" cannot deletecollection resource "secrets" in API group "a" in the namespace "d"',
    { group: "a", kind: "secrets" },
  ],
  [
    "GET /api/v1/namespaces/d",
    'namespaces "d" is forbidden: User "bob" cannot get resource "namespaces" in API group "" in the namespace "d"',
    { name: "d", kind: "namespaces" },
  ],
  [
    "FOO /api/v1/nodes",
    'nodes is forbidden: User "bob" cannot  resource "nodes" in API group "" at the cluster scope',
    { kind: "nodes" },
  ],
  ["GET /%3Cb%3E", 'forbidden: User "bob" cannot get path "/&lt;b&gt;"', {}],
  ["POST /api", 'forbidden: User "bob" cannot post path "/api"', {}],
  ["GET /livez/ping", 'forbidden: User "bob" cannot get path "/livez/ping"', {}],
];

for (const [request, message, details] of FORBIDDEN) {
  test(`forbidden: ${request}`, async () => {
    const [method, target] = request.split(" ") as [string, string];
    const answer = await fixture().ask({ method, target, headers: bearer("bobtok") });
    assert.equal(answer.headers["x-content-type-options"], "nosniff");
    const head = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure" };
    assert.deepEqual(status(answer), { ...head, message, reason: "Forbidden", details, code: 403 });
  });
}

test("acting as somebody else is for masters, and drops their rights", async () => {
  const { ask } = fixture();
  const as = (token: string, headers: Record<string, string>) =>
    ask({ target: "/api", headers: { ...bearer(token), ...headers } });
  assert.match(status(await as("admintok", { "impersonate-user": "eve" })).message!, /User "eve" cannot get path/);
  const master = await as("admintok", { "impersonate-user": "eve", "impersonate-group": "a, system:masters" });
  assert.deepEqual(JSON.parse(master.text).user, { name: "eve", groups: ["a", "system:masters", "system:authenticated"] });
  assert.match(
    status(await as("bobtok", { "impersonate-user": "adm" })).message!,
    /^users "adm" is forbidden: User "bob" cannot impersonate/,
  );
  assert.equal((await as("admintok", { "impersonate-group": "a" })).code, 400);
  assert.equal((await as("admintok", { "impersonate-extra-scopes": "a" })).code, 400);
});

test("faults are Statuses, in the form that was asked for", async () => {
  const { ask } = fixture(async () => {
    throw notFound({ group: "", resource: "namespaces", name: "zzz" });
  });
  const target = "/api/v1/namespaces/zzz";
  const plain = await ask({ target }, ADMIN);
  assert.equal(plain.text.includes("\n"), false);
  assert.equal(status(plain).message, 'namespaces "zzz" not found');
  assert.match((await ask({ target: `${target}?pretty=true` }, ADMIN)).text, /^{\n {2}"kind": "Status"/);
  assert.match((await ask({ target, headers: { "user-agent": "curl/8" } }, ADMIN)).text, /^{\n/);
  assert.match((await ask({ target: `${target}?pretty=0`, headers: { "user-agent": "curl/8" } }, ADMIN)).text, /^{"/);
  const yaml = await ask({ target, headers: { accept: "application/yaml" } }, ADMIN);
  assert.equal(yaml.headers["content-type"], "application/yaml");
  assert.match(yaml.text, /^apiVersion: v1\ncode: 404\n/);
  assert.equal((await ask({ target, headers: { accept: "text/html" } }, ADMIN)).headers["content-type"], "application/json");
});

test("a defect is an answer, and is logged; what clients do is not", async () => {
  const { ask, logged } = fixture(async ({ path }) => {
    if (path === "/missing") throw notFound({ group: "", resource: "nodes", name: "x" });
    throw new TypeError("x is not a function");
  });
  assert.equal(status(await ask({ target: "/defect" }, ADMIN)).reason, "InternalError");
  assert.equal(logged.length, 1);
  await ask({ target: "/missing" }, ADMIN);
  await ask({ target: "/missing" });
  assert.equal(logged.length, 1);
});

test("a handler that throws at once is answered too", async () => {
  const { ask } = fixture(() => {
    throw statusFault("Conflict", "no");
  });
  assert.equal(status(await ask({ target: "/" }, ADMIN)).code, 409);
});

test("a body over the limit, whichever is lower", async () => {
  const { ask } = fixture(async (request) => {
    await request.body(request.path === "/small" ? 4 : 1e9);
    return { status: 200, headers: {}, body: [] };
  });
  const post = (target: string, length: number) => ask({ method: "POST", target, body: Buffer.alloc(length) }, ADMIN);
  const { reason, message, code } = status(await post("/", 3 * 1024 * 1024 + 1));
  assert.deepEqual([reason, message, code], ["RequestEntityTooLarge", "Request entity too large: limit is 3145728", 413]);
  assert.equal((await post("/", 3 * 1024 * 1024)).code, 200);
  assert.match(status(await post("/small", 5)).message!, /limit is 4$/);
});

test("a handler that takes too long is given up", async () => {
  const { ask, clock } = fixture(() => new Promise(() => {}));
  const pending = ask({ target: "/" }, ADMIN);
  await clock.advance(59_999);
  assert.equal(await Promise.race([pending, Promise.resolve("waiting")]), "waiting");
  await clock.advance(1);
  const { reason, message, code, details } = status(await pending);
  assert.deepEqual(
    [reason, message, code, details],
    ["Timeout", "Timeout: request did not complete within the allotted timeout", 504, {}],
  );
  assert.equal(clock.pending, 0);
});

test("more requests at once than there may be are sent away, until one is answered", async () => {
  const release: (() => void)[] = [];
  const wait: ApiHandler = () => new Promise((resolve) => release.push(() => resolve({ status: 200, headers: {}, body: [] })));
  const { ask } = fixture(wait, { body: 1, time: 60_000, inFlight: 2 });
  const client = { target: "/", headers: bearer("admintok") };
  const first = ask(client);
  const second = ask(client);
  const refused = await ask(client);
  assert.equal(status(refused).reason, "TooManyRequests");
  assert.equal(refused.headers["retry-after"], "1");
  assert.equal((await ask({ target: "/" })).code, 401);
  release[0]!();
  assert.equal((await first).code, 200);
  const third = ask(client);
  await turn();
  assert.equal(release.length, 3);
  const ours = ask({ target: "/" }, ADMIN);
  const probe = ask({ target: "/livez" });
  await turn();
  assert.equal(release.length, 5, "neither our own requests nor probes are sent away");
  for (const go of release) go();
  const codes = await Promise.all([second, third, ours, probe].map(async (answer) => (await answer).code));
  assert.deepEqual(codes, [200, 200, 200, 200]);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("warnings go out with answers and with refusals", async () => {
  const { ask } = fixture(async (request: ApiRequest) => {
    request.warnings.push('unknown field "spec.a"', 'unknown field "spec.a"', "b");
    if (request.path === "/bad") throw statusFault("BadRequest", "no");
    return { status: 200, headers: { etag: "x" }, body: [] };
  });
  for (const target of ["/", "/bad"]) {
    assert.deepEqual((await ask({ target }, ADMIN)).headers["warning"], ['299 - "unknown field \\"spec.a\\""', '299 - "b"']);
  }
});

test("what every answer carries", async () => {
  const { ask } = fixture(async () => ({ status: 200, headers: { "cache-control": "public" }, body: [] }));
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const refused = await ask({ target: "/" });
  assert.match(refused.headers["audit-id"] as string, uuid);
  assert.equal(refused.headers["cache-control"], "no-cache, private");
  const answered = await ask({ target: "/", headers: { "audit-id": "mine" } }, ADMIN);
  assert.equal(answered.headers["audit-id"], "mine");
  assert.equal(answered.headers["cache-control"], "public");
  assert.match((await ask({ target: "/", headers: { "audit-id": "x".repeat(65) } }, ADMIN)).headers["audit-id"] as string, uuid);
});

test("what is no target gets net/http's answer", async () => {
  const { ask } = fixture();
  for (const target of ["/%zz", "*", "api"]) {
    const answer = await ask({ target }, ADMIN);
    assert.deepEqual([answer.code, answer.text, answer.headers["connection"]], [400, "400 Bad Request", "close"]);
  }
});
