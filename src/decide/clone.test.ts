import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { cloneOf } from "./clone.ts";

const template: KubeObject = {
  apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3",
  kind: "MetalMachineTemplate",
  metadata: { name: "workers", namespace: "lab", uid: "t" },
  spec: {
    template: {
      metadata: {
        labels: { rack: "7", tier: "template" },
        annotations: { note: "mine" },
        finalizers: ["not/handed-on"],
        uid: "x",
      },
      spec: { serverClassRef: { name: "any" } },
    },
  },
};
const owner = { apiVersion: "cluster.x-k8s.io/v1beta2", kind: "MachineSet", name: "set", uid: "u" };

test("a clone says what the template says, under its own name, and where it comes from", () => {
  const order = {
    name: "set-abcde",
    namespace: "lab",
    clusterName: "c",
    labels: { tier: "given" },
    annotations: { a: "b" },
    owner,
  };
  assert.deepEqual(cloneOf(template, order), {
    apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3",
    kind: "MetalMachine",
    metadata: {
      name: "set-abcde",
      namespace: "lab",
      labels: { rack: "7", tier: "given", "cluster.x-k8s.io/cluster-name": "c" },
      annotations: {
        note: "mine",
        a: "b",
        "cluster.x-k8s.io/cloned-from-name": "workers",
        "cluster.x-k8s.io/cloned-from-groupkind": "MetalMachineTemplate.infrastructure.cluster.x-k8s.io",
      },
      ownerReferences: [owner],
    },
    spec: { serverClassRef: { name: "any" } },
  });
});

test("a clone shares nothing with its template, which is in a cache", () => {
  const made = cloneOf(template, { name: "a", namespace: "lab", clusterName: "c" });
  (made["spec"] as { serverClassRef: { name: string } }).serverClassRef.name = "other";
  const again = cloneOf(template, { name: "a", namespace: "lab", clusterName: "c" });
  assert.deepEqual([again["spec"], again.metadata.ownerReferences], [{ serverClassRef: { name: "any" } }, undefined]);
});

test("what has no template to it cannot be cloned", () => {
  const order = { name: "a", namespace: "lab", clusterName: "c" };
  const said = (error: unknown): boolean => Fault.is(error, "clone.no-template");
  assert.throws(() => cloneOf({ ...template, spec: {} }, order), said);
});
