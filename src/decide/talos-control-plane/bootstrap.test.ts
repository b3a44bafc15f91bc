import assert from "node:assert/strict";
import { test } from "node:test";
import { bootstrapOf } from "./bootstrap.ts";
import type { ObservedControlPlane } from "./machine.ts";

const NOW = 10_000_000;

test("etcd is not brought up while a machine that could still join it is on its way out", () => {
  const machine = {
    name: "a",
    uid: "a",
    isDeleting: false,
    isConfigured: true,
    createdAt: 0,
    addresses: [],
    hostnames: [],
    spec: {},
  };
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

test("nothing is on record, as after a move: no new etcd beside machines that are silent and may have one", () => {
  const facts = { answeredAt: NOW, hasEtcdData: false, services: [{ id: "etcd", state: "Preparing", message: "" }] };
  const fresh = {
    name: "new",
    uid: "n",
    isDeleting: false,
    isConfigured: true,
    createdAt: 9,
    addresses: ["10.0.0.9"],
    hostnames: [],
    spec: {},
    facts,
  };
  const bootstrap = (old: object | undefined) => {
    const machines =
      old === undefined ? [fresh] : [fresh, { ...fresh, name: "old", uid: "o", addresses: ["10.0.0.1"], facts: {}, ...old }];
    return bootstrapOf(
      { status: {}, mark: undefined, spec: { controlPlaneConfig: {} }, machines } as unknown as ObservedControlPlane,
      NOW,
    );
  };
  assert.equal(bootstrap(undefined).record?.machine, "new");
  // Still on its way: it is not waited for.
  assert.equal(bootstrap({}).record?.machine, "new");
  for (const isDeleting of [false, true]) {
    const { record, wait } = bootstrap({
      spec: { providerID: "sidero://x" },
      isDeleting,
      facts: { problem: "no answer within 4 s" },
    });
    assert.equal(record, undefined);
    assert.match(wait?.waitingFor ?? "", /^Machine old to answer \(no answer within 4 s\): it has been installed before/);
  }
  assert.equal(bootstrap({ spec: { providerID: "sidero://x" }, facts }).record?.machine, "new");
  assert.equal(bootstrap({ spec: { providerID: "sidero://x" }, facts: { ...facts, hasEtcdData: true } }).isDone, true);
});
