import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "#std/fault.ts";
import type { Outgoing } from "#io/serve.ts";
import { answerVersion, createHealth } from "./health.ts";
import type { ApiRequest } from "./request.ts";
import type { HealthEndpoint } from "./route.ts";

const problems: { store?: string; start?: string } = {};
const health = createHealth([
  { name: "store", problem: () => problems.store },
  { name: "poststarthook/start", problem: () => problems.start, readyOnly: true },
]);

function ask(endpoint: HealthEndpoint, query = "", check?: string): string {
  const answer = health({ query: new URLSearchParams(query) } as ApiRequest, endpoint, check);
  return answer === undefined ? "none" : `${answer.status} ${text(answer)}`;
}

function text(answer: Outgoing): string {
  assert.ok(Array.isArray(answer.body));
  return Buffer.concat(answer.body as Buffer[]).toString();
}

test("all is well", () => {
  assert.equal(ask("livez"), "200 ok");
  assert.equal(ask("livez", "verbose"), "200 [+]ping ok\n[+]store ok\nlivez check passed\n");
  assert.equal(ask("readyz", "verbose=1"), "200 [+]ping ok\n[+]store ok\n[+]poststarthook/start ok\nreadyz check passed\n");
  assert.equal(ask("healthz", "", "ping"), "200 ok");
  assert.equal(ask("healthz", "", "poststarthook/start"), "none");
  assert.equal(ask("readyz", "", "poststarthook/start"), "200 ok");
});

test("a failed check fails its endpoint and keeps its reason to itself", () => {
  problems.store = "disk on fire";
  assert.equal(ask("livez"), "500 [+]ping ok\n[-]store failed: reason withheld\nlivez check failed\n");
  assert.equal(ask("livez", "", "store"), "500 internal server error: disk on fire\n");
  assert.equal(ask("livez", "exclude=store&verbose"), "200 [+]ping ok\n[+]store excluded: ok\nlivez check passed\n");
  delete problems.store;
});

test("what is only about readiness leaves liveness alone", () => {
  problems.start = "not yet";
  assert.equal(ask("livez"), "200 ok");
  assert.match(ask("readyz"), /^500 .*\[-\]poststarthook\/start failed: reason withheld\nreadyz check failed\n$/s);
  delete problems.start;
});

test("excluding what is not there warns", () => {
  assert.equal(
    ask("livez", "exclude=b&exclude=a&verbose"),
    '200 [+]ping ok\n[+]store ok\nwarn: some health checks cannot be excluded: no matches for "a","b"\nlivez check passed\n',
  );
});

test("the version is a Kubernetes version that says whose it is", () => {
  const document = JSON.parse(
    text(answerVersion({ method: "GET" } as ApiRequest, { version: "1.2.3", platform: "linux/amd64" })),
  ) as Record<string, string>;
  assert.equal(document["gitVersion"], "v1.36.0+sidero-1.2.3");
  assert.deepEqual([document["major"], document["minor"], document["platform"]], ["1", "36", "linux/amd64"]);
  assert.throws(
    () => answerVersion({ method: "HEAD" } as ApiRequest, { version: "1", platform: "" }),
    (error) => Fault.is(error, "api.method-not-allowed"),
  );
});
