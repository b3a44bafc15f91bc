/** Clusters and Machines in the words of Cluster API v1alpha2, as the guides of that age write them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inlineController } from "#controllers/machine/inline.ts";
import { Cluster as OldCluster } from "#kinds/cluster/v1alpha2/cluster.ts";
import { Machine as OldMachine } from "#kinds/cluster/v1alpha2/machine.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha2/metal-cluster.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha2/metal-machine.ts";
import { MetalMachine as NewMetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { SecretKind } from "../kube/workload-cluster.ts";
import { ClusterWorld } from "./cluster-world.ts";

const CONFIG = "machine:\n  type: worker\n  token: hunter2\n";

test("a Machine that carries its configuration is bootstrapped from a Secret that holds it", async () => {
  const world = await ClusterWorld.start(() => [inlineController]);
  await world.of(MetalCluster).create({ metadata: { name: "c" }, spec: { apiEndpoints: [{ host: "10.0.0.1", port: 6443 }] } });
  const apiVersion = "infrastructure.cluster.x-k8s.io/v1alpha2";
  await world.of(OldCluster).create({
    metadata: { name: "c" },
    spec: {
      clusterNetwork: { services: { cidrBlocks: ["10.96.0.0/12"] }, pods: { cidrBlocks: ["192.168.0.0/16"] } },
      infrastructureRef: { apiVersion, kind: "MetalCluster", name: "c" },
    },
  });
  await world.of(MetalMachine).create({ metadata: { name: "m" }, spec: { serverRef: { name: "s" } } });
  await world.of(OldMachine).create({
    metadata: { name: "m", labels: { "cluster.x-k8s.io/cluster-name": "c" } },
    spec: {
      bootstrap: { data: btoa(CONFIG) },
      infrastructureRef: { apiVersion, kind: "MetalMachine", name: "m" },
      version: "1.16.2",
    },
  });
  await world.pass(1_000);
  const machine = await world.of(Machine).get("m");
  assert.equal(machine.spec?.clusterName, "c");
  assert.equal(machine.spec?.version, "v1.16.2");
  assert.equal(machine.spec?.bootstrap.dataSecretName, "m-bootstrap-data");
  assert.equal(machine.status?.initialization?.bootstrapDataSecretCreated, true);
  const secret = await world.of(SecretKind).get("m-bootstrap-data");
  assert.equal(atob(secret.data!["value"]!), CONFIG);
  assert.deepEqual(
    secret.metadata.ownerReferences?.map(({ kind, name, controller }) => [kind, name, controller]),
    [["Machine", "m", true]],
  );
  assert.equal((await world.of(OldMachine).get("m")).spec?.bootstrap.data, btoa(CONFIG), "as it was written");
  assert.deepEqual(
    (await world.of(NewMetalMachine).get("m")).metadata.ownerReferences?.map(({ kind }) => kind),
    ["Machine"],
  );

  await world.status(MetalCluster, "c", { ready: true });
  await world.pass(1_000);
  assert.deepEqual((await world.of(Cluster).get("c")).spec?.controlPlaneEndpoint, { host: "10.0.0.1", port: 6443 });
  assert.deepEqual((await world.of(OldCluster).get("c")).status?.apiEndpoints, [{ host: "10.0.0.1", port: 6443 }]);

  await world.of(SecretKind).delete("m-bootstrap-data");
  await world.pass(1_000);
  await world.of(SecretKind).get("m-bootstrap-data");
  const writes = world.writes();
  await world.pass(300_000);
  assert.equal(world.writes(), writes, "writes while nothing happens");
  await world.stop();
});

test("a Machine of v1alpha2 must say by label whose it is, and its data must be base64", async () => {
  const world = await ClusterWorld.start();
  const spec = { bootstrap: { data: "***" }, infrastructureRef: { kind: "MetalMachine", name: "m" } };
  await assert.rejects(
    world.of(OldMachine).create({ metadata: { name: "m" }, spec }),
    /metadata.labels\[cluster.x-k8s.io\/cluster-name\]: Required value.*spec.bootstrap.data: Invalid value: must be base64/s,
  );
  await world.stop();
});
