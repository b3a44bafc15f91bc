/** MetalClusters on an API server in this process, under a virtual clock. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createMetalClusterController } from "#controllers/metal-cluster/controller.ts";
import { MANAGED_BY } from "#kinds/cluster/keys.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { MetalMachineTemplate } from "#kinds/infrastructure/v1alpha3/metal-machine-template.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
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
    await world.pass(2000);
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

test("control planes are placed where a Server of their class can be had: what is taken or another class's is no place", async () => {
  const at = (zone: string, role: string) => ({ labels: { "topology.kubernetes.io/zone": zone, role } });
  await site.addServer("a1", at("a", "cp"));
  await site.addServer("b1", at("b", "cp"));
  await site.addServer("c1", at("c", "worker"));
  await site.addClass("cps", { selector: { matchLabels: { role: "cp" } } });
  const controlPlaneRef = { apiGroup: TalosControlPlane.group, kind: TalosControlPlane.kind, name: "c-cp" };
  const cluster = await site.addCluster("c", { isProvisioned: false, infrastructureRef, controlPlaneRef });
  await metalClusters().create({
    metadata: { name: "c", namespace: "default", ownerReferences: [ownerReference(cluster)] },
    spec: { controlPlaneEndpoint: { host: "a", port: 1 } },
  });
  world.run(createMetalClusterController(true));
  const places = async () => {
    await world.pass(3000);
    const { failureDomains = [] } = (await metalClusters().get("c")).status ?? {};
    return failureDomains.flatMap(({ name, controlPlane }) => (controlPlane === true ? [name] : []));
  };
  assert.deepEqual(await places(), ["a", "b", "c"], "as long as nothing is known");
  const metadata = { name: "c-cp", namespace: "default" };
  await world.client
    .for(MetalMachineTemplate)
    .create({ metadata, spec: { template: { spec: { serverClassRef: { name: "cps" } } } } });
  await world.client.for(TalosControlPlane).create({
    metadata,
    spec: {
      version: "v1.34.1",
      infrastructureTemplate: {
        apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3",
        kind: "MetalMachineTemplate",
        name: "c-cp",
      },
      controlPlaneConfig: { controlplane: { generateType: "controlplane" } },
    },
  });
  assert.deepEqual(await places(), ["a", "b"]);
  const bindings = world.client.for(ServerBinding);
  await bindings.create({ metadata: { name: "a1" }, spec: { metalMachineRef: { name: "m", namespace: "default" } } });
  assert.deepEqual(await places(), ["b"]);
  await site.setServer("b1", { isClean: false });
  assert.deepEqual(await places(), []);
  await bindings.delete("a1");
  await site.addServer("c2", at("c", "cp"));
  assert.deepEqual(await places(), ["a", "c"]);
  const { length } = world.requests.filter(isWrite);
  await site.setServer("c2", { power: "on" });
  await world.client.for(Server).patch("b1", { spec: { hostname: "x" } });
  await world.pass(10_000);
  assert.equal(world.requests.filter(isWrite).length, length);
});
