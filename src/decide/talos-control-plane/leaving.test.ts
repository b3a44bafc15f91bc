import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControlPlaneMachine, ObservedControlPlane } from "./machine.ts";
import { LEAVE_HOOK } from "./machine.ts";
import type { Etcd } from "./etcd.ts";
import { leavingOf } from "./leaving.ts";

const NOW = 10_000_000;

const machine = (name: string, more: Partial<ControlPlaneMachine> = {}): ControlPlaneMachine =>
  ({
    name,
    uid: `uid-${name}`,
    isDeleting: false,
    annotations: { [LEAVE_HOOK]: "" },
    conditions: [],
    nodeName: name,
    addresses: [`10.0.0.${name}`],
    hostnames: [],
    isConfigured: true,
    facts: {},
    ...more,
  }) as unknown as ControlPlaneMachine;

const one = machine("1");
const etcdWith = (...owners: readonly ControlPlaneMachine[]): Etcd => ({
  members: owners.map(({ name }) => ({ id: name, hostname: name, addresses: [], isLearner: false })),
  healthy: new Set(owners.map(({ name }) => name)),
  owners: new Map(owners.map((each) => [each.name, each])),
  stale: [],
  strangers: [],
});

const deeds = (machines: readonly ControlPlaneMachine[], etcd: Etcd): unknown[] => {
  const observed = { machines, isDeleting: false, cluster: undefined, status: {} } as unknown as ObservedControlPlane;
  return leavingOf(observed, etcd, true, NOW).effects.map(({ do: act }) => act);
};

test("a machine that nobody has heard of goes, unless its configuration was sent: it may come up and join at any time", () => {
  const unheard = { isDeleting: true, nodeName: undefined, addresses: [] };
  assert.deepEqual(deeds([one, machine("2", { ...unheard, isConfigured: false })], etcdWith(one)), ["release"]);
  assert.deepEqual(deeds([one, machine("2", { ...unheard, isConfigured: true })], etcdWith(one)), []);
});

test("a machine that was let go and is a member again leaves again", () => {
  const back = machine("2", { isDeleting: true, annotations: {} });
  assert.deepEqual(deeds([one, back], etcdWith(one)), []);
  const [first] = deeds([one, back, machine("3")], etcdWith(one, back, machine("3")));
  assert.match(String(first), /^(leave|remove-member)$/);
});
