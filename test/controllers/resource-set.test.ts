/** Manifests get into clusters once, or again and again, and what has got there is on record. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createResourceSetController } from "#controllers/resource-set/controller.ts";
import { ConfigMap } from "#controllers/resource-set/resources.ts";
import { digest } from "#io/node/digest.ts";
import { ClusterResourceSet } from "#kinds/addons/v1beta2/cluster-resource-set.ts";
import { ClusterResourceSetBinding } from "#kinds/addons/v1beta2/cluster-resource-set-binding.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { isNotFound } from "#kube/status.ts";
import { SecretKind } from "../kube/workload-cluster.ts";
import { ClusterWorld, said } from "./cluster-world.ts";

const MANIFESTS = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: net }
data: { mtu: "1450" }
---
apiVersion: v1
kind: Namespace
metadata: { name: net }
`;

async function setUp(strategy: "ApplyOnce" | "Reconcile"): Promise<ClusterWorld> {
  const world = await ClusterWorld.start((ports) => [createResourceSetController({ ...ports, digest })]);
  await world.cluster();
  await world.of(Cluster).patch("c", { metadata: { labels: { cni: "ours" } } });
  await world.of(SecretKind).create({
    metadata: { name: "net" },
    type: "addons.cluster.x-k8s.io/resource-set",
    stringData: { "all.yaml": MANIFESTS },
  });
  await world.of(ClusterResourceSet).create({
    metadata: { name: "net" },
    spec: { clusterSelector: { matchLabels: { cni: "ours" } }, resources: [{ kind: "Secret", name: "net" }], strategy },
  });
  return world;
}

const settings = async (world: ClusterWorld) => (await world.workload.client.for(ConfigMap).in("net").get("settings")).data;

test("a Cluster gets its manifests once its control plane answers, and only once", async () => {
  const world = await setUp("ApplyOnce");
  const set = () => world.of(ClusterResourceSet).get("net");
  await world.pass(1_000);
  assert.equal(said(await set(), "ResourcesApplied"), "ResourcesApplied=False(NotApplied)");
  await world.bringUp();
  await world.pass(2_000);
  assert.deepEqual(await settings(world), { mtu: "1450" });
  assert.equal(said(await set(), "ResourcesApplied"), "ResourcesApplied=True");
  const binding = await world.of(ClusterResourceSetBinding).get("c");
  assert.equal(binding.spec?.clusterName, "c");
  assert.equal(binding.spec?.bindings?.[0]?.resources?.[0]?.applied, true);
  assert.match(binding.spec?.bindings?.[0]?.resources?.[0]?.hash ?? "", /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(
    binding.metadata.ownerReferences?.map(({ kind, name }) => `${kind} ${name}`),
    ["ClusterResourceSet net"],
  );
  assert.deepEqual(
    (await world.of(SecretKind).get("net")).metadata.ownerReferences?.map(({ kind }) => kind),
    ["ClusterResourceSet"],
  );

  await world.workload.client
    .for(ConfigMap)
    .in("net")
    .patch("settings", { data: { mtu: "9000" } });
  await world.of(SecretKind).patch("net", { data: { "all.yaml": btoa(MANIFESTS.replace("1450", "1400")) } });
  await world.pass(10_000);
  assert.deepEqual(await settings(world), { mtu: "9000" }, "it is the cluster's now");
  const writes = world.writes();
  await world.pass(300_000);
  assert.equal(world.writes(), writes, "writes while nothing happens");

  await world.of(ClusterResourceSet).delete("net");
  await world.pass(2_000);
  await assert.rejects(set(), isNotFound);
  await assert.rejects(world.of(ClusterResourceSetBinding).get("c"), isNotFound);
  assert.deepEqual(await settings(world), { mtu: "9000" }, "what a cluster has got it keeps");
  await world.stop();
});

test("with Reconcile, a changed manifest is applied again", async () => {
  const world = await setUp("Reconcile");
  await world.bringUp();
  await world.pass(2_000);
  await world.of(SecretKind).patch("net", { data: { "all.yaml": btoa(MANIFESTS.replace("1450", "1400")) } });
  await world.pass(2_000);
  assert.deepEqual(await settings(world), { mtu: "1400" });
  await world.stop();
});

test("what cannot be applied is told, does not keep the rest from being applied, and is tried again", async () => {
  const world = await setUp("ApplyOnce");
  const text = `${MANIFESTS}---\napiVersion: example.dev/v1\nkind: Widget\nmetadata: { name: w }\n`;
  await world.of(SecretKind).patch("net", { data: { "all.yaml": btoa(text) } });
  await world.bringUp();
  await world.pass(5_000);
  assert.deepEqual(await settings(world), { mtu: "1450" });
  const { conditions } = (await world.of(ClusterResourceSet).get("net")).status!;
  const applied = conditions!.find(({ type }) => type === "ResourcesApplied");
  assert.equal(applied?.status, "False");
  assert.match(applied?.message ?? "", /Widget w: the cluster knows no Widget in example.dev\/v1/);
  assert.equal((await world.of(ClusterResourceSetBinding).get("c")).spec?.bindings?.[0]?.resources?.[0]?.applied, false);
  await world.of(SecretKind).patch("net", { data: { "all.yaml": btoa(MANIFESTS) } });
  await world.pass(120_000);
  assert.equal(said(await world.of(ClusterResourceSet).get("net"), "ResourcesApplied"), "ResourcesApplied=True");
  await world.stop();
});

test("Secrets of other types are not copied into clusters", async () => {
  const world = await setUp("ApplyOnce");
  await world.of(SecretKind).create({ metadata: { name: "password" }, stringData: { "a.yaml": MANIFESTS } });
  await world.of(ClusterResourceSet).patch("net", { spec: { resources: [{ kind: "Secret", name: "password" }] } });
  await world.bringUp();
  await world.pass(5_000);
  await assert.rejects(settings(world), isNotFound);
  const { conditions } = (await world.of(ClusterResourceSet).get("net")).status!;
  assert.match(conditions!.find(({ type }) => type === "ResourcesApplied")?.message ?? "", /Secret password is not of type/);
  await world.stop();
});

test("a selector for everything is refused, and another one later", async () => {
  const world = await setUp("ApplyOnce");
  const sets = world.of(ClusterResourceSet);
  await assert.rejects(sets.create({ metadata: { name: "all" }, spec: { clusterSelector: {} } }), /selector must not be empty/);
  await assert.rejects(
    sets.patch("net", { spec: { clusterSelector: { matchLabels: { a: "b" } } } }),
    /clusterSelector: Forbidden: field is immutable/,
  );
  await world.stop();
});
