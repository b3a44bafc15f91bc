import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "#std/fault.ts";
import { printConfig } from "../document/document.ts";
import { parseConfig } from "../document/parse.ts";
import { addressesIn } from "./addresses.ts";
import { withNode } from "./labels.ts";

const labelled = (text: string): string => printConfig(withNode(parseConfig(text), { uuid: "u1", providerId: "sidero://u1" }));

const TABLE: readonly (readonly [what: string, before: string, after: string])[] = [
  [
    "no machine",
    "version: v1alpha1\n",
    "version: v1alpha1\nmachine:\n    kubelet:\n        extraArgs:\n            node-labels: metal.sidero.dev/uuid=u1\n            provider-id: sidero://u1\n",
  ],
  [
    "labels of its own; a comment and a field nobody knows stay",
    "version: v1alpha1 # v\nmachine:\n  novel: {a: 1}\n  kubelet:\n    extraArgs:\n      node-labels: a=b\n",
    "version: v1alpha1 # v\nmachine:\n    novel: { a: 1 }\n    kubelet:\n        extraArgs:\n            node-labels: a=b,metal.sidero.dev/uuid=u1\n            provider-id: sidero://u1\n",
  ],
  [
    "a list of labels, and a provider id",
    "version: v1alpha1\nmachine:\n    kubelet:\n        extraArgs:\n            node-labels:\n                - a=b\n            provider-id: other://1\n",
    "version: v1alpha1\nmachine:\n    kubelet:\n        extraArgs:\n            node-labels:\n                - a=b\n                - metal.sidero.dev/uuid=u1\n            provider-id: other://1\n",
  ],
  [
    "kubelet and node with documents of their own, before the v1alpha1 document",
    "apiVersion: v1alpha1\nkind: KubeNodeConfig\nnodeIP: {}\n---\nversion: v1alpha1\nmachine: {}\n---\napiVersion: v1alpha1\nkind: KubeletConfig\nimage: k\n",
    "apiVersion: v1alpha1\nkind: KubeNodeConfig\nnodeIP: {}\nlabels:\n    metal.sidero.dev/uuid: u1\n---\nversion: v1alpha1\nmachine: {}\n---\napiVersion: v1alpha1\nkind: KubeletConfig\nimage: k\nextraArgs:\n    provider-id: sidero://u1\n",
  ],
];

for (const [what, before, after] of TABLE) {
  test(what, () => {
    assert.equal(labelled(before), after);
    assert.equal(labelled(after), after, "once more changes nothing");
  });
}

test("what is no configuration of Talos is refused, and what it says is not told", () => {
  for (const text of [
    "kind: Secret\nhidden: x\n",
    "version: v1alpha1\nmachine: hidden\n",
    "version: v1alpha1\nmachine:\n  kubelet: [hidden]\n",
  ]) {
    assert.throws(
      () => labelled(text),
      (fault) => Fault.is(fault, "talos.config") && !fault.message.includes("hidden"),
    );
  }
});

test("addresses of the machine itself, and no shared ones", () => {
  const text = `version: v1alpha1
machine:
    network:
        interfaces:
            - interface: eth0
              addresses: [10.0.0.5/24, "fd00::5/64", 7]
              vip: { ip: 10.0.0.100 }
              vlans: [{ vlanId: 3, addresses: [10.3.0.5/24] }]
            - interface: eth1
              cidr: 10.1.0.5/16
---
apiVersion: v1alpha1
kind: LinkConfig
name: eth2
addresses: [{ address: 10.2.0.5/24 }, { address: 10.0.0.5/24 }]
---
apiVersion: v1alpha1
kind: Layer2VIPConfig
name: 10.0.0.101
link: eth0
`;
  assert.deepEqual(addressesIn(parseConfig(text)), ["10.0.0.5", "fd00::5", "10.3.0.5", "10.1.0.5", "10.2.0.5"]);
  assert.deepEqual(addressesIn(parseConfig("version: v1alpha1\nmachine: 3\n")), []);
});
