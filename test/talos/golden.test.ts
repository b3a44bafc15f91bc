/**
 * What is generated for every contract, with secrets of the memory twin: vectors of our own making, read over against the facts.
 * `WRITE=1` writes them anew; the tables below say what must be in them whatever they say.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { createMemoryPki } from "#io/memory/pki.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { parseContract } from "#talos/contract.ts";
import { at, identityText, printConfig, v1alpha1Of } from "#talos/document/document.ts";
import type { MachineConfig } from "#talos/document/document.ts";
import { parseConfig } from "#talos/document/parse.ts";
import { generateConfig } from "#talos/generate/generate.ts";
import type { GenerateOptions } from "#talos/generate/options.ts";
import { parseMachineType } from "#talos/generate/options.ts";
import { makeSecrets } from "#talos/secrets.ts";

const FOLDER = `${import.meta.dirname}/../vectors/talos`;
const MINORS = Array.from({ length: 13 }, (_, i) => i + 3);

async function optionsOf(minor: number, more: Partial<GenerateOptions> = {}): Promise<GenerateOptions> {
  const contract = parseContract(`v1.${minor}`);
  const secrets = await makeSecrets(contract, { pki: createMemoryPki(), entropy: new SeededEntropy(minor), now: 0 });
  return { clusterName: "base", endpoint: "https://base:6443", kubernetesVersion: "1.28.0", contract, secrets, ...more };
}

const OVERRIDES: Partial<GenerateOptions> = {
  additionalSans: ["foo", "bar"],
  allowSchedulingOnControlPlanes: true,
  dnsDomain: "example.com",
  installDisk: "/dev/vda",
  installImage: "ghcr.io/siderolabs/installer:v1.0.0",
  extraKernelArgs: ["foo=bar", "bar=baz"],
  localApiServerPort: 5443,
  sysctls: { foo: "bar" },
  cniUrl: "https://example.com/cni.yaml",
  registryMirrors: { "ghcr.io": ["https://ghcr.io.my-mirror.com"] },
  kubeSpan: true,
};

describe("generated configurations", () => {
  for (const minor of MINORS)
    for (const [name, more] of Object.entries({ base: {}, overrides: OVERRIDES }))
      for (const type of ["controlplane", "worker"] as const)
        it(`v1.${minor} ${name} ${type}`, async () => {
          const text = printConfig(generateConfig(type, await optionsOf(minor, more)));
          const path = `${FOLDER}/v1.${minor}-${name}-${type}.yaml`;
          if (process.env["WRITE"] === "1") writeFileSync(path, text);
          assert.equal(text, readFileSync(path, "utf8"));
          const parsed = parseConfig(text);
          assert.equal(printConfig(parsed), text);
          assert.deepEqual(
            parsed.documents.map(({ value }) => value),
            generateConfig(type, await optionsOf(minor, more)).documents.map(({ value }) => value),
          );
        });

  const has = (config: MachineConfig, path: string): boolean => at(v1alpha1Of(config)!.value, ...path.split(".")) !== undefined;
  const kinds = (config: MachineConfig): string[] =>
    config.documents.slice(1).map(({ identity }) => identityText(identity).slice("v1alpha1/".length));

  /** Facts §5.5: from which contract to which a field is there, on control planes (and workers when `both`). */
  const presence: [path: string, from: number, to: number, both?: "both"][] = [
    ["machine.features.rbac", 3, 11, "both"],
    ["machine.features.stableHostname", 3, 11, "both"],
    ["machine.features.apidCheckExtKeyUsage", 3, 11, "both"],
    ["machine.features.diskQuotaSupport", 5, 15, "both"],
    ["machine.features.kubePrism", 6, 13, "both"],
    ["machine.features.hostDNS", 7, 13, "both"],
    ["machine.features.hostDNS.forwardKubeDNSToHost", 8, 13, "both"],
    ["machine.nodeLabels", 8, 13],
    ["machine.install.grubUseUKICmdline", 12, 13, "both"],
    ["machine.install.wipe", 3, 13, "both"],
    ["machine.network", 3, 12, "both"],
    ["machine.certSANs", 3, 15, "both"],
    ["cluster.apiServer.disablePodSecurityPolicy", 3, 11],
    ["cluster.apiServer.certSANs", 3, 11],
    ["cluster.apiServer.auditPolicy", 3, 13],
    ["cluster.secretboxEncryptionSecret", 3, 13],
    ["cluster.etcd.ca.key", 3, 15],
    ["cluster.discovery.registries.service", 3, 13, "both"],
    ["cluster.token", 3, 15, "both"],
  ];
  for (const [path, from, to, both] of presence)
    it(`${path} is there from 1.${from} to 1.${to}`, async () => {
      for (const minor of MINORS) {
        const options = await optionsOf(minor);
        const expected = minor >= from && minor <= to;
        assert.equal(has(generateConfig("controlplane", options), path), expected, `1.${minor} control plane`);
        assert.equal(has(generateConfig("worker", options), path), expected && both === "both", `1.${minor} worker`);
      }
    });

  it("names the cluster on workers from 1.8 to 1.13", async () => {
    for (const minor of MINORS)
      assert.equal(has(generateConfig("worker", await optionsOf(minor)), "cluster.clusterName"), minor >= 8 && minor <= 13);
  });

  it("has mirrors of registries in the v1alpha1 document up to 1.11, and in documents of their own from 1.12 on", async () => {
    for (const minor of MINORS) {
      assert.ok(!has(generateConfig("worker", await optionsOf(minor)), "machine.registries"));
      const mirrored = generateConfig("worker", await optionsOf(minor, OVERRIDES));
      assert.equal(has(mirrored, "machine.registries.mirrors"), minor <= 11);
      assert.equal(kinds(mirrored).includes("RegistryMirrorConfig/ghcr.io"), minor >= 12);
    }
  });

  it("has the documents of 1.12 and 1.13, and none before", async () => {
    for (const minor of MINORS.filter((number) => number <= 13))
      for (const type of ["controlplane", "worker"] as const)
        assert.deepEqual(kinds(generateConfig(type, await optionsOf(minor))), minor >= 12 ? ["HostnameConfig"] : []);
  });

  const MACHINE = [
    "DiscoveryServiceConfig/default",
    "DiscoveryIdentityConfig",
    "ResolverConfig",
    "VolumeConfig/EPHEMERAL",
    "FilesystemTrimConfig",
    "SecurityProfileConfig",
    "HostnameConfig",
    "KubeClusterConfig",
    "KubeNodeConfig",
    "KubeletConfig",
    "KubeNetworkConfig",
    "KubeAPIServerCAConfig",
    "KubePrismConfig",
  ];
  const CONTROL_PLANE = [
    "KubeAggregatorCAConfig",
    "KubeAdmissionControlConfig/PodSecurity",
    "KubeAuditPolicyConfig",
    "KubeAuthenticationConfig",
    "KubeAuthorizerConfig/node",
    "KubeAuthorizerConfig/rbac",
    "KubeEtcdEncryptionConfig",
    "KubeServiceAccountConfig",
    "KubeAPIServerConfig",
    "KubeControllerManagerConfig",
    "KubeSchedulerConfig",
    "KubeProxyConfig",
    "KubeFlannelCNIConfig",
    "KubeCoreDNSConfig",
  ];
  it("has the documents of 1.14 in the order of emission", async () => {
    for (const minor of [14, 15]) {
      assert.deepEqual(kinds(generateConfig("worker", await optionsOf(minor))), MACHINE);
      assert.deepEqual(kinds(generateConfig("controlplane", await optionsOf(minor))), [...MACHINE, ...CONTROL_PLANE]);
    }
    const all = kinds(generateConfig("controlplane", await optionsOf(14, OVERRIDES)));
    assert.deepEqual(all.slice(2, 5), ["UnattendedInstallConfig", "ResolverConfig", "SysctlConfig"]);
    assert.equal(all.at(-1), "KubeExternalManifestConfig/custom-cni");
    assert.ok(!all.includes("KubeFlannelCNIConfig"));
  });

  it("gives workers no key of the cluster", async () => {
    for (const minor of MINORS) {
      const options = await optionsOf(minor, OVERRIDES);
      const text = printConfig(generateConfig("worker", options));
      const { certs, secretboxEncryptionSecret } = options.secrets;
      const keys = [certs.os.key, certs.k8s.key, certs.etcd.key, certs.k8sAggregator.key, certs.k8sServiceAccountKey];
      for (const key of keys) {
        assert.ok(!text.includes(Buffer.from(key).toString("base64")), `1.${minor}`);
        assert.ok(!text.includes(key.split("\n")[1]!), `1.${minor}`);
      }
      assert.ok(!text.includes(secretboxEncryptionSecret!));
    }
  });

  it("makes an init node like a control plane", async () => {
    const options = await optionsOf(13);
    const text = printConfig(generateConfig("init", options));
    assert.equal(text, printConfig(generateConfig("controlplane", options)).replace("type: controlplane", "type: init"));
    assert.deepEqual(["join", "", "worker", "init"].map(parseMachineType), ["worker", "worker", "worker", "init"]);
  });

  it("takes a bare IPv6 address for a cluster of IPv6, and nothing else", async () => {
    const networkOf = async (endpoint: string): Promise<unknown> =>
      at(v1alpha1Of(generateConfig("worker", await optionsOf(13, { endpoint })))!.value, "cluster", "network");
    assert.deepEqual(await networkOf("fd00::1"), {
      dnsDomain: "cluster.local",
      podSubnets: ["fc00:db8:10::/56"],
      serviceSubnets: ["fc00:db8:20::/112"],
    });
    assert.deepEqual(await networkOf("https://[fd00::1]:6443"), {
      dnsDomain: "cluster.local",
      podSubnets: ["10.244.0.0/16"],
      serviceSubnets: ["10.96.0.0/12"],
    });
    await assert.rejects(networkOf("http://x"), /endpoint is a URL/);
    assert.throws(() => parseMachineType("master"), /one of/);
    for (const bad of ["2.0", "v1.2", "v1.16", "x", "v1"]) assert.throws(() => parseContract(bad), /version of Talos|none of/);
    assert.equal(parseContract("1.9.4").tag, "v1.9.4");
  });
});
