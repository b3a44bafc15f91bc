/** What our API server fills in and refuses of Clusters and Machines, in both versions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Cluster as OldCluster } from "#kinds/cluster/v1beta1/cluster.ts";
import { Machine as OldMachine } from "#kinds/cluster/v1beta1/machine.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { CLUSTER_NAME } from "#kinds/cluster/keys.ts";
import { startWorld } from "../kube/world.ts";

const metadata = { name: "m", namespace: "default" };

test("a Machine gets its Cluster's label, the v of its version and ten seconds to delete its Node, in either version", async () => {
  const world = await startWorld();
  const machines = world.client.for(Machine).in("default");
  const old = world.client.for(OldMachine).in("default");
  await old.create({
    metadata,
    spec: {
      clusterName: "c",
      version: "1.34.1",
      bootstrap: { configRef: { apiVersion: "bootstrap.cluster.x-k8s.io/v1alpha3", kind: "TalosConfig", name: "m" } },
      infrastructureRef: { apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3", kind: "MetalMachine", name: "m" },
      nodeDrainTimeout: "1m30s",
    },
  });
  const machine = await machines.get("m");
  assert.equal(machine.metadata.labels?.[CLUSTER_NAME], "c");
  assert.deepEqual(machine.spec, {
    clusterName: "c",
    version: "v1.34.1",
    bootstrap: { configRef: { apiGroup: "bootstrap.cluster.x-k8s.io", kind: "TalosConfig", name: "m" } },
    infrastructureRef: { apiGroup: "infrastructure.cluster.x-k8s.io", kind: "MetalMachine", name: "m" },
    deletion: { nodeDrainTimeoutSeconds: 90, nodeDeletionTimeoutSeconds: 10 },
  });
  assert.equal((await old.get("m")).spec?.infrastructureRef.apiVersion, "infrastructure.cluster.x-k8s.io/v1alpha3");
  await assert.rejects(
    machines.patch("m", { spec: { clusterName: "other" } }),
    /spec.clusterName: Forbidden: field is immutable/,
  );
  await assert.rejects(machines.patch("m", { spec: { version: "v1.x" } }), /must be a valid semantic version/);
  await assert.rejects(
    machines.patch("m", { spec: { bootstrap: { configRef: null } } }),
    /spec.bootstrap/,
    "a Machine whose configuration comes from nowhere",
  );
  await world.stop();
});

test("a Cluster's name must fit a label, and its topology's version gets its v", async () => {
  const world = await startWorld();
  const clusters = world.client.for(Cluster).in("default");
  await assert.rejects(
    clusters.create({ metadata: { name: "x".repeat(64), namespace: "default" } }),
    /no more than 63 characters/,
  );
  await world.client.for(OldCluster).create({ metadata, spec: { topology: { class: "k", version: "1.34.1" } } });
  assert.deepEqual((await clusters.get("m")).spec, { topology: { classRef: { name: "k" }, version: "v1.34.1" } });
  await world.stop();
});
