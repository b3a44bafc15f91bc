/** `sidero cluster …` word for word, on an API server in this process. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Command } from "commander";
import { parseAllDocuments } from "yaml";
import { addClusterCommands } from "#cli/cluster/commands.ts";
import type { Terminal } from "#cli/terminal.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { TalosConfigTemplate } from "#kinds/bootstrap/v1beta1/talos-config-template.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import { MetalMachineTemplate } from "#kinds/infrastructure/v1alpha3/metal-machine-template.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { KindRef } from "#kube/kind.ts";
import { entries, Secret } from "#kube/secret.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { startWorld, type World } from "../kube/world.ts";

const NOW = Date.UTC(2030, 0, 1, 12);
const since = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString().replace(/\.\d+/, "");

/** As the Go project's release has it: its variables, its versions of kinds, a selector that says nothing. */
const TEMPLATE = `
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {name: "\${CLUSTER_NAME}"}
spec:
  clusterNetwork: {pods: {cidrBlocks: [10.244.0.0/16]}, services: {cidrBlocks: [10.96.0.0/12]}}
  infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3, kind: MetalCluster, name: "\${CLUSTER_NAME}"}
  controlPlaneRef: {apiVersion: controlplane.cluster.x-k8s.io/v1alpha3, kind: TalosControlPlane, name: "\${CLUSTER_NAME}-cp"}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3
kind: MetalCluster
metadata: {name: "\${CLUSTER_NAME}"}
spec: {controlPlaneEndpoint: {host: "\${CONTROL_PLANE_ENDPOINT}", port: \${CONTROL_PLANE_PORT}}}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3
kind: MetalMachineTemplate
metadata: {name: "\${CLUSTER_NAME}-cp"}
spec: {template: {spec: {serverClassRef: {apiVersion: metal.sidero.dev/v1alpha2, kind: ServerClass, name: "\${CONTROL_PLANE_SERVERCLASS}"}}}}
---
apiVersion: controlplane.cluster.x-k8s.io/v1alpha3
kind: TalosControlPlane
metadata: {name: "\${CLUSTER_NAME}-cp"}
spec:
  version: \${KUBERNETES_VERSION}
  replicas: \${CONTROL_PLANE_MACHINE_COUNT}
  infrastructureTemplate: {kind: MetalMachineTemplate, apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3, name: "\${CLUSTER_NAME}-cp"}
  controlPlaneConfig: {controlplane: {generateType: controlplane, talosVersion: \${TALOS_VERSION}}}
---
apiVersion: bootstrap.cluster.x-k8s.io/v1alpha3
kind: TalosConfigTemplate
metadata: {name: "\${CLUSTER_NAME}-workers"}
spec: {template: {spec: {generateType: join, talosVersion: \${TALOS_VERSION}}}}
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: MachineDeployment
metadata: {name: "\${CLUSTER_NAME}-workers"}
spec:
  clusterName: \${CLUSTER_NAME}
  replicas: \${WORKER_MACHINE_COUNT}
  selector: {matchLabels: null}
  template:
    spec:
      version: \${KUBERNETES_VERSION}
      bootstrap: {configRef: {apiVersion: bootstrap.cluster.x-k8s.io/v1alpha3, kind: TalosConfigTemplate, name: "\${CLUSTER_NAME}-workers"}}
      clusterName: \${CLUSTER_NAME}
      infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3, kind: MetalMachineTemplate, name: "\${CLUSTER_NAME}-workers"}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3
kind: MetalMachineTemplate
metadata: {name: "\${CLUSTER_NAME}-workers"}
spec: {template: {spec: {serverClassRef: {apiVersion: metal.sidero.dev/v1alpha2, kind: ServerClass, name: "\${WORKER_SERVERCLASS}"}}}}
`;

let world: World;
let files: Record<string, string>;
beforeEach(async () => {
  files = { "template.yaml": TEMPLATE };
  world = await startWorld();
});
afterEach(() => world.stop());

/** What the command prints; a fault of its own is the last line. */
async function sidero(line: string, env: Record<string, string> = {}): Promise<string> {
  const said: string[] = [];
  const terminal: Terminal = {
    client: world.client,
    print: (text) => void said.push(`${text}\n`),
    style: (_how, text) => text,
    now: () => NOW,
  };
  const program = new Command("sidero").exitOverride();
  addClusterCommands(program, async () => ({ terminal, close: async () => {} }), {
    env,
    readFile: async (path) =>
      files[path] ?? Promise.reject(new Fault("cli.usage", `${path}: none`, { fault: "caller", retry: "never" })),
    writeFile: async (path, text) => void (files[path] = text),
    print: (text) => void said.push(text),
  });
  try {
    await program.parseAsync(line.split(" "), { from: "user" });
  } catch (error) {
    if (!Fault.is(error)) throw error;
    said.push(`${error.code}: ${error.message}\n`);
  }
  return said.join("");
}

const of = <T extends KubeObject>(kind: KindRef<T>, name: string, namespace = "default"): Promise<T> =>
  world.client.for(kind).in(namespace).get(name);

async function status<T extends KubeObject>(kind: KindRef<T>, name: string, said: object): Promise<T> {
  const object = await of(kind, name);
  return await world.client
    .for(kind)
    .in("default")
    .update({ ...object, status: said }, { subresource: "status" });
}

describe("create", () => {
  const line = "cluster create demo --endpoint 10.5.0.10 --control-planes 3 --workers 5 --class big --talos-version v1.12.4";

  test("makes the objects of a cluster", async () => {
    assert.equal(
      await sidero(line),
      [
        "Cluster/demo",
        "MetalCluster/demo",
        "MetalMachineTemplate/demo-cp",
        "TalosControlPlane/demo-cp",
        "MetalMachineTemplate/demo-workers",
        "TalosConfigTemplate/demo-workers",
        "MachineDeployment/demo-workers",
      ]
        .map((name) => `${name} created\n`)
        .join("") + "there is no ServerClass big yet: nothing can be picked from it\n",
    );
    assert.deepEqual((await of(MetalCluster, "demo")).spec?.controlPlaneEndpoint, { host: "10.5.0.10", port: 6443 });
    const { spec } = await of(TalosControlPlane, "demo-cp");
    assert.deepEqual([spec?.replicas, spec?.version], [3, "v1.35.0"]);
    assert.equal(spec?.rolloutStrategy?.rollingUpdate?.maxSurge, 0);
    assert.deepEqual(spec?.controlPlaneConfig.controlplane, {
      generateType: "controlplane",
      talosVersion: "v1.12.4",
      hostname: { source: "MachineName" },
    });
    const workers = await of(MachineDeployment, "demo-workers");
    assert.deepEqual([workers.spec?.replicas, workers.spec?.template.spec.version], [5, "v1.35.0"]);
    assert.equal((await of(TalosConfigTemplate, "demo-workers")).spec?.template.spec.generateType, "worker");
    const { serverClassRef } = (await of(MetalMachineTemplate, "demo-workers")).spec?.template.spec ?? {};
    assert.equal(serverClassRef?.name, "big");
    assert.equal(await sidero(line), "cli.usage: Cluster/demo is there already\n");
  });

  test("--dry-run prints what would be made, and makes nothing", async () => {
    const text = await sidero(`${line} --dry-run --install-disk /dev/nvme0n1 --vip-link eth0 --worker-class small -n infra`);
    await assert.rejects(of(Cluster, "demo"), { code: "api.not-found" });
    const objects = parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
    assert.equal(objects.length, 7);
    assert.ok(objects.every(({ metadata }) => metadata.namespace === "infra"));
    const controlPlane = objects[3] as TalosControlPlane;
    assert.deepEqual(controlPlane.spec?.controlPlaneConfig.controlplane.strategicPatches, [
      "machine:\n  install:\n    disk: /dev/nvme0n1\n",
      "machine:\n  network:\n    interfaces:\n      - interface: eth0\n        dhcp: true\n        vip:\n          ip: 10.5.0.10\n",
    ]);
    const template = objects[5] as TalosConfigTemplate;
    assert.equal(template.spec?.template.spec.strategicPatches?.length, 1, "workers hold no virtual address");
  });

  test("the template of clusterctl works as it is written, with variables from anywhere", async () => {
    const variables = { CONTROL_PLANE_ENDPOINT: "cp.example", CONTROL_PLANE_PORT: "6443", WORKER_SERVERCLASS: "small" };
    const options = "--from template.yaml --control-planes 3 --workers 2 --set TALOS_VERSION=v1.13 --kubernetes-version v1.36.1";
    assert.equal(
      await sidero("cluster create demo --list-variables"),
      "cli.usage: --list-variables: of which template? --from FILE\n",
    );
    assert.equal(
      await sidero("cluster create demo --from template.yaml --list-variables"),
      [
        "CLUSTER_NAME",
        "CONTROL_PLANE_ENDPOINT",
        "CONTROL_PLANE_MACHINE_COUNT",
        "CONTROL_PLANE_PORT",
        "CONTROL_PLANE_SERVERCLASS",
        "KUBERNETES_VERSION",
        "TALOS_VERSION",
        "WORKER_MACHINE_COUNT",
        "WORKER_SERVERCLASS",
        "",
      ].join("\n"),
    );
    assert.match(
      await sidero("cluster create demo --from template.yaml"),
      /values for CONTROL_PLANE_ENDPOINT, CONTROL_PLANE_PORT, KUBERNETES_VERSION, TALOS_VERSION: --set/,
    );
    assert.match(await sidero(`cluster create demo ${options} --class big`, variables), /^Cluster\/demo created\n/);
    const cluster = await of(Cluster, "demo");
    assert.deepEqual(cluster.spec?.controlPlaneRef, {
      apiGroup: "controlplane.cluster.x-k8s.io",
      kind: "TalosControlPlane",
      name: "demo-cp",
    });
    assert.deepEqual((await of(MetalCluster, "demo")).spec?.controlPlaneEndpoint, { host: "cp.example", port: 6443 });
    assert.equal((await of(TalosControlPlane, "demo-cp")).spec?.replicas, 3);
    const deployment = await of(MachineDeployment, "demo-workers");
    assert.deepEqual(
      [deployment.spec?.replicas, deployment.spec?.template.spec.bootstrap.configRef?.kind],
      [2, "TalosConfigTemplate"],
    );
    assert.equal((await of(TalosConfigTemplate, "demo-workers")).spec?.template.spec.generateType, "worker");
    const classOf = async (name: string) => (await of(MetalMachineTemplate, name)).spec?.template.spec.serverClassRef?.name;
    assert.deepEqual([await classOf("demo-cp"), await classOf("demo-workers")], ["big", "small"]);
  });

  test("the Talos is the one that machines of the class boot, and missing Servers are told", async () => {
    const url = "https://github.com/siderolabs/talos/releases/download/v1.12.3/vmlinuz-amd64";
    await world.client.for(Environment).create({ metadata: { name: "older" }, spec: { kernel: { url } } });
    await world.client.for(ServerClass).create({ metadata: { name: "big" }, spec: { environmentRef: { name: "older" } } });
    const big = await world.client.for(ServerClass).get("big");
    const available = { serversAvailable: ["a", "b"], serversInUse: [] };
    await world.client.for(ServerClass).update({ ...big, status: available }, { subresource: "status" });
    const options = "--endpoint 10.5.0.10 --class big --workers 1";
    assert.match(await sidero(`cluster create demo ${options} --dry-run`), /talosVersion: v1\.12\.3[^]*version: v1\.35\.0/);
    assert.match(
      await sidero(`cluster create demo ${options} --workers 4`),
      /ServerClass big has 2 Servers available, and 5 are wanted\n$/,
    );
    assert.equal((await of(TalosControlPlane, "demo-cp")).spec?.controlPlaneConfig.controlplane.talosVersion, "v1.12.3");
    const text = await sidero(`cluster create other ${options} --talos-version v1.13`);
    assert.match(text, /^machines boot Talos v1\.12\.3, and are configured for v1\.13: they may refuse that\n/);
    assert.doesNotMatch(text, /are wanted/);
  });

  test("a mistake anywhere leaves nothing behind", async () => {
    files["template.yaml"] = TEMPLATE.replace("generateType: join", "generateType: boss");
    const variables = {
      CONTROL_PLANE_ENDPOINT: "cp.example",
      CONTROL_PLANE_PORT: "6443",
      TALOS_VERSION: "v1.13",
      KUBERNETES_VERSION: "v1.36.1",
    };
    assert.match(
      await sidero("cluster create demo --from template.yaml", variables),
      /cli\.refused: TalosConfigTemplate\/demo-workers: .*boss/,
    );
    await assert.rejects(of(Cluster, "demo"), { code: "api.not-found" });
  });

  for (const [args, message] of [
    ["demo", /--endpoint: where will the API server answer/],
    ["Demo --endpoint a", /lower case letters/],
    ["demo --endpoint a --control-planes 0", /one at least/],
    ["demo --endpoint a --workers many", /--workers: how many/],
    ["demo --endpoint a:99999", /like 10\.0\.0\.10:6443/],
    ["demo --endpoint a --vip-link eth0", /--endpoint must be one/],
    ["demo --endpoint a --talos-version 0.14", /none of v1\.3/],
    ["demo --endpoint a --set A=b", /--set: there is no template/],
    ["demo --from none.yaml", /none\.yaml: none/],
  ] as const)
    test(`create ${args}`, async () => assert.match(await sidero(`cluster create ${args} --dry-run`), message));
});

/** A cluster half way: one control plane machine ready, one waiting for a Server, one installing. */
async function halfway(): Promise<void> {
  await sidero("cluster create demo --endpoint 10.5.0.10 --control-planes 3 --workers 2 --class big --talos-version v1.12.4");
  await world.client
    .for(Cluster)
    .in("default")
    .patch("demo", { spec: { controlPlaneEndpoint: { host: "10.5.0.10", port: 6443 } } });
  const condition = (type: string, value: string, reason = "", message = "", seconds = 60) => ({
    type,
    status: value,
    reason,
    message,
    lastTransitionTime: since(seconds),
  });
  await status(Cluster, "demo", {
    phase: "Provisioned",
    conditions: [
      condition("Available", "False", "NotAvailable", "* WorkersAvailable: 0 of 2"),
      condition("WorkersAvailable", "False", "NotAvailable", "0 of 2"),
    ],
    controlPlane: { desiredReplicas: 3, readyReplicas: 1 },
    workers: { desiredReplicas: 2, readyReplicas: 2 },
  });
  await status(MetalCluster, "demo", { ready: true });
  await status(TalosControlPlane, "demo-cp", {
    readyReplicas: 1,
    version: "v1.35.0",
    waiting: { reason: "MachinesStarting", waitingFor: "2 machines to join", since: since(300), remedy: "look at sidero why" },
  });
  await status(MachineDeployment, "demo-workers", { readyReplicas: 2, upToDateReplicas: 2 });
  for (const [name, isControlPlane, server] of [
    ["cp-a", true, ""],
    ["cp-b", true, ""],
    ["cp-c", true, "4c4c4544-0000-4810-8056-b4c04f395931"],
    ["w-a", false, ""],
    ["w-b", false, ""],
  ] as const) {
    const isReady = name === "cp-a" || !isControlPlane;
    const owner = isControlPlane ? "TalosControlPlane" : "MachineSet";
    const labels = {
      "cluster.x-k8s.io/cluster-name": "demo",
      ...(isControlPlane ? { "cluster.x-k8s.io/control-plane": "" } : { "cluster.x-k8s.io/deployment-name": "demo-workers" }),
    };
    const uid = (await of(TalosControlPlane, "demo-cp")).metadata.uid!;
    const ownerReferences = [{ apiVersion: "controlplane.cluster.x-k8s.io/v1alpha3", kind: owner, name: "demo-cp", uid }];
    const metadata = { name, namespace: "default", labels, ownerReferences: isControlPlane ? ownerReferences : [] };
    await world.client.for(Machine).create({
      metadata,
      spec: {
        clusterName: "demo",
        bootstrap: { configRef: { apiGroup: "bootstrap.cluster.x-k8s.io", kind: "TalosConfig", name } },
        infrastructureRef: { apiGroup: "infrastructure.cluster.x-k8s.io", kind: "MetalMachine", name },
      },
    });
    await world.client.for(TalosConfig).create({ metadata, spec: { generateType: isControlPlane ? "controlplane" : "worker" } });
    const serverRef = server === "" ? {} : { serverRef: { name: server } };
    await world.client.for(MetalMachine).create({ metadata, spec: serverRef });
    await status(TalosConfig, name, { initialization: { dataSecretCreated: true } });
    await status(Machine, name, {
      phase: isReady ? "Running" : "Provisioning",
      ...(isReady ? { nodeRef: { name }, addresses: [{ type: "InternalIP", address: "10.5.0.2" }] } : {}),
      conditions: [
        condition("Ready", isReady ? "True" : "False", isReady ? "Ready" : "NotReady", "* InfrastructureReady: waits"),
      ],
    });
    await status(MetalMachine, name, {
      ready: isReady || server !== "",
      conditions: isReady
        ? []
        : [condition("Ready", "False", "NoServersAvailable", "4 Servers are in class big: 4 are held", 120)],
    });
    if (server === "") continue;
    await world.client.for(Server).create({ metadata: { name: server }, spec: { accepted: true, hostname: "rack1-07" } });
    const made = await world.client.for(Server).get(server);
    const waiting = {
      reason: "Installing",
      waitingFor: "Talos to be installed",
      since: since(90),
      deadline: since(-600),
      next: "it is told to try again",
    };
    await world.client
      .for(Server)
      .update({ ...made, status: { phase: "Installing", power: "on", waiting } }, { subresource: "status" });
  }
}

describe("a cluster half way", () => {
  beforeEach(halfway);

  test("describe shows what is ready, what waits, since when, and what can be done", async () => {
    assert.equal(
      await sidero("cluster describe demo"),
      `
Cluster default/demo                                  … Provisioned, https://10.5.0.10:6443
│                                                       WorkersAvailable: NotAvailable: 0 of 2 (1m00s ago)
├─ MetalCluster demo                                  ✓ ready
├─ TalosControlPlane demo-cp                          … 1 of 3 ready, Kubernetes v1.35.0
│  │                                                    waits for 2 machines to join, 5m00s already (MachinesStarting)
│  │                                                    you can look at sidero why
│  ├─ Machine cp-a                                    ✓ Running, node cp-a, 10.5.0.2
│  ├─ Machine cp-b                                    … Provisioning
│  │  └─ MetalMachine cp-b                            … not ready
│  │                                                    Ready: NoServersAvailable: 4 Servers are in class big: 4 are held (2m00s ago)
│  └─ Machine cp-c                                    … Provisioning, 4c4c4544-0000-4810-8056-b4c04f395931
│     ├─ MetalMachine cp-c                            ✓ ready
│     └─ Server 4c4c4544-0000-4810-8056-b4c04f395931  … Installing, power on
│                                                       waits for Talos to be installed, 1m30s already, 10m00s more at most
│                                                       then: it is told to try again
└─ MachineDeployment demo-workers                     ✓ 2 of 2 ready, Kubernetes v1.35.0
   └─ 2 Machines                                      ✓ ready: w-a, w-b
`.trimStart(),
    );
    assert.match(await sidero("cluster describe demo --all"), /Machine w-a +✓ Running[^]*Machine w-b +✓ Running/);
    assert.match(await sidero("cluster describe other"), /^cli\.not-found: there is no Cluster other in namespace default/);
  });

  test("get lists", async () => {
    await world.client
      .for(Cluster)
      .in("default")
      .patch("demo", { spec: { paused: true } });
    const text = await sidero("cluster get -A");
    assert.match(text, /^NAMESPACE  NAME  PHASE +AVAILABLE  CONTROL PLANE  WORKERS  ENDPOINT +AGE\n/);
    assert.match(text, /\ndefault +demo  Provisioned \(paused\)  False +1\/3 +2\/2 +10\.5\.0\.10:6443/);
    assert.equal(await sidero("cluster get -n kube-system"), "there are no clusters in namespace kube-system\n");
    assert.match(await sidero("cluster get demo"), /demo/);
  });

  test("kubeconfig and talosconfig are what the Secrets hold", async () => {
    assert.match(
      await sidero("cluster kubeconfig demo"),
      /^cli\.not-found: cluster demo has no kubeconfig yet; sidero cluster describe demo/,
    );
    const add = (name: string, texts: Record<string, string>) =>
      world.client.for(Secret).create({ metadata: { name, namespace: "default" }, data: entries(texts) });
    await add("demo-kubeconfig", { value: "kind: Config\n" });
    await add("demo-talosconfig", { talosconfig: "context: demo\n" });
    assert.equal(await sidero("cluster kubeconfig demo"), "kind: Config\n");
    assert.equal(await sidero("cluster talosconfig demo -o out"), "");
    assert.equal(files["out"], "context: demo\n");
    assert.match(await sidero("cluster kubeconfig other"), /there is no Cluster other/);
  });

  test("scale", async () => {
    assert.equal(await sidero("cluster scale demo --workers 4"), "demo-workers: 4 wanted\n");
    assert.equal((await of(MachineDeployment, "demo-workers")).spec?.replicas, 4);
    assert.equal(
      await sidero("cluster scale demo --control-planes 2"),
      "2 control plane machines tolerate no more failures than 1\ncontrol plane of demo: 2 wanted\n",
    );
    assert.equal((await of(TalosControlPlane, "demo-cp")).spec?.replicas, 2);
    assert.match(await sidero("cluster scale demo --control-planes 0"), /the last one only goes with the cluster/);
    assert.match(await sidero("cluster scale demo"), /how many\?/);
    assert.match(await sidero("cluster scale demo --workers 1 --deployment none"), /has no MachineDeployment none/);
    const { spec, metadata } = await of(MachineDeployment, "demo-workers");
    await world.client
      .for(MachineDeployment)
      .create({ metadata: { name: "more", namespace: "default", labels: metadata.labels ?? {} }, spec: spec! });
    assert.match(await sidero("cluster scale demo --workers 1"), /which workers\? --deployment: demo-workers, more/);
  });

  test("upgrade: workers only once the control plane has it", async () => {
    const running = sidero("cluster upgrade demo --kubernetes-version 1.35.2 --in-place");
    await world.pass(500);
    const controlPlane = await of(TalosControlPlane, "demo-cp");
    assert.deepEqual([controlPlane.spec?.version, controlPlane.spec?.rolloutStrategy?.type], ["v1.35.2", "InPlace"]);
    const version = async () => (await of(MachineDeployment, "demo-workers")).spec?.template.spec.version;
    assert.equal(await version(), "v1.35.0");
    await status(TalosControlPlane, "demo-cp", { updatedReplicas: 3, readyReplicas: 3, observedGeneration: 1 });
    await world.pass(500);
    assert.equal(await version(), "v1.35.0", "that was said of what was wanted before");
    await status(TalosControlPlane, "demo-cp", { updatedReplicas: 2, readyReplicas: 3, observedGeneration: 2 });
    await world.pass(500);
    assert.equal(await version(), "v1.35.0");
    await status(TalosControlPlane, "demo-cp", { updatedReplicas: 3, readyReplicas: 3, observedGeneration: 2 });
    await world.pass(500);
    assert.equal(
      await running,
      [
        "TalosControlPlane demo-cp: Kubernetes v1.35.2 wanted",
        "  2 of 3 machines have it, 3 are ready",
        "  3 of 3 machines have it, 3 are ready",
        "MachineDeployment demo-workers: Kubernetes v1.35.2 wanted, its machines are replaced one after the other",
        "",
      ].join("\n"),
    );
    assert.equal(await version(), "v1.35.2");
  });

  test("upgrade of Talos: in place, and only where it runs that Kubernetes", async () => {
    assert.match(
      await sidero("cluster upgrade demo --talos-version v1.10.1"),
      /Talos v1\.10\.1 runs Kubernetes 1\.28 to 1\.33, not v1\.35\.0/,
    );
    assert.match(await sidero("cluster upgrade demo --talos-version v1.13"), /is like v1\.13\.4/);
    assert.match(await sidero("cluster upgrade demo --talos-version v1.13.2 --replace"), /not with --replace/);
    assert.match(await sidero("cluster upgrade demo"), /to what\?/);
    const running = sidero("cluster upgrade demo --talos-version v1.13.2 --kubernetes-version v1.36.0");
    await world.pass(500);
    const { spec } = await of(TalosControlPlane, "demo-cp");
    assert.deepEqual(spec?.rolloutStrategy?.inPlace, { installer: "ghcr.io/siderolabs/installer:v1.13.2" });
    assert.deepEqual([spec?.rolloutStrategy?.type, spec?.version], ["InPlace", "v1.35.0"], "Kubernetes comes when Talos is done");
    for (const observedGeneration of [2, 3]) {
      await status(TalosControlPlane, "demo-cp", { updatedReplicas: 3, readyReplicas: 3, observedGeneration });
      await world.pass(500);
    }
    assert.match(await running, /Talos v1\.13\.2 wanted[^]*workers stay[^]*Kubernetes v1\.36\.0 wanted/);
    assert.equal((await of(TalosControlPlane, "demo-cp")).spec?.version, "v1.36.0");
  });

  for (const [version, message] of [
    ["v1.34.0", /older than v1\.35\.0/],
    ["v1.37.0", /one minor version at a time/],
    ["v1.36.0", /Talos v1\.12\.4 runs Kubernetes 1\.30 to 1\.35/],
    ["newest", /is like v1\.34\.1/],
  ] as const)
    test(`upgrade to ${version} is refused`, async () => {
      assert.match(await sidero(`cluster upgrade demo --kubernetes-version ${version}`), message);
      assert.equal((await of(TalosControlPlane, "demo-cp")).spec?.version, "v1.35.0");
    });

  test("delete says what would go, and goes only when told so", async () => {
    assert.equal(
      await sidero("cluster delete demo"),
      "cli.usage: with cluster demo go 5 Machines, and 1 Server is wiped: rack1-07. To do that, say --yes\n",
    );
    await of(Cluster, "demo");
    const clusters = world.client.for(Cluster).in("default");
    await clusters.patch("demo", { metadata: { finalizers: ["cluster.cluster.x-k8s.io"] } });
    const running = sidero("cluster delete demo --yes");
    await world.pass(500);
    const workers = "* MachineDeployment: demo-workers\n* MachineSet: demo-workers-x";
    for (const message of [workers, workers, "* TalosControlPlane: demo-cp"]) {
      const deleting = { type: "Deleting", status: "True", reason: "Waiting", message, lastTransitionTime: since(1) };
      await status(Cluster, "demo", { conditions: [deleting] });
      await world.pass(500);
    }
    await clusters.patch("demo", { metadata: { finalizers: null } });
    await world.pass(500);
    assert.equal(
      await running,
      "Cluster demo is being deleted\n  waits for MachineDeployment: demo-workers\n  waits for MachineSet: demo-workers-x\n  waits for TalosControlPlane: demo-cp\nCluster demo is gone\n",
    );
    await assert.rejects(of(Cluster, "demo"), { code: "api.not-found" });
  });
});
