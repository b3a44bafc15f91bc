/** TalosConfig on an API server in this process: upstream's own integration tests (facts §3.6), and what it leaves open. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createTalosConfigControllers } from "#controllers/talos-config/controller.ts";
import { Cluster } from "#kinds/cluster/v1beta2/cluster.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createMemoryPki } from "#io/memory/pki.ts";
import { systemPki } from "#io/node/pki.ts";
import type { Pki } from "#io/pki.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import type { TalosConfigSpec } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { entries, entryOf, Secret } from "#kube/secret.ts";
import { findCondition } from "#schema/condition.ts";
import { at, printConfig, v1alpha1Of } from "#talos/document/document.ts";
import type { MachineConfig } from "#talos/document/document.ts";
import { parseConfig } from "#talos/document/parse.ts";
import { generateConfig } from "#talos/generate/generate.ts";
import { parseContract } from "#talos/contract.ts";
import { makeSecrets } from "#talos/secrets.ts";
import { decodePem, parseSecrets, printSecrets } from "#talos/secrets-text.ts";
import { issueTalosClient, parseTalosconfig, printTalosconfig } from "#talos/talosconfig.ts";
import { isWrite, startWorld, type World } from "../kube/world.ts";
import { addCluster, addMachine } from "./capi.ts";

const DAY = 24 * 3_600_000;

let world: World;
let issued: number;

function countingPki(): Pki {
  const pki = createMemoryPki();
  return {
    ...pki,
    issue: (order, issuer) => {
      issued += issuer === undefined ? 0 : 1;
      return pki.issue(order, issuer);
    },
  };
}

function start(pki: Pki = countingPki()): void {
  world.run(...createTalosConfigControllers({ clock: world.clock, entropy: new SeededEntropy(1), pki }));
}

beforeEach(async () => {
  issued = 0;
  world = await startWorld();
});
afterEach(() => world.stop());

const configOf = (machine: string): Promise<TalosConfig> => world.client.for(TalosConfig).in("default").get(`${machine}-config`);
const secret = (name: string): Promise<Secret> => world.client.for(Secret).in("default").get(name);

async function machineConfig(machine: string): Promise<MachineConfig> {
  const { status } = await configOf(machine);
  assert.equal(status?.initialization?.dataSecretCreated, true, JSON.stringify(status));
  assert.equal(status.dataSecretName, `${machine}-bootstrap-data`);
  return parseConfig(entryOf(await secret(status.dataSecretName), "value") ?? "");
}

function field(config: MachineConfig, ...path: string[]): unknown {
  return at(v1alpha1Of(config)!.value, ...path);
}

function document(config: MachineConfig, kind: string): Record<string, unknown> | undefined {
  return config.documents.find(({ identity }) => identity.kind === kind)?.value;
}

async function condition(machine: string, type: string) {
  return findCondition((await configOf(machine)).status?.conditions ?? [], type);
}

const plain = { talosVersion: "v1.11" } as const;
const controlPlane = (more: Partial<TalosConfigSpec> = {}): TalosConfigSpec => ({
  generateType: "controlplane",
  ...plain,
  ...more,
});
const worker = (more: Partial<TalosConfigSpec> = {}): TalosConfigSpec => ({ generateType: "worker", ...plain, ...more });

describe("upstream's integration tests", () => {
  test("SingleNode: an init node, its secrets and who owns them", async () => {
    const cluster = await addCluster(world, "c");
    await addMachine(world, "c", "m", { generateType: "init" });
    start();
    await world.pass(2000);
    const config = await machineConfig("m");
    assert.equal(field(config, "machine", "type"), "init");
    assert.equal(field(config, "machine", "kubelet", "image"), "ghcr.io/siderolabs/kubelet:v1.34.1");
    const bundle = parseSecrets(entryOf(await secret("c-talos"), "bundle") ?? "");
    assert.equal(field(config, "machine", "token"), bundle.trustdToken);
    assert.equal(decodePem(String(field(config, "cluster", "ca", "key"))), bundle.certs.k8s.key);
    const authority = await secret("c-ca");
    assert.equal(entryOf(authority, "tls.crt"), bundle.certs.k8s.certificate);
    assert.equal(entryOf(authority, "tls.key"), bundle.certs.k8s.key);
    const owner = (kind: string, name: string, uid: string | undefined, apiVersion: string) => ({
      labels: { "cluster.x-k8s.io/cluster-name": "c" },
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
    });
    for (const name of ["c-talos", "c-ca", "c-talosconfig", "m-bootstrap-data"]) {
      const { metadata, type } = await secret(name);
      const { labels, ownerReferences } = metadata;
      assert.equal(type, "Opaque");
      const expected =
        name === "m-bootstrap-data"
          ? owner("TalosConfig", "m-config", (await configOf("m")).metadata.uid, "bootstrap.cluster.x-k8s.io/v1beta1")
          : owner("Cluster", "c", cluster.metadata.uid, "cluster.x-k8s.io/v1beta2");
      assert.deepEqual({ labels, ownerReferences }, expected, name);
    }
    const access = parseTalosconfig(entryOf(await secret("c-talosconfig"), "talosconfig") ?? "");
    assert.deepEqual([access.name, access.endpoints, access.ca], ["c", [], bundle.certs.os.certificate]);
  });

  test("Cluster: control plane and workers share one bundle, and the talosconfig follows the addresses of the control plane", async () => {
    await addCluster(world, "c");
    for (let i = 0; i < 3; i++) await addMachine(world, "c", `cp${i}`, controlPlane(i === 0 ? { generateType: "init" } : {}));
    for (let i = 0; i < 4; i++) await addMachine(world, "c", `w${i}`, worker());
    start();
    await world.pass(3000);
    const names = ["cp0", "cp1", "cp2", "w0", "w1", "w2", "w3"];
    const configs = await Promise.all(names.map(machineConfig));
    assert.deepEqual(
      configs.map((config) => field(config, "machine", "type")),
      ["init", "controlplane", "controlplane", "worker", "worker", "worker", "worker"],
    );
    for (const path of [
      ["machine", "token"],
      ["cluster", "id"],
      ["cluster", "secret"],
      ["cluster", "token"],
      ["machine", "ca", "crt"],
    ])
      assert.equal(new Set(configs.map((config) => field(config, ...path))).size, 1, path.join("."));
    assert.equal(new Set(configs.map((config) => field(config, "machine", "ca", "key"))).size, 2, "workers have no key");
    assert.equal(new Set(configs.slice(0, 3).map((config) => printConfig(config).replace("init", "controlplane"))).size, 1);

    const machines = world.client.for(Machine).in("default");
    const expected: string[] = [];
    for (const [i, name] of names.entries()) {
      const machine = await machines.get(name);
      const addresses: { type: "InternalIP" | "Hostname"; address: string }[] = [
        { type: "InternalIP", address: `10.5.0.${9 - i}` },
        { type: "Hostname", address: name },
      ];
      await machines.update({ ...machine, status: { addresses } }, { subresource: "status" });
      if (i < 3) expected.push(`10.5.0.${9 - i}`);
    }
    await world.pass(2000);
    const access = parseTalosconfig(entryOf(await secret("c-talosconfig"), "talosconfig") ?? "");
    assert.deepEqual(access.endpoints, expected.sort());
    assert.equal(issued, 1, "one client certificate, however often it is written");
  });

  for (const talosVersion of ["v1.11", "v1.14"])
    test(`ClusterSpec, ${talosVersion}: endpoint, networks and domain are the Cluster's`, async () => {
      await addCluster(world, "c", {
        clusterNetwork: {
          services: { cidrBlocks: ["192.168.0.0/16", "fdaa:bbbb:cccc:15::/64"] },
          pods: { cidrBlocks: ["10.0.0.0/16", "fdbb:bbbb:cccc:15::/64"] },
          serviceDomain: "mycluster.local",
        },
        controlPlaneEndpoint: { host: "example.com", port: 443 },
      });
      await addMachine(world, "c", "m", controlPlane({ talosVersion }));
      start();
      await world.pass(2000);
      const config = await machineConfig("m");
      const network = talosVersion === "v1.14" ? document(config, "KubeNetworkConfig") : field(config, "cluster", "network");
      const { dnsDomain, podSubnets, serviceSubnets } = network as Record<string, unknown>;
      assert.equal(dnsDomain, "mycluster.local");
      assert.deepEqual(podSubnets, ["10.0.0.0/16", "fdbb:bbbb:cccc:15::/64"]);
      assert.deepEqual(serviceSubnets, ["192.168.0.0/16", "fdaa:bbbb:cccc:15::/64"]);
      const endpoint =
        talosVersion === "v1.14"
          ? document(config, "KubeClusterConfig")?.["endpoint"]
          : field(config, "cluster", "controlPlane", "endpoint");
      assert.equal(endpoint, "https://example.com:443");
    });

  test("StrategicMergePatch, StrategicMergePatchDelete", async () => {
    await addCluster(world, "c");
    const strategicPatches = [
      "apiVersion: v1alpha1\nkind: HostnameConfig\nauto: off\nhostname: foo.bar",
      "machine:\n  time:\n    servers: [time.cloudflare.com]",
      "cluster:\n  apiServer:\n    admissionControl:\n      - name: PodSecurity\n        $patch: delete\n",
    ];
    await addMachine(world, "c", "m", controlPlane({ talosVersion: "v1.13", strategicPatches }));
    start();
    await world.pass(2000);
    const config = await machineConfig("m");
    assert.equal(document(config, "HostnameConfig")?.["hostname"], "foo.bar");
    assert.deepEqual(field(config, "machine", "time", "servers"), ["time.cloudflare.com"]);
    assert.deepEqual(field(config, "cluster", "apiServer", "admissionControl"), []);
  });

  test("LegacyClusterSecret: the three entries of old are read, and stay", async () => {
    await addCluster(world, "c");
    const pki = createMemoryPki();
    const secrets = await makeSecrets(parseContract("v1.3"), { pki, entropy: new SeededEntropy(3), now: 0 });
    const [, kube = "", trustd = "", certs = ""] =
      /^secrets:\n([^]*)trustdinfo:\n([^]*)certs:\n([^]*)$/m.exec(printSecrets(secrets)) ?? [];
    const data = entries({ kubeSecrets: kube, trustdInfo: trustd, certs });
    await world.client.for(Secret).create({ metadata: { name: "c-talos", namespace: "default" }, data });
    await addMachine(world, "c", "m", controlPlane({ talosVersion: "v1.3" }), { version: "v1.26.1" });
    start();
    await world.pass(2000);
    const config = await machineConfig("m");
    assert.equal(field(config, "machine", "token"), secrets.trustdToken);
    assert.equal(field(config, "cluster", "id"), undefined);
    assert.equal(field(config, "cluster", "discovery", "enabled"), false, "there is no key to be discovered with");
    assert.deepEqual((await secret("c-talos")).data, data);
    assert.equal(entryOf(await secret("c-ca"), "tls.crt"), secrets.certs.k8s.certificate);
  });

  test("ConfigTypeNone: what is given is served as it is, and its authority is kept for kubeconfigs", async () => {
    await addCluster(world, "c");
    const pki = createMemoryPki();
    for (const [name, version] of [
      ["old", "v1.11"],
      ["new", "v1.14"],
    ] as const) {
      await addCluster(world, name);
      const contract = parseContract(version);
      const secrets = await makeSecrets(contract, { pki, entropy: new SeededEntropy(3), now: 0 });
      const options = { clusterName: name, endpoint: "https://example.com:6443/", contract, secrets };
      const [boss, hand] = (["controlplane", "worker"] as const).map((type) => printConfig(generateConfig(type, options)));
      await addMachine(world, name, `${name}-w`, { generateType: "none", data: `# by hand\n${hand}` }, { isControlPlane: false });
      await addMachine(world, name, `${name}-cp`, { generateType: "none", data: boss! }, { isControlPlane: name === "old" });
      if (name === "old") start();
      await world.pass(2000);
      assert.equal(entryOf(await secret(`${name}-w-bootstrap-data`), "value"), `# by hand\n${hand}`);
      assert.equal(entryOf(await secret(`${name}-cp-bootstrap-data`), "value"), boss);
      assert.equal(entryOf(await secret(`${name}-ca`), "tls.crt"), secrets.certs.k8s.certificate);
      assert.equal(entryOf(await secret(`${name}-ca`), "tls.key"), secrets.certs.k8s.key);
      await assert.rejects(secret(`${name}-talos`), { code: "api.not-found" });
      // Whether such machines are installed is told by this authority as well.
      const access = parseTalosconfig(entryOf(await secret(`${name}-talosconfig`), "talosconfig") ?? "");
      assert.equal(access.ca, secrets.certs.os.certificate);
      assert.equal(issued, name === "old" ? 1 : 2);
    }
  });

  test("BadConfigPatch: both contracts' conditions say what is wrong", async () => {
    await addCluster(world, "c");
    const servers = ["time.cloudflare.com"];
    await addMachine(
      world,
      "c",
      "m",
      controlPlane({ configPatches: [{ op: "add", path: "/machine/time/servers", value: servers }] }),
    );
    start();
    await world.pass(2000);
    const { status } = await configOf("m");
    const message = "operation 1 (add /machine/time/servers): there is no /machine/time";
    const { lastTransitionTime: _when, ...newer } = findCondition(status?.conditions ?? [], "DataSecretAvailable")!;
    assert.deepEqual(newer, {
      type: "DataSecretAvailable",
      status: "False",
      reason: "InternalError",
      message,
      observedGeneration: 1,
    });
    const { lastTransitionTime: _then, ...older } = findCondition(
      status?.deprecated?.v1beta?.conditions ?? [],
      "DataSecretAvailable",
    )!;
    assert.deepEqual(older, {
      type: "DataSecretAvailable",
      status: "False",
      severity: "Error",
      reason: "DataSecretGenerationFailed",
      message,
    });
    assert.equal(findCondition(status?.conditions ?? [], "Ready")?.message, `* DataSecretAvailable: ${message}`);
    await assert.rejects(secret("m-bootstrap-data"), { code: "api.not-found" });
  });

  test("what Talos would refuse is told before a machine boots into it", async () => {
    await addCluster(world, "c");
    await addMachine(world, "c", "m", worker({ talosVersion: "v1.13" }), { version: "v1.30.2" });
    start();
    await world.pass(2000);
    assert.equal(
      (await condition("m", "DataSecretAvailable"))?.message,
      "Talos would not take the configuration: machine.kubelet.image: Kubernetes 1.30 is too old for Talos 1.13, which takes 1.31 to 1.36",
    );
  });

  test("JSON patches work on configurations of several documents, which upstream refuses", async () => {
    await addCluster(world, "c");
    const configPatches: TalosConfigSpec["configPatches"] = [{ op: "add", path: "/machine/time", value: { servers: ["a"] } }];
    const strategicPatches = ["machine: {time: {servers: [b]}}"];
    await addMachine(world, "c", "m", controlPlane({ talosVersion: "v1.14", configPatches, strategicPatches }));
    start();
    await world.pass(2000);
    assert.deepEqual(field(await machineConfig("m"), "machine", "time"), { servers: ["a", "b"] }, "strategic patches come later");
  });

  for (const [source, expected] of [
    ["MachineName", "m"],
    ["InfrastructureName", "m-metal"],
  ] as const)
    test(`HostnameFrom${source}`, async () => {
      await addCluster(world, "c");
      const strategicPatches = ["machine: {network: {hostname: mine}}"];
      await addMachine(world, "c", "m", controlPlane({ hostname: { source }, strategicPatches }));
      // Upstream takes this version for none, and writes the field that its Talos has no more.
      await addMachine(world, "c", "n", worker({ hostname: { source }, talosVersion: "v1.12" }));
      start();
      await world.pass(2000);
      assert.equal(field(await machineConfig("m"), "machine", "network", "hostname"), expected);
      const { auto, hostname } = document(await machineConfig("n"), "HostnameConfig") ?? {};
      assert.deepEqual([auto, hostname], ["off", expected.replace("m", "n")]);
    });
});

describe("waiting and pausing", () => {
  test("nothing is made before there is infrastructure, an endpoint and an owner; each is noticed", async () => {
    const clusters = world.client.for(Cluster).in("default");
    await clusters.create({ metadata: { name: "c", namespace: "default" }, spec: {} });
    await addMachine(world, "c", "m", controlPlane());
    start();
    await world.pass(1000);
    const waits = async () => {
      const { status } = await configOf("m");
      const older = findCondition(status?.deprecated?.v1beta?.conditions ?? [], "DataSecretAvailable");
      return [older?.reason, older?.severity, older?.message];
    };
    const reason = "WaitingForClusterInfrastructure";
    assert.deepEqual(await waits(), [reason, "Info", "the cluster's infrastructure is not ready"]);
    await assert.rejects(secret("c-talos"), { code: "api.not-found" });
    const cluster = await clusters.get("c");
    await clusters.update(
      { ...cluster, status: { initialization: { infrastructureProvisioned: true } } },
      { subresource: "status" },
    );
    await world.pass(1000);
    assert.deepEqual(await waits(), [reason, "Info", "the Cluster has no controlPlaneEndpoint"]);
    await clusters.patch("c", { spec: { controlPlaneEndpoint: { host: "fd00::1", port: 6443 } } });
    await world.pass(1000);
    assert.equal(field(await machineConfig("m"), "cluster", "controlPlane", "endpoint"), "https://[fd00::1]:6443");
    assert.equal((await condition("m", "Ready"))?.status, "True");
    assert.equal((await condition("m", "ClientConfigAvailable"))?.status, "True");
  });

  test("a paused cluster, or config, is left alone until it goes on", async () => {
    await addCluster(world, "c", { paused: true });
    await addMachine(world, "c", "m", controlPlane());
    start();
    await world.pass(1000);
    assert.deepEqual(
      [(await condition("m", "Paused"))?.status, (await condition("m", "DataSecretAvailable"))?.status],
      ["True", undefined],
    );
    await assert.rejects(secret("c-talos"), { code: "api.not-found" });
    const configs = world.client.for(TalosConfig).in("default");
    await configs.patch("m-config", { metadata: { annotations: { "cluster.x-k8s.io/paused": "" } } });
    await world.client
      .for(Cluster)
      .in("default")
      .patch("c", { spec: { paused: false } });
    await world.pass(1000);
    assert.equal((await condition("m", "Paused"))?.message, "TalosConfig has the cluster.x-k8s.io/paused annotation");
    await assert.rejects(secret("m-bootstrap-data"), { code: "api.not-found" });
    await configs.patch("m-config", { metadata: { annotations: { "cluster.x-k8s.io/paused": null } } });
    await world.pass(1000);
    await machineConfig("m");
    assert.equal((await condition("m", "Paused"))?.status, "False");
  });
});

describe("Secrets", () => {
  test("after a move, what the Machine was made from is what counts", async () => {
    await addCluster(world, "c");
    await addMachine(world, "c", "m", controlPlane());
    await world.client
      .for(Machine)
      .in("default")
      .patch("m", { spec: { bootstrap: { dataSecretName: "brought-along" } } });
    start();
    await world.pass(1000);
    const { status } = await configOf("m");
    assert.deepEqual([status?.initialization, status?.dataSecretName], [{ dataSecretCreated: true }, "brought-along"]);
    await assert.rejects(secret("m-bootstrap-data"), { code: "api.not-found" });
  });

  test("lost owner references come back, lost configurations are made again, the bundle stays the same", async () => {
    await addCluster(world, "c");
    await addMachine(world, "c", "m", controlPlane());
    start();
    await world.pass(2000);
    const secrets = world.client.for(Secret).in("default");
    const names = ["c-talos", "c-ca", "c-talosconfig", "m-bootstrap-data"];
    const before = await Promise.all(names.map(secret));
    for (const name of names) await secrets.patch(name, { metadata: { ownerReferences: null } });
    await world.pass(2000);
    const after = await Promise.all(names.map(secret));
    assert.deepEqual(
      after.map(({ metadata, data }) => [metadata.ownerReferences, data]),
      before.map(({ metadata, data }) => [metadata.ownerReferences, data]),
    );
    await secrets.delete("m-bootstrap-data");
    await world.pass(2000);
    assert.deepEqual((await secret("m-bootstrap-data")).data, before[3]!.data);
  });

  test("a bundle that a person brought is used as it is, and one that cannot be is named", async () => {
    await addCluster(world, "c");
    const brought = await makeSecrets(parseContract(), { pki: createMemoryPki(), entropy: new SeededEntropy(9), now: 0 });
    const broken = printSecrets({ ...brought, trustdToken: "" });
    const data = entries({ bundle: broken });
    await world.client.for(Secret).create({ metadata: { name: "c-talos", namespace: "default" }, data });
    await addMachine(world, "c", "m", controlPlane());
    start();
    await world.pass(1000);
    assert.equal((await condition("m", "DataSecretAvailable"))?.message, "Secret c-talos: trustdinfo.token is missing");
    await world.client
      .for(Secret)
      .in("default")
      .patch("c-talos", { data: entries({ bundle: printSecrets(brought) }) });
    await world.pass(1000);
    assert.equal(field(await machineConfig("m"), "machine", "token"), brought.trustdToken);
    assert.equal((await secret("c-talos")).metadata.ownerReferences, undefined);
  });

  test("secrets of an earlier cluster of the name are not taken over", async () => {
    const cluster = await addCluster(world, "c");
    const old = await makeSecrets(parseContract(), { pki: createMemoryPki(), entropy: new SeededEntropy(9), now: 0 });
    const owner = { apiVersion: cluster.apiVersion, kind: "Cluster", name: "c", uid: "somebody-else" };
    const metadata = { name: "c-talos", namespace: "default", labels: { "cluster.x-k8s.io/cluster-name": "c" } };
    const data = entries({ bundle: printSecrets(old) });
    await world.client.for(Secret).create({ metadata: { ...metadata, ownerReferences: [owner] }, data });
    await addMachine(world, "c", "m", controlPlane());
    start();
    // The server's garbage collection takes it, as nobody of that uid is there.
    await world.pass(5000);
    assert.notEqual(field(await machineConfig("m"), "machine", "token"), old.trustdToken);
  });

  for (const [days, isRenewed] of [
    [190, false],
    [180, true],
  ] as const)
    test(`a client certificate with ${days} days left is ${isRenewed ? "renewed" : "kept"}`, async () => {
      const pki = countingPki();
      const now = world.clock.now();
      const secrets = await makeSecrets(parseContract(), { pki, entropy: new SeededEntropy(9), now });
      const client = await issueTalosClient(secrets.certs.os, { pki, now }, ["os:admin"], days * DAY);
      const { certificate: ca } = secrets.certs.os;
      const talosconfig = printTalosconfig({ name: "c", endpoints: [], ca, client });
      const add = (name: string, texts: Record<string, string>) =>
        world.client.for(Secret).create({ metadata: { name, namespace: "default" }, data: entries(texts) });
      await add("c-talos", { bundle: printSecrets(secrets) });
      await add("c-talosconfig", { talosconfig, mine: "stays" });
      await addCluster(world, "c");
      await addMachine(world, "c", "m", controlPlane());
      issued = 0;
      start(pki);
      await world.pass(1000);
      const after = await secret("c-talosconfig");
      const context = parseTalosconfig(entryOf(after, "talosconfig") ?? "");
      assert.deepEqual([issued, entryOf(after, "mine")], [isRenewed ? 1 : 0, "stays"]);
      const left = (pki.endOf(context.client.certificate) ?? 0) - world.clock.now();
      assert.equal(Math.round(left / DAY), isRenewed ? 365 : days);
    });

  test("the finalizer of old providers goes with the config", async () => {
    await addCluster(world, "c");
    await addMachine(world, "c", "m", controlPlane());
    const configs = world.client.for(TalosConfig).in("default");
    await configs.patch("m-config", { metadata: { finalizers: ["talosconfig.bootstrap.cluster.x-k8s.io"] } });
    start();
    await world.pass(1000);
    await configs.delete("m-config");
    await world.pass(1000);
    await assert.rejects(configs.get("m-config"), { code: "api.not-found" });
  });
});

test("200 machines: one bundle, one write of each Secret, and then none at all", async () => {
  await addCluster(world, "c");
  await addMachine(world, "c", "cp", controlPlane());
  for (let i = 0; i < 200; i++) await addMachine(world, "c", `w${i}`, worker());
  start();
  await world.pass(5000);
  for (let i = 0; i < 200; i += 20) await machineConfig(`w${i}`);
  const writes = world.requests.filter(isWrite);
  const creates = writes.filter((line) => line === "POST /api/v1/namespaces/default/secrets");
  assert.equal(creates.length, 201 + 3);
  const { length } = writes;
  await world.client
    .for(Cluster)
    .in("default")
    .patch("c", { metadata: { labels: { seen: "yes" } } });
  await world.client
    .for(Machine)
    .in("default")
    .patch("w1", { metadata: { labels: { seen: "yes" } } });
  await world.pass(60_000);
  assert.equal(world.requests.filter(isWrite).length, length);
});

test("real keys: generating an authority's 4,096 bits does not hold up the loop", async () => {
  await addCluster(world, "c");
  await addMachine(world, "c", "m", controlPlane());
  let longest = 0;
  let last = performance.now();
  const beat = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  start(systemPki);
  const end = Date.now() + 60_000;
  while (Date.now() < end && (await secret("m-bootstrap-data").catch(() => undefined)) === undefined) {
    await world.pass(100);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  clearInterval(beat);
  const config = await machineConfig("m");
  assert.match(decodePem(String(field(config, "cluster", "serviceAccount", "key"))) ?? "", /BEGIN RSA PRIVATE KEY/);
  assert.ok(longest < 500, `held up for ${longest} ms`);
});
