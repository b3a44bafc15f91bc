/** Kinds of providers found by the labels of their definitions, on an API server in this process. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { families } from "#kinds/index.ts";
import { ContractKinds, pluralOf } from "#kube/contract.ts";
import { kind } from "#schema/kind.ts";
import { json } from "#schema/kit.ts";
import { Fault } from "#std/fault.ts";
import { startWorld, type World } from "./world.ts";

const webhook = { namespace: "n", service: "s", certificate: "c" };
const foreign = (version: string, name: string) =>
  kind({ group: "lab.example.io", version, kind: name, plural: pluralOf(name), scope: "Namespaced", doc: "", spec: json() });
const same = (body: object): object => body;

let world: World;

before(async () => {
  const older = (version: string) => ({ kind: foreign(version, "Proxy"), up: same, down: same }) as never;
  const labels = { "cluster.x-k8s.io/v1beta1": "v1alpha2_v1_v1beta1", "cluster.x-k8s.io/v1beta2": "v9" };
  world = await startWorld({
    families: [
      ...families,
      { storage: foreign("v1alpha2", "Proxy"), older: [older("v1beta1"), older("v2")], labels, webhook },
      { storage: foreign("v1", "Box"), older: [], labels: {}, webhook },
    ],
  });
});
after(() => world.stop());

test("the newest served version of the best contract that has one", async () => {
  const kinds = new ContractKinds(world.client);
  const proxy = await kinds.of({ apiGroup: "lab.example.io", kind: "Proxy" });
  assert.deepEqual([proxy.version, proxy.plural], ["v1beta1", "proxies"]);
  const config = await kinds.of({ apiGroup: "bootstrap.cluster.x-k8s.io", kind: "TalosConfig" });
  assert.deepEqual([config.version, config.plural, config.scope], ["v1beta1", "talosconfigs", "Namespaced"]);
});

test("an object is read in that version, and its own version is known by what it says", async () => {
  const kinds = new ContractKinds(world.client);
  await world.client.for(TalosConfig).create({ metadata: { name: "a", namespace: "default" }, spec: { generateType: "worker" } });
  const reference = { apiGroup: "bootstrap.cluster.x-k8s.io", kind: "TalosConfig", name: "a" };
  const object = await kinds.get(reference, "default");
  assert.equal(object?.apiVersion, "bootstrap.cluster.x-k8s.io/v1beta1");
  assert.equal((await kinds.ofObject({ ...object, apiVersion: "bootstrap.cluster.x-k8s.io/v1alpha3" })).version, "v1alpha3");
  assert.equal(await kinds.get({ ...reference, name: "b" }, "default"), undefined);
});

test("a kind that is not there, or keeps no contract, is told of, and looked for again", async () => {
  const kinds = new ContractKinds(world.client);
  const code = (wanted: string) => (error: unknown) => Fault.is(error, wanted);
  await assert.rejects(kinds.of({ apiGroup: "lab.example.io", kind: "Ghost" }), code("contract.unknown-kind"));
  await assert.rejects(kinds.of({ apiGroup: "lab.example.io", kind: "Box" }), code("contract.no-version"));
  await world.fixture.patch("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/boxes.lab.example.io", {
    metadata: { labels: { "cluster.x-k8s.io/v1beta2": "v1" } },
  });
  assert.equal((await kinds.of({ apiGroup: "lab.example.io", kind: "Box" })).plural, "boxes");
});
