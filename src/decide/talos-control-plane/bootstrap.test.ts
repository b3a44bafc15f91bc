import assert from "node:assert/strict";
import { test } from "node:test";
import { bootstrapOf } from "./bootstrap.ts";
import type { ObservedControlPlane } from "./machine.ts";

const NOW = 10_000_000;

test("etcd is not brought up while a machine that could still join it is on its way out", () => {
  const machine = { name: "a", uid: "a", isDeleting: false, isConfigured: true, createdAt: 0, addresses: [], hostnames: [] };
  const facts = { answeredAt: NOW, hasEtcdData: false, services: [{ id: "etcd", state: "Preparing", message: "" }] };
  const leaving = { ...machine, name: "b", uid: "b", isDeleting: true, facts: {} };
  const deeds = (more: readonly object[]): unknown[] => {
    const observed = {
      status: { bootstrap: { machine: "a", uid: "a", at: "" } },
      mark: "bootstrapping a",
      spec: { controlPlaneConfig: {} },
      machines: [{ ...machine, facts, addresses: ["10.0.0.1"] }, ...more],
    } as unknown as ObservedControlPlane;
    return bootstrapOf(observed, NOW).effects.map(({ do: act }) => act);
  };
  assert.deepEqual(deeds([]), ["bootstrap"]);
  assert.deepEqual(deeds([{ ...leaving, isConfigured: false }]), ["bootstrap"]);
  assert.deepEqual(deeds([leaving]), []);
});
