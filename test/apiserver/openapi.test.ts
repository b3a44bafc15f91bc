/** The OpenAPI documents: what kubectl reads in them to validate, patch and explain. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { KubeObject } from "#schema/meta.ts";
import { startFixture } from "./fixture.ts";
import type { Fixture } from "./fixture.ts";

const MACHINES: KubeObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "machines.lab.example.io" },
  spec: {
    group: "lab.example.io",
    scope: "Namespaced",
    names: { plural: "machines", kind: "Machine" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {}, scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" } },
        schema: {
          openAPIV3Schema: {
            type: "object",
            description: "A machine.",
            properties: {
              metadata: { type: "object", properties: { name: { type: "string", maxLength: 10 } } },
              spec: {
                type: "object",
                required: ["power"],
                properties: {
                  power: { type: "string", enum: ["on", "off"], nullable: true, description: "Desired power." },
                  size: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
                  replicas: { type: "integer" },
                },
              },
            },
          },
        },
      },
    ],
  },
};

interface Schema {
  $ref?: string;
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  description?: string;
  [keyword: string]: unknown;
}

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string }[];
  "x-kubernetes-group-version-kind": object;
  requestBody?: { content: Record<string, object> };
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

interface Index {
  paths: Record<string, { serverRelativeURL: string }>;
}

let fixture: Fixture;
before(async () => {
  fixture = await startFixture({ crds: [MACHINES] });
});
after(() => fixture.stop());

async function documents(): Promise<[string, Document][]> {
  const { paths } = await fixture.get<Index>("/openapi/v3");
  return Promise.all(
    Object.entries(paths).map(
      async ([path, { serverRelativeURL }]) => [path, await fixture.get<Document>(serverRelativeURL)] as [string, Document],
    ),
  );
}

test("there is a document for every group version that discovery names", async () => {
  const { paths } = await fixture.get<Index>("/openapi/v3");
  const { groups } = await fixture.get<{ groups: { versions: { groupVersion: string }[] }[] }>("/apis");
  const named = groups.flatMap((group) => group.versions.map((version) => `apis/${version.groupVersion}`));
  assert.deepEqual(Object.keys(paths).toSorted(), ["api/v1", ...named].toSorted());
});

test("every reference leads somewhere, and no operation id is used twice", async () => {
  for (const [path, document] of await documents()) {
    const { schemas } = document.components;
    const references = JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g);
    for (const [, reference] of references) {
      const name = reference!.replace("#/components/schemas/", "");
      assert.ok(Object.hasOwn(schemas, name), `${path}: ${reference}`);
    }
    const ids = Object.values(document.paths).flatMap((item) =>
      Object.values(item).flatMap(({ operationId }) => operationId ?? []),
    );
    assert.equal(new Set(ids).size, ids.length, path);
    assert.ok(ids.length > 0);
  }
});

test("kubectl finds that the server validates fields: a PATCH operation of the kind with fieldValidation", async () => {
  for (const [path, document] of await documents()) {
    const kinds = new Set<string>();
    for (const item of Object.values(document.paths)) {
      const { patch } = item;
      if (patch === undefined) continue;
      assert.ok(
        patch.parameters!.some(({ name, in: where }) => name === "fieldValidation" && where === "query"),
        patch.operationId,
      );
      kinds.add(JSON.stringify(patch["x-kubernetes-group-version-kind"]));
    }
    for (const schema of Object.values(document.components.schemas)) {
      for (const gvk of (schema["x-kubernetes-group-version-kind"] as { group: string; version: string; kind: string }[]) ?? []) {
        if (/^(Status|DeleteOptions|Scale)$|List$/.test(gvk.kind)) continue;
        const { group, version, kind } = gvk;
        assert.ok(kinds.has(JSON.stringify({ group, version, kind })), `${path}: ${kind}`);
      }
    }
  }
});

test("a custom kind's schema has its fields and everybody's metadata", async () => {
  const document = await fixture.get<Document>("/openapi/v3/apis/lab.example.io/v1");
  const machine = document.components.schemas["io.example.lab.v1.Machine"]!;
  assert.equal(machine.description, "A machine.");
  assert.deepEqual(machine["x-kubernetes-group-version-kind"], [{ group: "lab.example.io", kind: "Machine", version: "v1" }]);
  assert.equal(machine.properties!["spec"]!.properties!["power"]!.description, "Desired power.");
  const meta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
  assert.deepEqual(machine.properties!["metadata"]!.allOf, [{ $ref: `#/components/schemas/${meta}` }]);
  const patch = document.paths["/apis/lab.example.io/v1/namespaces/{namespace}/machines/{name}"]!["patch"]!;
  assert.deepEqual(Object.keys(patch.requestBody!.content), ["application/json-patch+json", "application/merge-patch+json"]);
  const scale = document.paths["/apis/lab.example.io/v1/namespaces/{namespace}/machines/{name}/scale"]!["get"]!;
  assert.deepEqual(scale["x-kubernetes-group-version-kind"], { group: "autoscaling", version: "v1", kind: "Scale" });
  const core = await fixture.get<Document>("/openapi/v3/api/v1");
  const secret = core.paths["/api/v1/namespaces/{namespace}/secrets/{name}"]!["patch"]!;
  assert.ok("application/strategic-merge-patch+json" in secret.requestBody!.content);
});

test("a document may be kept under its hash, and an old hash leads to the new one", async () => {
  const before = (await fixture.get<Index>("/openapi/v3")).paths["apis/lab.example.io/v1"]!.serverRelativeURL;
  const kept = await fixture.request("GET", before);
  assert.match(String(kept.headers["cache-control"]), /immutable/);
  const etag = String(kept.headers["etag"]);
  assert.equal((await fixture.request("GET", before, { headers: { "if-none-match": etag } })).status, 304);
  const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/machines.lab.example.io";
  const coreBefore = (await fixture.get<Index>("/openapi/v3")).paths["api/v1"]!.serverRelativeURL;
  const crd = await fixture.get<KubeObject & { spec: { versions: { schema: { openAPIV3Schema: Schema } }[] } }>(crds);
  crd.spec.versions[0]!.schema.openAPIV3Schema.description = "Another machine.";
  await fixture.put(crds, crd);
  await fixture.idle();
  const after = (await fixture.get<Index>("/openapi/v3")).paths;
  assert.notEqual(after["apis/lab.example.io/v1"]!.serverRelativeURL, before);
  assert.equal(after["api/v1"]!.serverRelativeURL, coreBefore);
  const moved = await fixture.request("GET", before);
  assert.deepEqual([moved.status, moved.headers["location"]], [301, after["apis/lab.example.io/v1"]!.serverRelativeURL]);
});

test("version 2 says it in the older notation, without what that has no words for", async () => {
  const swagger = await fixture.get<{ swagger: string; paths: Document["paths"]; definitions: Record<string, Schema> }>(
    "/openapi/v2",
  );
  assert.equal(swagger.swagger, "2.0");
  const machine = swagger.definitions["io.example.lab.v1.Machine"]!;
  const spec = machine.properties!["spec"]!;
  assert.deepEqual(spec.properties!["power"], { type: "string", enum: ["on", "off"], description: "Desired power." });
  assert.deepEqual(spec.properties!["size"], { "x-kubernetes-int-or-string": true });
  assert.equal(machine.properties!["metadata"]!.$ref, "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  const references = JSON.stringify(swagger).matchAll(/"\$ref":"([^"]*)"/g);
  for (const [, reference] of references) {
    assert.ok(Object.hasOwn(swagger.definitions, reference!.replace("#/definitions/", "")), String(reference));
  }
  const patch = swagger.paths["/apis/lab.example.io/v1/namespaces/{namespace}/machines/{name}"]!["patch"]!;
  assert.ok(patch.parameters!.some(({ name, in: where }) => name === "body" && where === "body"));
});

test("who takes only protobuf gets a version 2 without definitions, and a clear no to version 3", async () => {
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const empty = await fixture.request("GET", "/openapi/v2", { headers: { accept } });
  assert.equal(empty.status, 200);
  assert.equal(empty.headers["content-type"], "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  assert.equal((await fixture.request("GET", "/openapi/v3", { headers: { accept } })).status, 406);
  assert.equal((await fixture.request("GET", "/openapi/v3/apis/nope/v1")).status, 404);
  assert.equal((await fixture.request("POST", "/openapi/v3")).status, 405);
});
