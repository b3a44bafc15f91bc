/** Clusters of Cluster API, where the kind is there, comes later, or never. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silent } from "#io/log.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { familiesOf } from "#kinds/index.ts";
import { kindRef } from "#kube/kind.ts";
import { createClusters } from "#main/clusters.ts";
import type { KubeObject } from "#schema/meta.ts";
import { startWorld } from "../kube/world.ts";

const definition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "clusters.cluster.x-k8s.io" },
  spec: {
    group: "cluster.x-k8s.io",
    names: { kind: "Cluster", plural: "clusters", singular: "cluster", listKind: "ClusterList" },
    scope: "Namespaced",
    versions: [
      {
        name: "v1beta1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
} as const;
const Definition = kindRef<KubeObject>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  scope: "Cluster",
});
const Cluster = kindRef<KubeObject>({
  group: "cluster.x-k8s.io",
  version: "v1beta1",
  kind: "Cluster",
  plural: "clusters",
  scope: "Namespaced",
});

test("without the kind no cluster is paused; with it, those are that say so, now and from the cache", async () => {
  const world = await startWorld({ families: familiesOf([]) });
  const { client, clock } = world;
  const stop = new AbortController();
  const { clusters, run, known } = createClusters({ client, clock, entropy: new SeededEntropy(1), log: silent });
  assert.equal(clusters.isPaused("default", "c"), undefined, "not asked yet");
  assert.equal(clusters.isThere("default", "c"), undefined, "not asked yet");
  const running = run(stop.signal);
  const asked = known(stop.signal);
  await world.pass(500);
  await asked;
  assert.equal(clusters.isPaused("default", "c"), false);
  assert.equal(await clusters.isPausedNow("default", "c"), false);

  const told: string[] = [];
  const end = clusters.onChange((namespace, name) => void told.push(`${namespace}/${name}`));
  await client.for(Definition).create(definition);
  await world.pass(10_000);
  const place = client.for(Cluster).in("default");
  await place.create({ metadata: { name: "c" }, spec: { paused: true } });
  await world.pass(200);
  assert.equal(clusters.isPaused("default", "c"), true);
  assert.equal(await clusters.isPausedNow("default", "c"), true);
  assert.equal(clusters.isPaused("other", "c"), false);
  assert.deepEqual([clusters.isThere("default", "c"), clusters.isThere("other", "c")], [true, false]);
  await place.patch("c", { metadata: { labels: { a: "b" } } });
  await place.patch("c", { spec: { paused: false } });
  await world.pass(200);
  assert.equal(clusters.isPaused("default", "c"), false);
  assert.deepEqual(told, ["default/c", "default/c"]);
  end();
  stop.abort();
  await Promise.all([running, world.pass(10)]);
  await world.stop();
});

test("of our own kind, too", async () => {
  const world = await startWorld();
  const { client, clock } = world;
  const stop = new AbortController();
  const { clusters, run } = createClusters({ client, clock, entropy: new SeededEntropy(1), log: silent, isOurs: true });
  const running = run(stop.signal);
  await client.for(Cluster).create({ metadata: { name: "c", namespace: "default" }, spec: { paused: true } });
  await world.pass(200);
  assert.equal(clusters.isPaused("default", "c"), true);
  assert.equal(await clusters.isPausedNow("default", "c"), true);
  stop.abort();
  await running;
  await world.stop();
});
