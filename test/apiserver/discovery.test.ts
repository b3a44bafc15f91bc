/** Discovery through the API: order, preferred versions, verbs, and what caches may keep. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { KubeObject } from "#schema/meta.ts";
import { compareVersions } from "#schema/version-order.ts";
import { startFixture } from "./fixture.ts";
import type { Fixture } from "./fixture.ts";

const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

function crd(group: string, plural: string, kind: string, versions: readonly string[], more: object = {}): KubeObject {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, kind, shortNames: [plural.slice(0, 2)], categories: ["all"] },
      versions: versions.map((name, i) => ({
        name,
        served: true,
        storage: i === 0,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: { spec: { type: "object", properties: { replicas: { type: "integer" } } } },
          },
        },
        ...more,
      })),
    },
  };
}

let fixture: Fixture;
before(async () => {
  const scale = { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" };
  const crds = [
    crd("zoo.example.io", "cages", "Cage", ["v1alpha1", "v1beta1", "v1"]),
    crd("lab.example.io", "machines", "Machine", ["v1"], { subresources: { status: {}, scale } }),
    crd("lab.example.io", "benches", "Bench", ["v2beta1"]),
  ];
  fixture = await startFixture({ crds });
});
after(() => fixture.stop());

test("versions are ordered as Kubernetes orders them", () => {
  const ordered = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"];
  assert.deepEqual(ordered.toReversed().sort(compareVersions), ordered);
});

interface Groups {
  groups: { name: string; versions: { groupVersion: string }[]; preferredVersion: { version: string } }[];
}

test("/apis lists built-in groups, then others by name, each with its newest version preferred", async () => {
  const { groups } = await fixture.get<Groups>("/apis");
  const custom = groups.slice(-2);
  assert.deepEqual(
    custom.map((group) => [group.name, group.preferredVersion.version, group.versions.map((version) => version.groupVersion)]),
    [
      ["lab.example.io", "v1", ["lab.example.io/v1", "lab.example.io/v2beta1"]],
      ["zoo.example.io", "v1", ["zoo.example.io/v1", "zoo.example.io/v1beta1", "zoo.example.io/v1alpha1"]],
    ],
  );
  assert.ok(groups.some((group) => group.name === "apiextensions.k8s.io"));
  assert.ok(groups.every((group) => group.name !== ""));
  assert.deepEqual((await fixture.get<{ versions: string[] }>("/api")).versions, ["v1"]);
});

test("a group version lists its resources with what can be done to them", async () => {
  const { resources } = await fixture.get<{ resources: Record<string, unknown>[] }>("/apis/lab.example.io/v1");
  const verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
  const sub = { singularName: "", namespaced: true, verbs: ["get", "patch", "update"] };
  assert.deepEqual(resources, [
    {
      name: "machines",
      singularName: "machine",
      namespaced: true,
      kind: "Machine",
      verbs,
      shortNames: ["ma"],
      categories: ["all"],
      storageVersionHash: resources[0]!["storageVersionHash"],
    },
    { name: "machines/status", kind: "Machine", ...sub },
    { name: "machines/scale", kind: "Scale", group: "autoscaling", version: "v1", ...sub },
  ]);
  const core = await fixture.get<{ resources: { name: string; verbs: string[] }[] }>("/api/v1");
  const byName = new Map(core.resources.map((resource) => [resource.name, resource.verbs]));
  assert.deepEqual(byName.get("namespaces"), ["create", "delete", "get", "list", "patch", "update", "watch"]);
  assert.deepEqual(byName.get("namespaces/finalize"), ["update"]);
  assert.ok(byName.get("secrets")!.includes("deletecollection"));
});

interface GroupDiscovery {
  items: {
    metadata: { name?: string };
    versions: { version: string; freshness: string; resources: { resource: string; subresources?: object[] }[] }[];
  }[];
}

test("aggregated discovery says the same in one answer, and nothing when nothing is new", async () => {
  const answer = await fixture.request<GroupDiscovery>("GET", "/apis", { headers: { accept: `${AGGREGATED},application/json` } });
  assert.equal(answer.headers["content-type"], AGGREGATED);
  assert.equal(answer.headers["vary"], "Accept");
  const lab = answer.json.items.find((item) => item.metadata.name === "lab.example.io")!;
  assert.deepEqual(
    lab.versions.map(({ version, freshness, resources }) => [version, freshness, resources.map(({ resource }) => resource)]),
    [
      ["v1", "Current", ["machines"]],
      ["v2beta1", "Current", ["benches"]],
    ],
  );
  const own = { group: "lab.example.io", version: "v1", kind: "Machine" };
  assert.deepEqual(lab.versions[0]!.resources[0]!.subresources, [
    { subresource: "status", responseKind: own, verbs: ["get", "patch", "update"] },
    {
      subresource: "scale",
      responseKind: { group: "autoscaling", version: "v1", kind: "Scale" },
      verbs: ["get", "patch", "update"],
    },
  ]);
  const core = await fixture.get<GroupDiscovery>("/api", { accept: AGGREGATED });
  assert.deepEqual(
    core.items.map((item) => item.metadata),
    [{}],
  );
  const headers = { accept: AGGREGATED, "if-none-match": String(answer.headers["etag"]) };
  const unchanged = await fixture.request("GET", "/apis", { headers });
  assert.deepEqual([unchanged.status, unchanged.text], [304, ""]);
  await fixture.create(CRDS, crd("new.example.io", "things", "Thing", ["v1"]));
  await fixture.idle();
  const changed = await fixture.request<GroupDiscovery>("GET", "/apis", { headers });
  assert.equal(changed.status, 200);
  assert.ok(changed.json.items.some((item) => item.metadata.name === "new.example.io"));
});

test("what is not there and what cannot be had is told as the genuine server tells it", async () => {
  const page = await fixture.request("GET", "/apis/nope");
  assert.deepEqual(
    [page.status, page.headers["content-type"], page.text],
    [404, "text/plain; charset=utf-8", "404 page not found\n"],
  );
  assert.equal((await fixture.request("GET", "/apis/lab.example.io/v9")).text, "404 page not found\n");
  const builtIn = await fixture.request<KubeObject>("GET", "/apis/coordination.k8s.io/v9");
  assert.deepEqual([builtIn.status, builtIn.json["message"]], [404, "the server could not find the requested resource"]);
  assert.equal((await fixture.request("POST", "/api")).status, 405);
  for (const accept of ["text/html", "application/json;as=Table;v=v1;g=meta.k8s.io", AGGREGATED]) {
    assert.equal((await fixture.request("GET", "/apis/lab.example.io", { headers: { accept } })).status, 406, accept);
  }
  const yaml = await fixture.request("GET", "/apis/lab.example.io", { headers: { accept: "application/yaml" } });
  assert.match(yaml.text, /^apiVersion: v1\nkind: APIGroup\nname: lab\.example\.io\n/);
});

test("whatever means nothing is answered with the list of paths", async () => {
  const answer = await fixture.request<{ paths: string[] }>("GET", "/nonsense");
  assert.equal(answer.status, 404);
  for (const path of ["/api/v1", "/apis/lab.example.io/v1", "/openapi/v3", "/readyz"])
    assert.ok(answer.json.paths.includes(path), path);
  assert.equal((await fixture.request("GET", "/")).status, 200);
});
