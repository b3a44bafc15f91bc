import assert from "node:assert/strict";
import { test } from "node:test";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { isSyncedLabel, nodeHealthy, nodePatch } from "./node.ts";
import type { NodeFacts } from "./observed.ts";

function machine(metadata: object = {}, spec: object = {}): Machine {
  const owner = { apiVersion: "cluster.x-k8s.io/v1beta2", kind: "MachineSet", name: "ms", uid: "u", controller: true };
  return {
    metadata: { name: "m", namespace: "default", ownerReferences: [owner], ...metadata },
    spec: { clusterName: "c", ...spec },
  } as unknown as Machine;
}

interface Patch {
  metadata: { labels?: Record<string, string | null>; annotations?: Record<string, string | null> };
  spec?: { taints: { key: string; value?: string; effect: string; timeAdded?: string }[] };
}

function merged(node: NodeFacts, patch: Patch): NodeFacts {
  const apply = (texts: Readonly<Record<string, string>> | undefined, changes: Record<string, string | null> = {}) =>
    Object.fromEntries(Object.entries({ ...texts, ...changes }).filter(([, value]) => value !== null)) as Record<string, string>;
  const { labels, annotations } = node.metadata;
  return {
    ...node,
    metadata: { labels: apply(labels, patch.metadata.labels), annotations: apply(annotations, patch.metadata.annotations) },
    spec: { ...node.spec, ...patch.spec },
  };
}

function synced(node: NodeFacts, wishes: { machine: Machine; isInterruptible?: boolean; isOutdated?: boolean }): NodeFacts {
  const all = { isInterruptible: false, isOutdated: false, ...wishes };
  const patch = nodePatch(node, all) as Patch | undefined;
  const after = patch === undefined ? node : merged(node, patch);
  assert.equal(nodePatch(after, all), undefined, "once synced, there is nothing left to do");
  return after;
}

test("which labels go to Nodes", () => {
  const labels = {
    "node-role.kubernetes.io/worker": true,
    "node-restriction.kubernetes.io/a": true,
    "x.node-restriction.kubernetes.io/a": true,
    "node.cluster.x-k8s.io/a": true,
    "x.node.cluster.x-k8s.io/a": true,
    "cluster.x-k8s.io/cluster-name": false,
    "xnode.cluster.x-k8s.io/a": false,
    app: false,
  };
  for (const [key, expected] of Object.entries(labels)) assert.equal(isSyncedLabel(key), expected, key);
});

test("labels and annotations come and go with the Machine's, and those of others stay", () => {
  const bare: NodeFacts = { metadata: { name: "n", labels: { mine: "1" } } };
  const labels = { "node-role.kubernetes.io/worker": "", app: "x" };
  const first = synced(bare, { machine: machine({ labels, annotations: { "node.cluster.x-k8s.io/note": "a", other: "b" } }) });
  assert.deepEqual(first.metadata.labels, { mine: "1", "node-role.kubernetes.io/worker": "" });
  assert.deepEqual(first.metadata.annotations, {
    "node.cluster.x-k8s.io/note": "a",
    "cluster.x-k8s.io/cluster-name": "c",
    "cluster.x-k8s.io/cluster-namespace": "default",
    "cluster.x-k8s.io/machine": "m",
    "cluster.x-k8s.io/owner-kind": "MachineSet",
    "cluster.x-k8s.io/owner-name": "ms",
    "cluster.x-k8s.io/labels-from-machine": "node-role.kubernetes.io/worker",
    "cluster.x-k8s.io/annotations-from-machine": "node.cluster.x-k8s.io/note",
    "cluster.x-k8s.io/taints-from-machine": "",
  });
  const second = synced(first, { machine: machine(), isInterruptible: true });
  assert.deepEqual(second.metadata.labels, { mine: "1", "cluster.x-k8s.io/interruptible": "" });
  assert.equal(second.metadata.annotations?.["node.cluster.x-k8s.io/note"], undefined);
});

test("taints: the uninitialized one goes, Always is kept, OnInitialization is put once, those of others stay as they are", () => {
  const foreign = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule", timeAdded: "2024-01-01T00:00:00Z" };
  const bare: NodeFacts = {
    metadata: { name: "n" },
    spec: { taints: [{ key: "node.cluster.x-k8s.io/uninitialized", effect: "NoSchedule" }, foreign] },
  };
  const always = { key: "dedicated", value: "gpu", effect: "NoSchedule", propagation: "Always" };
  const once = { key: "warm-up", effect: "NoExecute", propagation: "OnInitialization" };
  const wanted = machine({}, { taints: [always, once] });
  const first = synced(bare, { machine: wanted });
  assert.deepEqual(first.spec?.taints, [
    foreign,
    { key: "dedicated", value: "gpu", effect: "NoSchedule" },
    { key: "warm-up", effect: "NoExecute" },
  ]);
  const without = { ...first, spec: { taints: [foreign] } };
  assert.deepEqual(synced(without, { machine: wanted }).spec?.taints, [
    foreign,
    { key: "dedicated", value: "gpu", effect: "NoSchedule" },
  ]);
  assert.deepEqual(synced(first, { machine: machine() }).spec?.taints, [foreign, { key: "warm-up", effect: "NoExecute" }]);
  const outdated = synced(first, { machine: wanted, isOutdated: true });
  assert.ok(outdated.spec?.taints?.some(({ key }) => key === "node.cluster.x-k8s.io/outdated-revision"));
  assert.deepEqual(synced(outdated, { machine: wanted }).spec?.taints, first.spec?.taints);
});

test("a Node is healthy when it is ready and under no pressure", () => {
  const node = (...conditions: [string, string][]): NodeFacts => ({
    metadata: {},
    status: { conditions: conditions.map(([type, status]) => ({ type, status, message: `${type} is ${status}` })) },
  });
  const table: [NodeFacts, string][] = [
    [node(["Ready", "True"]), "True NodeHealthy "],
    [node(["Ready", "True"], ["DiskPressure", "False"]), "True NodeHealthy "],
    [node(["Ready", "True"], ["DiskPressure", "True"]), "False NodeNotHealthy * Node.DiskPressure: DiskPressure is True"],
    [node(["Ready", "False"]), "False NodeNotHealthy * Node.Ready: Ready is False"],
    [node(["Ready", "Unknown"]), "Unknown NodeHealthUnknown * Node.Ready: Ready is Unknown"],
    [node(), "Unknown NodeHealthUnknown * Node.Ready: Condition not yet reported"],
  ];
  for (const [facts, expected] of table) {
    const { status, reason, message } = nodeHealthy(facts);
    assert.equal(`${status} ${reason} ${message}`, expected);
  }
});
