/** The whole road in the simulated hall: from machines in a rack to a cluster whose Nodes are ready, smaller, larger, and back to clean machines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TalosConfigTemplate } from "#kinds/bootstrap/v1beta1/talos-config-template.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import { MetalMachineTemplate } from "#kinds/infrastructure/v1alpha3/metal-machine-template.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { type KindRef, kindRef } from "#kube/kind.ts";
import { KINDS } from "../../sim/trial/tenant.ts";
import type { Loose, Wanted } from "../../sim/trial/tenant.ts";
import { hallOf, isFree, MINUTE, nodesAre, nodesOf, type Road, until } from "./road.ts";

const WANTED: Wanted = { name: "one", host: "10.77.0.100", controlPlanes: 1, workers: 2 };

function condition({ status }: Loose, type: string): unknown {
  const { conditions = [] } = (status ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.find((each) => each.type === type)?.status;
}

test("from a rack of machines to a cluster of one and two, to one worker, to three, and back to clean machines", async (context) => {
  const road = await hallOf(5);
  const { trial, tenant } = road;
  const { hall, ledger } = trial;
  const began = hall.clock.monotonic();
  await hall.during(tenant.apply(WANTED));
  await until(road, "the cluster has its nodes", 30, nodesAre(road, "one", 3));
  context.diagnostic(`from apply to ready: ${((hall.clock.monotonic() - began) / 1000).toFixed(0)} s`);

  // What is promised to whoever looks at it.
  const nodes = await hall.during(nodesOf(road, "one"));
  const bound = [...ledger.bindings.keys()].map((uuid) => `sidero://${uuid}`);
  assert.deepEqual(nodes.map(({ spec }) => spec?.providerID).toSorted(), bound.toSorted());
  const machines = (await hall.during(tenant.of("machine").list())).items;
  assert.deepEqual(
    machines.map(({ status }) => (status?.["nodeRef"] as { name: string } | undefined)?.name).toSorted(),
    nodes.map(({ metadata }) => metadata.name).toSorted(),
  );
  const isAvailable = async (): Promise<boolean> => condition(await tenant.of("cluster").get("one"), "Available") === "True";
  await until(road, "the Cluster says so", 5, isAvailable);
  const secret = await hall.during(tenant.of("secret").get("one-kubeconfig"));
  assert.equal(secret.type, "cluster.x-k8s.io/secret");
  assert.equal(secret.metadata.labels?.["cluster.x-k8s.io/cluster-name"], "one");

  await hall.during(tenant.scaleWorkers("one", 1));
  await until(road, "one worker less", 10, nodesAre(road, "one", 2));
  const free = (count: number) => async (): Promise<boolean> =>
    hall.machines.filter((machine) => isFree(road, machine)).length === count;
  await until(road, "the released machine is clean and off", 40, free(3));
  for (const machine of hall.machines) if (isFree(road, machine)) assert.deepEqual(machine.dirtyDisks("fast"), []);

  await hall.during(tenant.scaleWorkers("one", 3));
  await until(road, "two more", 20, nodesAre(road, "one", 4));

  await hall.during(tenant.delete("one"));
  await until(road, "all machines are clean and off", 60, free(5));
  await until(road, "nothing is left of it", 10, async () => {
    const kinds = ["cluster", "machine", "metalMachine", "controlPlane", "deployment"] as const;
    const left = await Promise.all(kinds.map((kind) => tenant.of(kind).list()));
    return left.every(({ items }) => items.length === 0);
  });
  assert.deepEqual(
    (await hall.during(tenant.of("secret").list())).items.filter(({ metadata }) => metadata.name!.startsWith("one")),
    [],
  );
  for (const machine of hall.machines) assert.equal(machine.installed, undefined, machine.identity.serial);
  await hall.stop();
});

test("a cluster that runs writes nothing", async () => {
  const road = await hallOf(6);
  const { hall } = road.trial;
  await hall.during(road.tenant.apply({ ...WANTED, controlPlanes: 3 }));
  await until(road, "the cluster has its nodes", 30, nodesAre(road, "one", 5));
  await hall.pass(10 * MINUTE);
  const written: string[] = [];
  // Leadership beats, and Events are forgotten after their hour.
  hall.process!.store.subscribe(undefined, ({ type, entry }) => {
    const isUsual = entry.resource === "coordination.k8s.io/leases" || (entry.resource === "/events" && type === "DELETED");
    if (!isUsual) written.push(`${type} ${entry.resource} ${entry.name}`);
  });
  await hall.pass(60 * MINUTE);
  assert.deepEqual(written, []);
  await hall.stop();
});

/** Everything that belongs to clusters, with `Kind/name → [owners, with a star behind who controls; finalizers]`. */
async function graphOf({ trial }: Road): Promise<Map<string, readonly [owners: string, finalizers: string]>> {
  const { client } = trial.hall.process!;
  const graph = new Map<string, readonly [string, string]>();
  for (const kind of OWNED) {
    const { items } = await client.for<Loose>(kind).list();
    for (const { metadata } of items) {
      const { ownerReferences = [], finalizers = [] } = metadata;
      const owners = ownerReferences.map((owner) => `${owner.kind}${owner.controller === true ? "*" : ""}`);
      if (kind.kind !== "Secret" || metadata.name!.startsWith("one-"))
        graph.set(`${kind.kind}/${metadata.name}`, [owners.toSorted().join(" "), finalizers.toSorted().join(" ")]);
    }
  }
  return graph;
}

const core = (kind: string): KindRef =>
  kindRef({ group: "cluster.x-k8s.io", version: "v1beta2", kind, plural: `${kind.toLowerCase()}s`, scope: "Namespaced" });
const OWNED: readonly KindRef[] = [
  ...["Cluster", "Machine", "MachineSet", "MachineDeployment"].map(core),
  MetalCluster,
  MetalMachine,
  MetalMachineTemplate,
  TalosConfig,
  TalosConfigTemplate,
  TalosControlPlane,
  KINDS.secret,
];

/** Cluster API's own tests ask for this (§2.8). */
test("owner references and finalizers are those of the contract, and come back when somebody takes all of them away", async () => {
  const road = await hallOf(4);
  const { hall } = road.trial;
  await hall.during(road.tenant.apply({ ...WANTED, workers: 1 }));
  await until(road, "the cluster has its nodes", 30, nodesAre(road, "one", 2));
  await hall.pass(5 * MINUTE);
  const before = await hall.during(graphOf(road));
  const owners = (kind: string) =>
    [...new Set([...before].filter(([id]) => id.startsWith(`${kind}/`)).map(([, [names]]) => names))].toSorted();
  const graph = {
    Cluster: [""],
    MetalCluster: ["Cluster"],
    TalosControlPlane: ["Cluster"],
    MachineDeployment: ["Cluster"],
    MachineSet: ["MachineDeployment*"],
    Machine: ["MachineSet*", "TalosControlPlane*"],
    MetalMachine: ["Machine*"],
    TalosConfig: ["Machine*"],
    MetalMachineTemplate: ["Cluster"],
    TalosConfigTemplate: ["Cluster"],
  };
  for (const [kind, expected] of Object.entries(graph)) assert.deepEqual(owners(kind), expected, kind);
  assert.deepEqual(before.get("Secret/one-kubeconfig")?.[0], "TalosControlPlane*");
  assert.deepEqual(
    [...before].filter(([id]) => id.endsWith("-bootstrap-data")).map(([, [names]]) => names),
    ["TalosConfig*", "TalosConfig*"],
  );

  const strip = async (): Promise<void> => {
    const { client } = hall.process!;
    for (const kind of OWNED) {
      const resource = client.for<Loose>(kind);
      for (const { metadata } of (await resource.list()).items) {
        if (!before.has(`${kind.kind}/${metadata.name}`)) continue;
        await resource.in("default").patch(metadata.name!, { metadata: { ownerReferences: null, finalizers: null } });
      }
    }
  };
  await hall.during(strip());
  await hall.pass(10 * MINUTE);
  assert.deepEqual(await hall.during(graphOf(road)), before);
  await until(road, "the cluster has its nodes still", 1, nodesAre(road, "one", 2));
  await hall.stop();
});
