import assert from "node:assert/strict";
import { test } from "node:test";
import type { MetalCluster } from "#kinds/infrastructure/v1alpha3/metal-cluster.ts";
import { decideNodes, type ServerNode } from "./metal-cluster-nodes.ts";

const metalCluster = {
  apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3",
  kind: "MetalCluster",
  metadata: { name: "c" },
} as MetalCluster;
const cluster = { namespace: "default", name: "c" };
/** `name@server`, with `?` when its kubelet is silent. */
const node = (text: string): ServerNode => {
  const [, name = "", server = "", silent] = /^(\w+)@(\w+)(\?)?$/.exec(text) ?? [];
  return { name, uid: `uid-${name}`, resourceVersion: "1", server, isSilent: silent !== undefined };
};
const removed = (nodes: string[], held: string[], paused?: string): string[] =>
  decideNodes({ metalCluster, paused, cluster, nodes: nodes.map(node), held: new Set(held) }).effects.map(
    (each) => each.node.name,
  );

const TABLE: readonly [why: string, nodes: string[], held: string[], removed: string[]][] = [
  ["both run", ["a@s1", "b@s2"], ["s1", "s2"], []],
  ["it is silent, and its machine is there: whether that is over is Cluster API's to say", ["a@s1?"], ["s1"], []],
  ["its machine is gone", ["a@s1?", "b@s2"], ["s2"], ["a"]],
  ["its machine is gone, and it runs on: it may be somebody's", ["a@s1", "b@s2"], ["s2"], []],
  ["its Server has another since", ["a@s1?", "b@s1"], ["s1"], ["a"]],
  ["there are several from before", ["a@s1?", "b@s1?", "c@s1"], ["s1"], ["a", "b"]],
  ["which of them is over is not known", ["a@s1?", "b@s1?"], ["s1"], []],
  ["two run on one Server: nobody can tell which is right", ["a@s1", "b@s1"], ["s1"], []],
];

test("only Nodes that are silent go, and only when their Server has no machine here, or another Node", () => {
  for (const [why, nodes, held, gone] of TABLE) assert.deepEqual(removed(nodes, held), gone, why);
});

test("nothing goes while it is paused, or while the cluster itself goes", () => {
  assert.deepEqual(removed(["a@s1?"], [], "Cluster spec.paused is set to true"), []);
  const going = { ...metalCluster, metadata: { name: "c", deletionTimestamp: "2026-01-01T00:00:00Z" } };
  assert.deepEqual(
    decideNodes({ metalCluster: going, paused: undefined, cluster, nodes: [node("a@s1?")], held: new Set() }).effects,
    [],
  );
});
