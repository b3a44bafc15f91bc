import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "#std/fault.ts";
import type { Definition } from "#schema/definition.ts";
import { statusOf } from "#kube/status.ts";
import { misplaced, parseRoute, type ResourceRoute } from "./route.ts";

const METAL = "/apis/metal.sidero.dev/v1alpha2";

function route(request: string): ReturnType<typeof parseRoute> {
  const [method, target] = request.split(" ") as [string, string];
  const [path, query] = target.split("?") as [string, string?];
  return parseRoute(method, path, new URLSearchParams(query));
}

/** `verb group/version resource[ in namespace][ name][/subresource]`, with `!` when the path is not exact. */
function brief(found: ReturnType<typeof parseRoute>): string {
  if (found.kind !== "resource") return JSON.stringify(found);
  const { verb, group, version, resource, namespace, name, subresource, exact } = found;
  const of = `${name === undefined ? "" : ` ${name}`}${subresource === undefined ? "" : `/${subresource}`}`;
  return `${verb} ${group}/${version} ${resource}${namespace === undefined ? "" : ` in ${namespace}`}${of}${exact ? "" : " !"}`;
}

const CASES: readonly (readonly [string, string])[] = [
  ["GET /api/v1/nodes", "list /v1 nodes"],
  ["HEAD /api/v1/nodes", "list /v1 nodes"],
  ["GET /api/v1/nodes?watch=true", "watch /v1 nodes"],
  ["GET /api/v1/nodes?watch", "watch /v1 nodes"],
  ["GET /api/v1/nodes?watch=banana", "watch /v1 nodes"],
  ["GET /api/v1/nodes?watch=F", "watch /v1 nodes"],
  ["GET /api/v1/nodes?watch=0", "list /v1 nodes"],
  ["GET /api/v1/nodes?watch=False", "list /v1 nodes"],
  ["GET /api/v1/nodes/a?watch=true", "get /v1 nodes a"],
  ["POST /api/v1/nodes", "create /v1 nodes"],
  ["PUT /api/v1/nodes/a", "update /v1 nodes a"],
  ["PATCH /api/v1/nodes/a/status", "patch /v1 nodes a/status"],
  ["DELETE /api/v1/nodes", "deletecollection /v1 nodes"],
  ["DELETE /api/v1/nodes/a", "delete /v1 nodes a"],
  ["OPTIONS /api/v1/nodes", " /v1 nodes"],
  ["constructor /api/v1/nodes", " /v1 nodes"],
  ["GET /api/v1/namespaces", "list /v1 namespaces"],
  ["GET /api/v1/namespaces/x", "get /v1 namespaces x"],
  ["PUT /api/v1/namespaces/x/finalize", "update /v1 namespaces x/finalize"],
  ["GET /api/v1/namespaces/x/status", "get /v1 namespaces x/status"],
  ["GET /api/v1/namespaces/x/secrets", "list /v1 secrets in x"],
  ["GET /api/v1/namespaces/x/secrets/y", "get /v1 secrets in x y"],
  ["GET /api/v1/namespaces//secrets", "list /v1 secrets"],
  ["GET /api/v1/namespaces/default//secrets", "get /v1  in default secrets"],
  ["GET /api/v1/namespaces/x/secrets/", "list /v1 secrets in x !"],
  ["GET /api/v1/secrets//x", "list /v1 secrets/x !"],
  [`GET ${METAL}/servers`, "list metal.sidero.dev/v1alpha2 servers"],
  [`GET ${METAL}/servers/a/scale/more`, "get metal.sidero.dev/v1alpha2 servers a/scale !"],
  [`GET ${METAL}/namespaces/x/metalmachines//`, "list metal.sidero.dev/v1alpha2 metalmachines in x !"],
  [`GET ${METAL}/watch/servers`, "watch metal.sidero.dev/v1alpha2 servers"],
  [`GET ${METAL}/watch/namespaces/x/servers/a`, "watch metal.sidero.dev/v1alpha2 servers in x a"],
  ["GET /api", '{"kind":"discovery","exact":true}'],
  ["GET /apis/", '{"kind":"discovery","exact":false}'],
  ["GET /api/v1", '{"kind":"discovery","group":"","version":"v1","exact":true}'],
  ["GET /apis/a.b", '{"kind":"discovery","group":"a.b","exact":true}'],
  ["GET /apis/a.b/v1", '{"kind":"discovery","group":"a.b","version":"v1","exact":true}'],
  ["GET /livez", '{"kind":"health","endpoint":"livez"}'],
  ["GET /readyz/poststarthook/a", '{"kind":"health","endpoint":"readyz","check":"poststarthook/a"}'],
  ["GET /readyz/", '{"kind":"unknown"}'],
  ["GET /version", '{"kind":"version"}'],
  ["GET /version/", '{"kind":"unknown"}'],
  ["GET /openapi/v2", '{"kind":"openapi","version":"v2"}'],
  ["GET /openapi/v3/", '{"kind":"openapi","version":"v3"}'],
  ["GET /openapi/v3/apis/a.b/v1", '{"kind":"openapi","version":"v3","document":"apis/a.b/v1"}'],
  ["GET /openapi/v2/x", '{"kind":"unknown"}'],
  ["GET /", '{"kind":"index"}'],
  ["GET //api", '{"kind":"unknown"}'],
  ["GET /nope", '{"kind":"unknown"}'],
];

for (const [request, expected] of CASES) {
  test(`route of ${request}`, () => assert.equal(brief(route(request)), expected));
}

test("any path has a route, and no part of it is an empty string", () => {
  const segment = fc.constantFrom("", "api", "apis", "v1", "namespaces", "watch", "status", "a", "..", "__proto__");
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 9 }), fc.constantFrom("GET", "DELETE", "PUT", "X"), (segments, method) => {
      const found = parseRoute(method, `/${segments.join("/")}`, new URLSearchParams());
      if (found.kind !== "resource") return;
      for (const part of [found.namespace, found.name, found.subresource]) assert.notEqual(part, "");
    }),
  );
});

/** What the genuine server (1.36) answered: status code, and `page` for its plain text 404. */
const PLACES: readonly (readonly [string, string])[] = [
  ["built-in GET /api/v1/secrets", "ok"],
  ["built-in GET /api/v1/secrets/", "404"],
  ["built-in GET /api/v1/secrets/x", "404"],
  ["built-in POST /api/v1/secrets", "405"],
  ["built-in DELETE /api/v1/secrets", "405"],
  ["built-in GET /api/v1/namespaces/default/secrets/", "400"],
  ["built-in GET /api/v1/namespaces/default/secrets/x/", "404"],
  ["built-in POST /api/v1/namespaces/default/secrets/x", "405"],
  ["built-in PUT /api/v1/namespaces/default/secrets", "405"],
  ["built-in FOO /api/v1/namespaces/default/secrets", "405"],
  ["built-in GET /api/v1/namespaces//secrets", "ok"],
  ["cluster GET /api/v1/namespaces/", "400"],
  ["cluster GET /api/v1/namespaces/..", "400"],
  ["cluster GET /api/v1/namespaces/a%b", "400"],
  ["cluster HEAD /api/v1/namespaces/a", "405"],
  ["custom HEAD /apis/a/v1/namespaces/x/machines/y", "ok"],
  ["custom DELETE /apis/a/v1/namespaces/x/machines/.", "400"],
  ["cluster GET /api/v1/namespaces/default/namespaces", "404"],
  ["cluster POST /api/v1/namespaces/default/status", "405"],
  ["cluster DELETE /api/v1/namespaces", "ok"],
  ["custom GET /apis/a/v1/machines/", "ok"],
  ["custom GET /apis/a/v1/machines/x", "page"],
  ["custom POST /apis/a/v1/machines", "page"],
  ["custom DELETE /apis/a/v1/machines", "page"],
  ["custom PUT /apis/a/v1/namespaces/x/machines", "ok"],
  ["custom GET /apis/a/v1/namespaces/x/machines/y/status/more", "ok"],
];

for (const [request, expected] of PLACES) {
  test(`place of ${request}`, () => {
    const [sort, ...rest] = request.split(" ") as [string, ...string[]];
    const definition = { namespaced: sort !== "cluster", custom: sort === "custom" } as Definition;
    const found = misplaced(rest[0]!, route(rest.join(" ")) as ResourceRoute, definition);
    assert.equal(Fault.is(found) ? String(statusOf(found).code) : (found ?? "ok"), expected);
  });
}
