/** Objects of kinds that are only known by reference, whosever they are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silent } from "#io/log.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createExternals } from "#kube/externals.ts";
import { kindRef } from "#kube/kind.ts";
import type { KubeObject } from "#schema/meta.ts";
import { startWorld } from "./world.ts";

const REFERENCE = { apiGroup: "infrastructure.example.dev", kind: "RackMachine", name: "r" };
const Definition = kindRef<KubeObject>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  scope: "Cluster",
});
const RackMachine = kindRef<KubeObject>({
  group: REFERENCE.apiGroup,
  version: "v1beta2",
  kind: "RackMachine",
  plural: "rackmachines",
  scope: "Namespaced",
});

function definition(labels: Record<string, string>): KubeObject {
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const versions = ["v1alpha1", "v1beta2", "v1beta10"].map((name) => ({
    name,
    served: true,
    storage: name === "v1beta2",
    schema,
  }));
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "rackmachines.infrastructure.example.dev", labels },
    spec: {
      group: REFERENCE.apiGroup,
      names: { kind: "RackMachine", plural: "rackmachines", singular: "rackmachine", listKind: "RackMachineList" },
      scope: "Namespaced",
      versions,
    },
  };
}

test("a foreign kind that comes later, keeps a contract later still, and is then followed without a question asked", async () => {
  const world = await startWorld();
  const { client, clock } = world;
  const { externals, run } = createExternals({ client: world.access(), clock, entropy: new SeededEntropy(1), log: silent });
  const changes: string[] = [];
  externals.onChange((kind, key) => changes.push(`${kind} ${key ?? "*"}`));
  const stop = new AbortController();
  const running = run(stop.signal);
  const look = () => externals.look(REFERENCE, "default");
  assert.deepEqual(look(), { is: "unknown" });
  await world.pass(500);
  assert.deepEqual(look(), { is: "refused", problem: "there is no kind RackMachine in infrastructure.example.dev" });
  assert.deepEqual(changes, ["RackMachine.infrastructure.example.dev *"]);
  await client.for(Definition).create(definition({}));
  await world.pass(20_000);
  const refused = look();
  assert.match(refused.is === "refused" ? refused.problem : "", /no version of it keeps a contract/);
  await client.for(Definition).patch("rackmachines.infrastructure.example.dev", {
    metadata: { labels: { "cluster.x-k8s.io/v1beta1": "v1alpha1_v1beta2_v1beta10" } },
  });
  await world.pass(20_000);
  assert.deepEqual(look(), { is: "missing" });
  await client.for(RackMachine).create({ metadata: { name: "r", namespace: "default" } });
  await world.pass(200);
  const there = look();
  assert.equal(
    there.is === "there" && there.object.apiVersion,
    "infrastructure.example.dev/v1beta10",
    "the newest of those that keep it",
  );
  assert.equal(changes.at(-1), "RackMachine.infrastructure.example.dev default/r");

  const { length } = world.requests;
  await world.pass(120_000);
  assert.equal(world.requests.length, length, "a watch is open, and nobody asks");
  const { uid = "", resourceVersion = "" } = (await client.for(RackMachine).in("default").get("r")).metadata;
  await externals.patch(REFERENCE, "default", { metadata: { resourceVersion, labels: { a: "b" } } }, stop.signal);
  const patched = look();
  assert.deepEqual(patched.is === "there" && patched.object.metadata.labels, { a: "b" }, "shown as soon as it is done");
  await assert.rejects(
    externals.patch(REFERENCE, "default", { metadata: { resourceVersion, labels: { a: "c" } } }, stop.signal),
    /modified/,
  );
  await assert.rejects(externals.delete(REFERENCE, "default", "another", stop.signal));
  await externals.delete(REFERENCE, "default", uid, stop.signal);
  await world.pass(200);
  assert.deepEqual(look(), { is: "missing" });
  stop.abort();
  await running;
  await world.stop();
});
