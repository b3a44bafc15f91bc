import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseContract } from "../contract.ts";
import { printConfig } from "../document/document.ts";
import { parseConfig } from "../document/parse.ts";
import { generateConfig } from "../generate/generate.ts";
import type { MachineType } from "../generate/options.ts";
import { applyPatch, loadPatch } from "../patch/patch.ts";
import type { Secrets } from "../secrets.ts";
import { kubernetesRange } from "./cluster.ts";
import { validateConfig } from "./validate.ts";
import type { ValidateOptions } from "./subject.ts";

const pair = { certificate: "-----BEGIN CERTIFICATE-----\nAA==\n", key: "-----BEGIN PRIVATE KEY-----\nAA==\n" };
const secrets: Secrets = {
  cluster: { id: "id", secret: `${"A".repeat(43)}=` },
  bootstrapToken: "abcdef.0123456789abcdef",
  trustdToken: "abcdef.0123456789abcdef",
  secretboxEncryptionSecret: `${"A".repeat(43)}=`,
  certs: { etcd: pair, k8s: pair, k8sAggregator: pair, k8sServiceAccountKey: pair.key, os: pair },
};

function verdict(type: MachineType, version: string, patches: readonly string[], options: Partial<ValidateOptions> = {}) {
  const contract = parseContract(version);
  const base = generateConfig(type, { clusterName: "c", endpoint: "https://c:6443", contract, secrets, installDisk: "/dev/sda" });
  const config = patches.map(loadPatch).reduce(applyPatch, base);
  return validateConfig(config, { mode: "metal", contract, ...options });
}

const errors = (...given: Parameters<typeof verdict>): readonly string[] => verdict(...given).errors;

for (let minor = 3; minor <= 15; minor++)
  for (const type of ["controlplane", "worker"] as const)
    test(`what is generated for a ${type} of 1.${minor} is valid, also when it has been written and read`, () => {
      assert.deepEqual(verdict(type, `v1.${minor}`, []), { errors: [], warnings: [] });
      const contract = parseContract(`v1.${minor}`);
      const text = printConfig(generateConfig(type, { clusterName: "c", endpoint: "https://c:6443", contract, secrets }));
      assert.deepEqual(validateConfig(parseConfig(text), { mode: "cloud", contract }).errors, []);
    });

describe("errors name the place", () => {
  const cases: [string, MachineType, string, string, Partial<ValidateOptions>?][] = [
    ["machine.type: it is none of init, controlplane, worker", "worker", "v1.13", "machine: {type: boss}"],
    ["machine.install: it needs disk or diskSelector", "worker", "v1.13", "machine: {install: {disk: {$patch: delete}}}"],
    [
      "machine.install.extraKernelArgs: the arguments of the image are used (grubUseUKICmdline), so there can be no others",
      "worker",
      "v1.13",
      "machine: {install: {extraKernelArgs: [a=b]}}",
    ],
    ["machine.ca.key: a worker must not have it", "worker", "v1.13", "machine: {ca: {key: hunter2}}"],
    ["machine.ca.key: a control plane machine needs it", "controlplane", "v1.13", "machine: {ca: {key: {$patch: delete}}}"],
    ["cluster.ca.key: a worker must not have it", "worker", "v1.13", "cluster: {ca: {key: hunter2}}"],
    [
      "KubeAPIServerCAConfig: issuingCA.key: a worker must not have it",
      "worker",
      "v1.14",
      "{apiVersion: v1alpha1, kind: KubeAPIServerCAConfig, issuingCA: {cert: a, key: hunter2}}",
    ],
    ["machine.ca.crt: it is missing, and there are no acceptedCAs", "worker", "v1.13", "machine: {ca: {crt: {$patch: delete}}}"],
    ["cluster.ca.crt: it is missing, and there are no acceptedCAs", "worker", "v1.13", "cluster: {ca: {crt: {$patch: delete}}}"],
    [
      "machine.features.hostDNS.forwardKubeDNSToHost: it needs enabled to be true",
      "worker",
      "v1.13",
      "machine: {features: {hostDNS: {enabled: false}}}",
    ],
    [
      "ResolverConfig: hostDNS.forwardKubeDNSToHost: it needs enabled to be true",
      "worker",
      "v1.14",
      "{apiVersion: v1alpha1, kind: ResolverConfig, hostDNS: {enabled: false}}",
    ],
    [
      "machine.network.interfaces[0]: it is either a bond or a bridge",
      "worker",
      "v1.13",
      "machine: {network: {interfaces: [{interface: bond0, bond: {mode: active-backup}, bridge: {stp: {enabled: true}}}]}}",
    ],
    [
      "machine.network.interfaces[0]: a worker must not have a vip",
      "worker",
      "v1.13",
      "machine: {network: {interfaces: [{interface: eth0, vlans: [{vlanId: 1, vip: {ip: 10.0.0.1}}]}]}}",
    ],
    [
      "machine.network.interfaces[0]: it needs either interface or deviceSelector",
      "controlplane",
      "v1.13",
      "machine: {network: {interfaces: [{dhcp: true}]}}",
    ],
    [
      "machine.network.interfaces: a container has those of its host",
      "controlplane",
      "v1.13",
      "machine: {network: {interfaces: [{interface: eth0}]}}",
      { mode: "container" },
    ],
    ["cluster.secret: discovery needs 32 bytes in base64", "worker", "v1.13", "cluster: {secret: hunter2}"],
    [
      "DiscoveryIdentityConfig: clusterSecret: discovery needs 32 bytes in base64",
      "worker",
      "v1.14",
      "{apiVersion: v1alpha1, kind: DiscoveryIdentityConfig, clusterSecret: hunter2}",
    ],
    [
      "machine.kubelet.image: Kubernetes 1.30 is too old for Talos 1.13, which takes 1.31 to 1.36",
      "worker",
      "v1.13",
      "machine: {kubelet: {image: 'ghcr.io/siderolabs/kubelet:v1.30.9'}}",
    ],
    [
      "KubeletConfig: image: Kubernetes 1.39 is too new for Talos 1.14, which takes 1.32 to 1.37",
      "worker",
      "v1.14",
      "{apiVersion: v1alpha1, kind: KubeletConfig, image: 'localhost:5000/kubelet:v1.39.0-alpha.1@sha256:00'}",
    ],
    ["cluster.network: it is in a KubeNetworkConfig as well", "worker", "v1.14", "cluster: {network: {dnsDomain: x}}"],
    [
      "machine.network.hostname: it is in a HostnameConfig as well",
      "worker",
      "v1.12",
      "machine: {network: {hostname: a}}\n---\n{apiVersion: v1alpha1, kind: HostnameConfig, auto: off, hostname: b}",
    ],
    [
      "machine.features.hostDNS: it is in a ResolverConfig as well",
      "worker",
      "v1.14",
      "machine: {features: {hostDNS: {enabled: true}}}",
    ],
  ];
  for (const [error, type, version, patch, options] of cases)
    test(error, () => {
      const found = errors(type, version, [patch], options);
      assert.ok(found.includes(error), found.join("\n"));
      assert.ok(!found.join().includes("hunter2"));
    });
});

test("what is not sure is let pass", () => {
  assert.deepEqual(errors("worker", "v1.13", ["machine: {network: {hostname: a}}"]), []);
  assert.deepEqual(errors("worker", "v1.13", ["machine: {kubelet: {image: 'kubelet@sha256:00'}}"]), []);
  assert.deepEqual(errors("worker", "v1.13", ["machine: {kubelet: {image: 'kubelet:latest'}}"]), []);
  assert.deepEqual(
    errors("worker", "v1.13", ["machine: {install: {disk: {$patch: delete}, diskSelector: {size: '> 10GB'}}}"]),
    [],
  );
  assert.deepEqual(
    errors("controlplane", "v1.13", ["machine: {network: {interfaces: [{interface: eth0, vip: {ip: 10.0.0.1}}]}}"]),
    [],
  );
  assert.deepEqual(validateConfig(parseConfig("apiVersion: v1alpha1\nkind: X\n"), { mode: "metal" }).errors, [
    "machine: it is missing",
  ]);
});

test("what is deprecated is a warning, and when it is strict an error", () => {
  const warning = "machine.type: init is deprecated, use controlplane and bootstrap the cluster";
  assert.deepEqual(verdict("init", "v1.13", []), { errors: [], warnings: [warning] });
  assert.deepEqual(verdict("init", "v1.13", [], { strict: true }), { errors: [warning], warnings: [] });
});

test("labels that Kubernetes would not take: their keys are told, their values are not", () => {
  const patch = (labels: object): string[] => [JSON.stringify({ machine: { nodeLabels: labels } })];
  assert.deepEqual(errors("worker", "v1.13", patch({ rack: "b-7", "example.dev/rack": "" })), []);
  for (const labels of [{ "/1": "2" }, { rack: "no spaces, please" }, { [`${"a".repeat(64)}`]: "x" }]) {
    const [key] = Object.keys(labels);
    const problem = `machine.nodeLabels: "${key}" is no label of Kubernetes, or its value is none`;
    assert.deepEqual(errors("worker", "v1.13", patch(labels)), [problem]);
  }
});

test("versions of Kubernetes, by the tables of Talos", () => {
  const ranges = {
    "v1.3": [24, 26],
    "v1.5": [26, 28],
    "v1.6": [24, 29],
    "v1.12": [30, 35],
    "v1.14": [32, 37],
    "v1.15": [33, 38],
  };
  for (const [version, [oldest, newest]] of Object.entries(ranges))
    assert.deepEqual(kubernetesRange(parseContract(version)), { oldest, newest }, version);
});
