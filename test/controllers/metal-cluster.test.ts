/** MetalClusters on an API server in this process, under a virtual clock. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createMetalClusterController } from "#controllers/metal-cluster/controller.ts";
import { MANAGED_BY } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { findCondition } from "#schema/condition.ts";
import { isWrite, startWorld, type World } from "../kube/world.ts";
import { ownerReference, Site } from "./infrastructure.ts";

let world: World;
let site: Site;
const metalClusters = () => world.client.for(MetalCluster).in("default");
const infrastructureRef = { apiGroup: MetalCluster.group, kind: MetalCluster.kind, name: "c" };

async function add(spec: MetalCluster["spec"] = {}, annotations: Record<string, string> = {}): Promise<void> {
  const cluster = await site.addCluster("c", { isProvisioned: false, infrastructureRef });
  const ownerReferences = [ownerReference(cluster)];
  await metalClusters().create({ metadata: { name: "c", namespace: "default", ownerReferences, annotations }, spec });
}

async function ready() {
  const { status } = await metalClusters().get("c");
  return [status?.ready, status?.initialization?.provisioned, findCondition(status?.conditions ?? [], "Ready")?.reason];
}

beforeEach(async () => {
  world = await startWorld();
  site = new Site(world.client);
});
afterEach(() => world.stop());

test("it is ready in both contracts once its endpoint is known, its own or its Cluster's, and stays so", async () => {
  await add();
  world.run(createMetalClusterController());
  await world.pass(500);
  assert.deepEqual(await ready(), [false, undefined, "WaitingForControlPlaneEndpoint"]);
  const endpoint = { host: "10.5.0.100", port: 6443 };
  await world.client
    .for(Cluster)
    .in("default")
    .patch("c", { spec: { controlPlaneEndpoint: endpoint } });
  await world.pass(500);
  assert.deepEqual(await ready(), [true, true, "Ready"]);
  await metalClusters().patch("c", { spec: { controlPlaneEndpoint: endpoint } });
  await world.client
    .for(Cluster)
    .in("default")
    .patch("c", { spec: { controlPlaneEndpoint: null } });
  await world.pass(500);
  assert.deepEqual(await ready(), [true, true, "Ready"]);
  await metalClusters().patch("c", { spec: { controlPlaneEndpoint: null } });
  await world.pass(500);
  assert.deepEqual(await ready(), [true, true, "WaitingForControlPlaneEndpoint"]);
});

test("failure domains are those of accepted Servers, by our label before the well-known one", async () => {
  const zone = (name: string) => ({ labels: { "topology.kubernetes.io/zone": name } });
  await add({ controlPlaneEndpoint: { host: "a", port: 1 } });
  await site.addServer("s1", zone("b"));
  await site.addServer("s2", zone("b"));
  await site.addServer("s3", { ...zone("c"), spec: { accepted: false } });
  await site.addServer("s4");
  world.run(createMetalClusterController());
  const domains = async () => {
    await world.pass(500);
    return (await metalClusters().get("c")).status?.failureDomains?.map(({ name }) => name);
  };
  assert.deepEqual(await domains(), ["b"]);
  const { length } = world.requests.filter(isWrite);
  const servers = world.client.for(Server);
  await servers.delete("s1");
  assert.deepEqual(await domains(), ["b"]);
  assert.equal(world.requests.filter(isWrite).length, length);
  await servers.patch("s3", { spec: { accepted: true } });
  await servers.patch("s4", { metadata: { labels: { "metal.sidero.dev/failure-domain": "a", ...zone("c").labels } } });
  assert.deepEqual(await domains(), ["a", "b", "c"]);
  await servers.delete("s2");
  await servers.delete("s3");
  assert.deepEqual(await domains(), ["a"]);
});

test("nothing is touched of one that is paused, without an owner, or somebody else's", async () => {
  await add({ controlPlaneEndpoint: { host: "a", port: 1 } }, { [MANAGED_BY]: "terraform" });
  world.run(createMetalClusterController());
  await world.pass(500);
  const { metadata, status } = await metalClusters().get("c");
  assert.deepEqual([metadata.finalizers, status], [undefined, undefined]);
  await world.client
    .for(Cluster)
    .in("default")
    .patch("c", { spec: { paused: true } });
  await metalClusters().patch("c", { metadata: { annotations: { [MANAGED_BY]: null } } });
  await world.pass(500);
  assert.deepEqual(await ready(), [false, undefined, undefined]);
  await world.client
    .for(Cluster)
    .in("default")
    .patch("c", { spec: { paused: false } });
  await world.pass(500);
  assert.deepEqual(await ready(), [true, true, "Ready"]);
  await metalClusters().delete("c");
  await world.pass(500);
  await assert.rejects(metalClusters().get("c"), { code: "api.not-found" });
});
