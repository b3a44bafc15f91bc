/** Clusters made from a ClusterClass with the Talos providers' templates, on an API server in this process (facts §1.9). */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createClusterClassController } from "#controllers/cluster-class/controller.ts";
import { createTopologyController } from "#controllers/cluster-topology/controller.ts";
import { createMachineDeploymentController } from "#controllers/machine-deployment/controller.ts";
import { createMachineSetController } from "#controllers/machine-set/controller.ts";
import { TalosConfigTemplate } from "#kinds/bootstrap/v1beta1/talos-config-template.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { ClusterClass } from "#kinds/cluster/v1beta2/cluster-class.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { MachineHealthCheck } from "#kinds/cluster/v1beta2/machine-health-check.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { TalosControlPlaneTemplate } from "#kinds/controlplane/v1alpha3/talos-control-plane-template.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import { MetalClusterTemplate } from "#kinds/infrastructure/v1alpha3/metal-cluster-template.ts";
import { MetalMachineTemplate } from "#kinds/infrastructure/v1alpha3/metal-machine-template.ts";
import type { KindRef } from "#kube/kind.ts";
import { findCondition } from "#schema/condition.ts";
import type { KubeObject } from "#schema/meta.ts";
import { isWrite, startWorld, type World } from "../kube/world.ts";
import { NAMESPACE, setPorts, settleMachines } from "./sets.ts";

let world: World;
let end: AbortController;

beforeEach(async () => {
  end = new AbortController();
  world = await startWorld();
  await addClass();
});
afterEach(async () => {
  end.abort();
  await world.stop();
});

function of<T extends KubeObject>(kind: KindRef<T>) {
  return world.client.for(kind).in(NAMESPACE);
}
async function only<T extends KubeObject>(kind: KindRef<T>): Promise<T> {
  const { items } = await of(kind).list();
  assert.equal(items.length, 1, `${items.length} of ${kind.kind}`);
  return items[0]!;
}

async function addClass(): Promise<void> {
  const infrastructure = (kind: string, name: string) => ({
    templateRef: { apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3", kind, name },
  });
  const metadata = (name: string) => ({ name, namespace: NAMESPACE });
  await of(MetalClusterTemplate).create({
    metadata: metadata("site"),
    spec: { template: { spec: { controlPlaneEndpoint: { host: "10.0.0.1", port: 6443 } } } },
  });
  for (const name of ["cp", "w"])
    await of(MetalMachineTemplate).create({
      metadata: metadata(name),
      spec: { template: { spec: { serverClassRef: { name: "any" } } } },
    });
  await of(TalosConfigTemplate).create({
    metadata: metadata("w"),
    spec: { template: { spec: { generateType: "worker", talosVersion: "v1.13" } } },
  });
  const plane = { controlPlaneConfig: { controlplane: { generateType: "controlplane" as const } } };
  await of(TalosControlPlaneTemplate).create({ metadata: metadata("cp"), spec: { template: { spec: plane } } });
  await of(ClusterClass).create({
    metadata: metadata("metal"),
    spec: {
      infrastructure: infrastructure("MetalClusterTemplate", "site"),
      controlPlane: {
        templateRef: { apiVersion: "controlplane.cluster.x-k8s.io/v1alpha3", kind: "TalosControlPlaneTemplate", name: "cp" },
        machineInfrastructure: infrastructure("MetalMachineTemplate", "cp"),
      },
      workers: {
        machineDeployments: [
          {
            class: "default",
            metadata: { labels: { sort: "worker" } },
            bootstrap: {
              templateRef: { apiVersion: "bootstrap.cluster.x-k8s.io/v1beta1", kind: "TalosConfigTemplate", name: "w" },
            },
            infrastructure: infrastructure("MetalMachineTemplate", "w"),
            healthCheck: { checks: { unhealthyNodeConditions: [{ type: "Ready", status: "Unknown", timeoutSeconds: 300 }] } },
          },
        ],
      },
      variables: [
        { name: "endpoint", required: true, schema: { openAPIV3Schema: { type: "string", minLength: 1 } } },
        {
          name: "servers",
          required: false,
          schema: { openAPIV3Schema: { type: "object", properties: { class: { type: "string", default: "any" } }, default: {} } },
        },
        { name: "proxy", required: false, schema: { openAPIV3Schema: { type: "string" } } },
      ],
      patches: [
        {
          name: "endpoint",
          definitions: [
            {
              selector: {
                apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3",
                kind: "MetalClusterTemplate",
                matchResources: { infrastructureCluster: true },
              },
              jsonPatches: [
                { op: "replace", path: "/spec/template/spec/controlPlaneEndpoint/host", valueFrom: { variable: "endpoint" } },
              ],
            },
          ],
        },
        {
          name: "servers",
          definitions: [
            {
              selector: {
                apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3",
                kind: "MetalMachineTemplate",
                matchResources: { machineDeploymentClass: { names: ["def*"] } },
              },
              jsonPatches: [
                { op: "replace", path: "/spec/template/spec/serverClassRef/name", valueFrom: { variable: "servers.class" } },
              ],
            },
          ],
        },
        {
          name: "proxy",
          enabledIf: '{{ if ne .builtin.cluster.name "plain" }}true{{ end }}',
          definitions: [
            {
              selector: {
                apiVersion: "bootstrap.cluster.x-k8s.io/v1beta1",
                kind: "TalosConfigTemplate",
                matchResources: { machineDeploymentClass: { names: ["default"] } },
              },
              jsonPatches: [
                {
                  op: "add",
                  path: "/spec/template/spec/strategicPatches",
                  valueFrom: {
                    template: "- |\n  machine:\n    nodeLabels:\n      set: {{ .builtin.machineDeployment.topologyName }}\n",
                  },
                },
              ],
            },
          ],
        },
      ],
    } as never,
  });
}

type Topology = NonNullable<NonNullable<Cluster["spec"]>["topology"]>;

async function addCluster(topology: Partial<Topology> = {}): Promise<Cluster> {
  return await of(Cluster).create({
    metadata: { name: "c", namespace: NAMESPACE },
    spec: {
      topology: {
        classRef: { name: "metal" },
        version: "v1.34.1",
        controlPlane: { replicas: 3 },
        workers: { machineDeployments: [{ class: "default", name: "blue", replicas: 2 }] },
        variables: [{ name: "endpoint", value: "10.9.9.9" }],
        ...topology,
      },
    },
  });
}
function start(): void {
  const ports = setPorts(world, end.signal);
  world.run(
    createClusterClassController(ports),
    createTopologyController(ports),
    createMachineDeploymentController(ports),
    createMachineSetController(ports),
  );
}
async function condition() {
  const { status, message } = findCondition((await of(Cluster).get("c")).status?.conditions ?? [], "TopologyReconciled") ?? {};
  return [status, message];
}
/** The control plane's own controller says that all its machines run this. */
async function planeRuns(version: string): Promise<void> {
  const plane = await only(TalosControlPlane);
  const counts = { replicas: 3, readyReplicas: 3, updatedReplicas: 3, upToDateReplicas: 3 };
  await of(TalosControlPlane).update(
    { ...plane, status: { ...counts, version, versions: [{ version, replicas: 3 }] } },
    { subresource: "status" },
  );
}
async function settle(rounds = 6): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    await world.pass(1500);
    await settleMachines(world);
  }
}

describe("a topology", () => {
  test("becomes the objects that its class says, with variables patched in", async () => {
    const cluster = await addCluster({
      variables: [
        { name: "endpoint", value: "10.9.9.9" },
        { name: "servers", value: { class: "big" } },
      ],
    });
    start();
    await world.pass(3000);
    assert.deepEqual(await condition(), ["True", undefined]);
    const { spec } = await of(Cluster).get("c");
    const metal = await only(MetalCluster);
    assert.deepEqual(metal.spec?.controlPlaneEndpoint, { host: "10.9.9.9", port: 6443 });
    assert.deepEqual(spec?.infrastructureRef, {
      apiGroup: "infrastructure.cluster.x-k8s.io",
      kind: "MetalCluster",
      name: metal.metadata.name,
    });
    const plane = await only(TalosControlPlane);
    assert.match(plane.metadata.name ?? "", /^c-[a-z0-9]{5}$/);
    assert.deepEqual(spec?.controlPlaneRef, {
      apiGroup: "controlplane.cluster.x-k8s.io",
      kind: "TalosControlPlane",
      name: plane.metadata.name,
    });
    assert.deepEqual([plane.spec?.version, plane.spec?.replicas], ["v1.34.1", 3]);
    assert.deepEqual(plane.spec?.controlPlaneConfig, { controlplane: { generateType: "controlplane" } });
    const deployment = await only(MachineDeployment);
    const identity = {
      "cluster.x-k8s.io/cluster-name": "c",
      "topology.cluster.x-k8s.io/owned": "",
      "topology.cluster.x-k8s.io/deployment-name": "blue",
    };
    assert.deepEqual(deployment.spec?.selector.matchLabels, identity);
    assert.deepEqual(deployment.spec?.template.metadata?.labels, { ...identity, sort: "worker" });
    assert.match(deployment.metadata.name ?? "", /^c-blue-[a-z0-9]{5}$/);
    const { bootstrap, infrastructureRef } = deployment.spec.template.spec;
    const workers = await of(MetalMachineTemplate).get(infrastructureRef.name);
    assert.equal(workers.spec?.template.spec.serverClassRef?.name, "big");
    const planes = await of(MetalMachineTemplate).get(plane.spec?.machineTemplate?.spec?.infrastructureRef?.name ?? "");
    assert.equal(planes.spec?.template.spec.serverClassRef?.name, "any", "the patch is for workers");
    const config = await of(TalosConfigTemplate).get(bootstrap.configRef?.name ?? "");
    assert.deepEqual(config.spec?.template.spec.strategicPatches, ["machine:\n  nodeLabels:\n    set: blue\n"]);
    assert.deepEqual(
      config.metadata.ownerReferences?.map(({ kind, uid }) => [kind, uid]),
      [["Cluster", cluster.metadata.uid]],
    );
    const check = await only(MachineHealthCheck);
    assert.deepEqual([check.metadata.name, check.spec?.selector.matchLabels], [deployment.metadata.name, identity]);
  });

  test("says nothing more once all is as it should be, and puts back what others take away", async () => {
    await addCluster();
    start();
    await planeSettled();
    const before = world.requests.filter(isWrite).length;
    await of(Cluster).patch("c", { metadata: { annotations: { irrelevant: "x" } } });
    await world.pass(60_000);
    assert.deepEqual(world.requests.filter(isWrite).slice(before), []);
    const { metadata } = await only(MachineDeployment);
    await of(MachineDeployment).patch(metadata.name ?? "", {
      metadata: { labels: { sort: null, mine: "kept" } },
      spec: { replicas: 7 },
    });
    await world.pass(2000);
    const { metadata: after, spec } = await only(MachineDeployment);
    assert.deepEqual([after.labels?.["sort"], after.labels?.["mine"], spec?.replicas], ["worker", "kept", 2]);
  });

  async function planeSettled(): Promise<void> {
    await world.pass(3000);
    await planeRuns("v1.34.1");
    await settle();
  }

  test("gives back what it no longer says, and leaves to others what it never said", async () => {
    await addCluster({
      workers: {
        machineDeployments: [{ class: "default", name: "blue", minReadySeconds: 9, metadata: { labels: { tier: "a" } } }],
      },
    });
    start();
    await world.pass(3000);
    const { metadata, spec } = await only(MachineDeployment);
    assert.deepEqual([spec?.template.spec.minReadySeconds, metadata.labels?.["tier"], spec?.replicas], [9, "a", 1]);
    await of(MachineDeployment).patch(metadata.name ?? "", { spec: { replicas: 4 } });
    await of(Cluster).patch("c", {
      spec: { topology: { workers: { machineDeployments: [{ class: "default", name: "blue" }] } } },
    });
    await world.pass(3000);
    const { metadata: after, spec: left } = await only(MachineDeployment);
    assert.deepEqual([left?.template.spec.minReadySeconds, after.labels?.["tier"], left?.replicas], [undefined, undefined, 4]);
  });

  test("rolls machines onto another template when a variable changes", async () => {
    await addCluster();
    start();
    await planeSettled();
    const name = (await only(MachineDeployment)).spec?.template.spec.infrastructureRef.name;
    const variables = [
      { name: "endpoint", value: "10.9.9.9" },
      { name: "servers", value: { class: "big" } },
    ];
    await of(Cluster).patch("c", { spec: { topology: { variables } } });
    await world.pass(2000);
    const next = (await only(MachineDeployment)).spec?.template.spec.infrastructureRef.name;
    assert.notEqual(next, name);
    assert.equal((await of(MetalMachineTemplate).get(next ?? "")).spec?.template.spec.serverClassRef?.name, "big");
    await settle(12);
    const machines = (await of(Machine).list()).items;
    assert.equal(machines.length, 2);
    const { items } = await of(MetalMachineTemplate).list();
    const names = items.map(({ metadata }) => metadata.name).filter((each) => each?.startsWith("c-blue-"));
    assert.deepEqual(names, [next], "the template that no machines are made from any more is gone");
  });

  test("keeps machines on a template of another name that says the same as it is read now", async () => {
    await addCluster();
    start();
    await planeSettled();
    await settle(6);
    // As if it had been named before its kind got a default more: then the name would come out otherwise today.
    const { metadata, spec } = await only(MachineDeployment);
    const { metadata: made, spec: says } = await of(MetalMachineTemplate).get(spec!.template.spec.infrastructureRef.name);
    const { labels, annotations, ownerReferences, namespace } = made;
    const old = {
      name: "c-blue-from-before",
      namespace: namespace!,
      labels: labels!,
      annotations: annotations!,
      ownerReferences: ownerReferences!,
    };
    await of(MetalMachineTemplate).create({ metadata: old, spec: says! });
    await of(MachineDeployment).patch(metadata.name!, {
      spec: { template: { spec: { infrastructureRef: { name: old.name } } } },
    });
    await world.pass(3000);
    assert.equal((await only(MachineDeployment)).spec?.template.spec.infrastructureRef.name, old.name);
    await settle(6);
    await world.pass(60_000);
    assert.equal((await only(MachineDeployment)).spec?.template.spec.infrastructureRef.name, old.name);
  });

  test("is upgraded one part after the other: the control plane, then one set of workers at a time", async () => {
    const sorts = ["blue", "green"].map((name) => ({ class: "default", name, replicas: 1 }));
    await addCluster({ workers: { machineDeployments: sorts } });
    start();
    await planeSettled();
    const versions = async () => {
      const { items } = await of(MachineDeployment).list();
      const workers = items
        .toSorted((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1))
        .map(({ spec }) => spec?.template.spec.version);
      return [(await only(TalosControlPlane)).spec?.version, ...workers];
    };
    await of(Cluster).patch("c", { spec: { topology: { version: "v1.35.0" } } });
    await world.pass(2000);
    assert.deepEqual(await versions(), ["v1.35.0", "v1.34.1", "v1.34.1"]);
    assert.match(String((await condition())[1]), /MachineDeployment c-blue-\w+ stays at v1.34.1: others go first/);
    await planeRuns("v1.35.0");
    await world.pass(1000);
    assert.deepEqual(await versions(), ["v1.35.0", "v1.35.0", "v1.34.1"]);
    await settle();
    assert.deepEqual(await versions(), ["v1.35.0", "v1.35.0", "v1.35.0"]);
    await settle();
    assert.deepEqual(await condition(), ["True", undefined]);
  });

  test("takes away workers that it does not name any more", async () => {
    await addCluster();
    start();
    await planeSettled();
    await of(Cluster).patch("c", { spec: { topology: { workers: null } } });
    await settle();
    assert.deepEqual([(await of(MachineDeployment).list()).items, (await of(MachineHealthCheck).list()).items], [[], []]);
  });

  for (const [name, topology, message] of [
    ["lacks a variable", { variables: [{ name: "servers", value: {} }] }, /variable endpoint is required/],
    [
      "has one of another type",
      { variables: [{ name: "endpoint", value: 7 }] },
      /variable endpoint: Invalid value.*must be of type string/,
    ],
    [
      "has one that nobody knows",
      {
        variables: [
          { name: "endpoint", value: "x" },
          { name: "ghost", value: 1 },
        ],
      },
      /variable ghost is not defined/,
    ],
    ["wants workers of no class", { workers: { machineDeployments: [{ class: "gpu", name: "x" }] } }, /no workers of class gpu/],
    ["is of no class", { classRef: { name: "ghost" } }, /the ClusterClass does not exist/],
  ] as const)
    test(`that ${name} is told so, and makes nothing`, async () => {
      await addCluster(topology as unknown as Partial<Topology>);
      start();
      await world.pass(2000);
      const [status, said] = await condition();
      assert.equal(status, "False");
      assert.match(String(said), message);
      assert.deepEqual((await of(MetalCluster).list()).items, []);
    });
});

test("a class owns its templates, and tells its variables and what is missing", async () => {
  start();
  await world.pass(3000);
  const { metadata, status } = await of(ClusterClass).get("metal");
  const { metadata: template } = await of(MetalMachineTemplate).get("w");
  assert.deepEqual(
    template.ownerReferences?.map(({ kind, uid }) => [kind, uid]),
    [["ClusterClass", metadata.uid]],
  );
  assert.deepEqual(
    ((status?.variables ?? []) as { name: string }[]).map(({ name }) => name),
    ["endpoint", "servers", "proxy"],
  );
  const missing = async () =>
    findCondition((await of(ClusterClass).get("metal")).status?.conditions ?? [], "RefVersionsUpToDate")?.message;
  assert.equal(await missing(), undefined);
  await of(TalosConfigTemplate).delete("w");
  await world.pass(2000);
  assert.equal(await missing(), "* TalosConfigTemplate w does not exist");
});
