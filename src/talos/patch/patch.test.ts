import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseAllDocuments } from "yaml";
import { Fault } from "#std/fault.ts";
import { loadPatch, patchConfig } from "./patch.ts";

function values(text: string): unknown[] {
  return parseAllDocuments(text).map((document) => document.toJS() as unknown);
}

const BASE = `version: v1alpha1
machine:
    type: worker
    certSANs: [a]
    install: {disk: /dev/sda, wipe: true, size: 5}
    sysctls: {x: "1"}
    kubelet: {extraArgs: {v: "2", feature-gates: [A, B]}, extraConfig: {maxPods: 10, list: [1]}}
    network:
        interfaces:
            - interface: eth0
              addresses: [10.0.0.1/24]
              vlans: [{vlanId: 1, mtu: 9000}]
            - deviceSelector: {driver: virtio, busPath: "0*"}
              dhcp: true
cluster:
    network: {podSubnets: [10.0.0.0/8], serviceSubnets: [10.96.0.0/12], dnsDomain: cluster.local}
    apiServer:
        admissionControl:
            - name: PodSecurity
              configuration: {defaults: {enforce: baseline}, exemptions: {namespaces: [kube-system]}}
        auditPolicy: {kind: Policy, rules: [{level: Metadata}]}
`;
const HOSTNAME = "apiVersion: v1alpha1\nkind: HostnameConfig\nauto: stable\n";

/** The part of the v1alpha1 document at a path of keys. */
function part(text: string, path: string): unknown {
  return path.split(".").reduce<unknown>((here, key) => (here as Record<string, unknown>)[key], values(text)[0]);
}

describe("strategic merge", () => {
  const cases: [name: string, patch: string, path: string, result: unknown][] = [
    ["a scalar wins", "machine: {type: controlplane}", "machine.type", "controlplane"],
    ["an empty text sets nothing", 'machine: {type: ""}', "machine.type", "worker"],
    ["zero sets nothing", "machine: {install: {size: 0}}", "machine.install.size", 5],
    ["null sets nothing", "machine: {type: null, install: null}", "machine.install.disk", "/dev/sda"],
    ["false wins", "machine: {install: {wipe: false}}", "machine.install", { disk: "/dev/sda", wipe: false, size: 5 }],
    ["mappings merge", "machine: {sysctls: {y: '2', x: '3'}}", "machine.sysctls", { x: "3", y: "2" }],
    ["lists grow", "machine: {certSANs: [b, a]}", "machine.certSANs", ["a", "b", "a"]],
    ["pod subnets are replaced", "cluster: {network: {podSubnets: [fd00::/56]}}", "cluster.network.podSubnets", ["fd00::/56"]],
    [
      "service subnets are replaced",
      "cluster: {network: {serviceSubnets: [fd01::/112, 10.0.0.0/16]}}",
      "cluster.network.serviceSubnets",
      ["fd01::/112", "10.0.0.0/16"],
    ],
    ["the audit policy is replaced", "cluster: {apiServer: {auditPolicy: {a: 1}}}", "cluster.apiServer.auditPolicy", { a: 1 }],
    [
      "arguments are replaced one by one, lists and texts",
      "machine: {kubelet: {extraArgs: {v: ['4'], feature-gates: C, new: ''}}}",
      "machine.kubelet.extraArgs",
      { v: ["4"], "feature-gates": "C", new: "" },
    ],
    [
      "free form merges",
      "machine: {kubelet: {extraConfig: {maxPods: 20, list: [2], other: {a: b}}}}",
      "machine.kubelet.extraConfig",
      { maxPods: 20, list: [1, 2], other: { a: "b" } },
    ],
    [
      "interfaces merge by name, their VLANs by number",
      "machine: {network: {interfaces: [{interface: eth0, addresses: [10.0.0.2/24], vlans: [{vlanId: 1, mtu: 1500}, {vlanId: 2}]}, {interface: eth1}]}}",
      "machine.network.interfaces",
      [
        { interface: "eth0", addresses: ["10.0.0.1/24", "10.0.0.2/24"], vlans: [{ vlanId: 1, mtu: 1500 }, { vlanId: 2 }] },
        { deviceSelector: { driver: "virtio", busPath: "0*" }, dhcp: true },
        { interface: "eth1" },
      ],
    ],
    [
      "interfaces merge by an equal selector",
      'machine: {network: {interfaces: [{deviceSelector: {busPath: "0*", driver: virtio}, dhcp: false}, {deviceSelector: {driver: e1000}}]}}',
      "machine.network.interfaces",
      [
        { interface: "eth0", addresses: ["10.0.0.1/24"], vlans: [{ vlanId: 1, mtu: 9000 }] },
        { deviceSelector: { driver: "virtio", busPath: "0*" }, dhcp: false },
        { deviceSelector: { driver: "e1000" } },
      ],
    ],
    [
      "admission control merges by name",
      "cluster: {apiServer: {admissionControl: [{name: PodSecurity, configuration: {exemptions: {namespaces: [mine]}}}, {name: Other}]}}",
      "cluster.apiServer.admissionControl",
      [
        {
          name: "PodSecurity",
          configuration: { defaults: { enforce: "baseline" }, exemptions: { namespaces: ["kube-system", "mine"] } },
        },
        { name: "Other" },
      ],
    ],
    ["a field nobody knows is added", "machine: {newer: {a: [1]}}", "machine.newer", { a: [1] }],
    [
      "a mapping is deleted",
      "machine: {kubelet: {extraArgs: {$patch: delete}}}",
      "machine.kubelet",
      { extraConfig: { maxPods: 10, list: [1] } },
    ],
    [
      "an item is deleted by its first key",
      "machine: {network: {interfaces: [{interface: eth0, $patch: delete}]}}",
      "machine.network.interfaces",
      [{ deviceSelector: { driver: "virtio", busPath: "0*" }, dhcp: true }],
    ],
    [
      "an item is deleted and another added",
      "cluster: {apiServer: {admissionControl: [{$patch: delete, name: PodSecurity}, {name: New}]}}",
      "cluster.apiServer.admissionControl",
      [{ name: "New" }],
    ],
    [
      "what is not there needs no deletion",
      "machine: {nothing: {of: {$patch: delete}}, network: {interfaces: [{interface: eth9, $patch: delete}]}}",
      "machine.type",
      "worker",
    ],
    ["a scalar is deleted", "machine: {install: {disk: {$patch: delete}}}", "machine.install", { wipe: true, size: 5 }],
    [
      "what is deleted goes before what is added",
      "machine: {network: {interfaces: [{interface: eth0, $patch: delete}, {interface: eth0, dummy: true}]}}",
      "machine.network.interfaces",
      [
        { deviceSelector: { driver: "virtio", busPath: "0*" }, dhcp: true },
        { interface: "eth0", dummy: true },
      ],
    ],
    [
      "documents of one identity merge one after another",
      "machine: {certSANs: {$patch: delete}}\n---\nmachine: {certSANs: [b]}\n---\nmachine: {certSANs: [c]}",
      "machine.certSANs",
      ["b", "c"],
    ],
  ];
  for (const [name, patch, path, result] of cases)
    it(name, () => {
      const patched = patchConfig(BASE, [loadPatch(patch)]);
      assert.deepEqual(part(patched, path), result);
    });

  it("leaves no trace of a deletion that met nothing", () => {
    assert.equal(patchConfig(BASE, [loadPatch("machine: {nothing: {of: {$patch: delete}}}")]), BASE);
  });

  const documents: [name: string, patch: string, result: unknown[]][] = [
    [
      "adds a document of another kind",
      "kind: A\nb: c\n",
      [
        { kind: "H", name: "x", l: [1] },
        { kind: "A", b: "c" },
      ],
    ],
    [
      "adds a document of another name",
      "kind: H\nname: y\n",
      [
        { kind: "H", name: "x", l: [1] },
        { kind: "H", name: "y" },
      ],
    ],
    ["merges one of the same name", "kind: H\nname: x\nl: [2]\n", [{ kind: "H", name: "x", l: [1, 2] }]],
    ["deletes a document", "kind: H\nname: x\n$patch: delete\n", []],
    ["does not mind that there is none to delete", "kind: H\nname: z\n$patch: delete\n", [{ kind: "H", name: "x", l: [1] }]],
    ["adds no document that only deletes", "kind: A\nname: z\nb: {$patch: delete}\n", [{ kind: "H", name: "x", l: [1] }]],
    [
      "takes several documents, and the empty ones between them",
      "---\nkind: H\nname: x\nl: [3]\n---\n---\nkind: B\n---\nmachine: {a: b}\n",
      [{ kind: "H", name: "x", l: [1, 3] }, { kind: "B" }, { machine: { a: "b" } }],
    ],
  ];
  for (const [name, patch, result] of documents)
    it(name, () =>
      assert.deepEqual(
        values(patchConfig("kind: H\nname: x\nl: [1]\n", [loadPatch(patch)])).filter((value) => value !== null),
        result,
      ),
    );

  const kinds: [kind: string, before: string, patch: string, result: unknown][] = [
    ["KubeNetworkConfig", "podSubnets: [a]", "podSubnets: [b]", { podSubnets: ["b"] }],
    [
      "NetworkRuleConfig",
      "{ingress: [a], portSelector: {ports: [1]}}",
      "{ingress: [b], portSelector: {ports: [2]}}",
      { ingress: ["b"], portSelector: { ports: [2] } },
    ],
    ["KubeAuditPolicyConfig", "configuration: {a: 1}", "configuration: {b: 1}", { configuration: { b: 1 } }],
    [
      "KubeletConfig",
      "{config: {a: 1}, extraArgs: {x: [a]}}",
      "{config: {b: 1}, extraArgs: {x: b}}",
      { config: { a: 1, b: 1 }, extraArgs: { x: "b" } },
    ],
    [
      "ExtensionServiceConfig",
      "{configFiles: [{mountPath: /a, content: x}], environment: [A=1]}",
      "{configFiles: [{mountPath: /a, content: y}, {mountPath: /b}], environment: [B=2]}",
      { configFiles: [{ mountPath: "/a", content: "y" }, { mountPath: "/b" }], environment: ["A=1", "B=2"] },
    ],
    [
      "ImageVerificationConfig",
      "rules: [{image: a, x: 1}]",
      "rules: [{image: a, y: 1}]",
      { rules: [{ image: "a", x: 1, y: 1 }] },
    ],
    ["SomethingNew", "podSubnets: [a]", "podSubnets: [b]", { podSubnets: ["a", "b"] }],
  ];
  for (const [kind, before, patch, result] of kinds)
    it(`knows what merges in ${kind}`, () => {
      const text = (body: string): string => JSON.stringify({ kind, ...(values(body)[0] as object) });
      assert.deepEqual(values(patchConfig(text(before), [loadPatch(text(patch))])), [{ kind, ...(result as object) }]);
    });

  const refused: [name: string, patch: string, message: RegExp][] = [
    ["a text for a mapping", "machine: {install: SECRET}", /machine\.install: the patch has a string where/],
    ["a mapping for a list", "machine: {certSANs: {a: SECRET}}", /machine\.certSANs: the patch has a mapping/],
    [
      "another type in free form",
      'machine: {kubelet: {extraConfig: {maxPods: "SECRET"}}}',
      /extraConfig\.maxPods: .* string where .* number/,
    ],
    ["another directive", "machine: {$patch: SECRET}", /\$patch can only be delete/],
    [
      "a deletion inside of an item",
      "machine: {network: {interfaces: [{interface: eth0, bond: {$patch: delete}}]}}",
      /below an item/,
    ],
    ["a deletion that tells no item", "machine: {certSANs: [{$patch: delete}]}", /tells which item/],
  ];
  for (const [name, patch, message] of refused)
    it(`refuses ${name}`, () =>
      assert.throws(
        () => patchConfig(BASE, [loadPatch(patch)]),
        (error) => Fault.is(error, "talos.patch") && message.test(error.message) && !error.message.includes("SECRET"),
      ));
});

describe("JSON patch of a configuration", () => {
  const config = `${HOSTNAME}---\n${BASE}`;
  const cases: [patch: string, path: string, result: unknown][] = [
    ['[{"op":"replace","path":"/machine/install/disk","value":"/dev/vda"}]', "machine.install.disk", "/dev/vda"],
    ["- op: add\n  path: /machine/certSANs/-\n  value: b\n", "machine.certSANs", ["a", "b"]],
    ["- {op: add, path: /machine/certSANs/0, value: b}", "machine.certSANs", ["b", "a"]],
    [
      "- {op: remove, path: /machine/network/interfaces/-1/dhcp}",
      "machine.network.interfaces.1",
      { deviceSelector: { driver: "virtio", busPath: "0*" } },
    ],
    ["- {op: move, from: /machine/sysctls, path: /machine/sysfs}", "machine.sysfs", { x: "1" }],
    ["- {op: copy, from: /machine/sysctls/x, path: /machine/a~1b}", "machine.a/b", "1"],
    ["- {op: test, path: /machine/type, value: worker}\n- {op: add, path: /machine/type, value: init}", "machine.type", "init"],
  ];
  for (const [patch, path, result] of cases)
    it(`${patch.trim().replaceAll("\n", " ")}`, () => {
      const patched = patchConfig(config, [loadPatch(patch)]);
      assert.ok(patched.startsWith(`${HOSTNAME}---\n`), "the other document stays byte for byte");
      assert.deepEqual(part(patched.slice(HOSTNAME.length + 4), path), result);
    });

  const refused: [patch: string, message: RegExp][] = [
    ["- {op: replace, path: /machine/none, value: SECRET}", /operation 1 \(replace \/machine\/none\): there is nothing/],
    ["- {op: test, path: /machine/type, value: SECRET}", /operation 1 \(test \/machine\/type\): the value is another/],
    ["- {op: add, path: /machine/a/b, value: SECRET}", /\(add \/machine\/a\/b\): there is no \/machine\/a/],
    ["- {op: add, path: /machine/certSANs/5, value: SECRET}", /no such index/],
    ["- {op: move, from: /machine, path: /machine/x}", /into itself/],
    ["- {op: copy, from: /none, path: /machine/x}", /nothing at from/],
    ["- {op: SECRET, path: /a}", /operation 1: op is none of/],
    ["- {op: add, path: /a}", /operation 1: add \/a without value/],
    ["- {op: add, value: SECRET}", /add without path/],
    ["- {op: replace, path: '', value: [SECRET]}", /no mapping/],
    ["- SECRET", /operation 1: no mapping/],
    ["SECRET", /line 1: neither a document nor a list/],
    ["a: b\n---\n- {op: remove, path: /a}", /line 3: neither/],
  ];
  for (const [patch, message] of refused)
    it(`refuses ${patch.replaceAll("\n", " ")}`, () =>
      assert.throws(
        () => patchConfig(config, [loadPatch(patch)]),
        (error) => Fault.is(error, "talos.patch") && message.test(error.message) && !error.message.includes("SECRET"),
      ));

  it("is bounded", () => {
    const doubling = Array.from({ length: 40 }, (_, i) => ({
      op: "copy",
      from: i === 0 ? "/machine" : `/m${i - 1}`,
      path: `/m${i}`,
    }));
    const nested = doubling.flatMap(({ from, path }) => [
      { op: "copy", from, path },
      { op: "copy", from, path: `${path}${path}` },
    ]);
    assert.throws(() => patchConfig(config, [loadPatch(JSON.stringify(nested))]), /copies too much/);
  });

  it("needs a document it can be applied to", () => {
    const two = `${HOSTNAME}---\nkind: X\n`;
    const patch = loadPatch("- {op: add, path: /a, value: b}");
    assert.throws(() => patchConfig(two, [patch]), /no v1alpha1 document/);
    assert.deepEqual(values(patchConfig("kind: X\n", [patch])), [{ kind: "X", a: "b" }]);
  });
});
