import assert from "node:assert/strict";
import { test } from "node:test";
import { departedWith, etcdOf, isSplit, memberOf, rosterOf } from "./etcd.ts";
import type { ControlPlaneMachine, Member, TalosFacts } from "./machine.ts";
import { FRESH } from "./machine.ts";

const NOW = 10_000_000;
const NOTHING = { roster: [], departed: [] };

const member = (n: number, more: Partial<Member> = {}): Member => ({
  id: `000000000000000${n}`,
  hostname: `cp-${n}`,
  addresses: [`10.0.0.${n}`],
  isLearner: false,
  ...more,
});

/** As machine `n` says it, being member `n`. */
const says = (n: number, members: readonly Member[], more: Partial<TalosFacts> = {}): TalosFacts => ({
  answeredAt: NOW - 1000,
  services: [{ id: "etcd", state: "Running", isHealthy: true, message: "" }],
  etcd: { memberId: member(n).id, hasLeader: true, errors: [], members },
  hasEtcdData: true,
  ...more,
});

const machine = (n: number, facts: TalosFacts, more: Partial<ControlPlaneMachine> = {}): ControlPlaneMachine => ({
  name: `cp-${n}`,
  uid: `uid-${n}`,
  resourceVersion: "1",
  createdAt: 0,
  isDeleting: false,
  version: "v1.34.1",
  failureDomain: undefined,
  labels: {},
  annotations: {},
  spec: {},
  conditions: [],
  nodeName: `cp-${n}`,
  addresses: [`10.0.0.${n}`],
  hostnames: [`cp-${n}`],
  clonedFrom: undefined,
  config: undefined,
  isConfigured: false,
  parts: [],
  facts,
  ...more,
});

const three = [member(1), member(2), member(3)];
const SILENT: TalosFacts = { problem: "no answer" };

test("a machine says itself which member it is; those that are well take part", () => {
  const ill = says(3, three, { services: [{ id: "etcd", state: "Running", isHealthy: false, message: "slow" }] });
  const etcd = etcdOf([machine(1, says(1, three)), machine(2, says(2, three)), machine(3, ill)], NOTHING, NOW)!;
  assert.deepEqual([...etcd.healthy], [member(1).id, member(2).id]);
  assert.equal(memberOf(etcd, "uid-3"), member(3).id);
  assert.deepEqual([etcd.stale, etcd.strangers], [[], []]);
});

test("nothing is known when nobody says anything of this moment", () => {
  assert.equal(etcdOf([], NOTHING, NOW), undefined);
  assert.equal(etcdOf([machine(1, says(1, three, { answeredAt: NOW - FRESH - 1 }))], NOTHING, NOW), undefined);
  assert.equal(etcdOf([machine(1, says(1, three, { problem: "gone" }))], NOTHING, NOW), undefined);
  const leaderless = says(1, three);
  assert.equal(etcdOf([machine(1, { ...leaderless, etcd: { ...leaderless.etcd!, hasLeader: false } })], NOTHING, NOW), undefined);
});

test("a silent machine's member is known by what was seen, or by name and address together", () => {
  const well = machine(1, says(1, three));
  const named = etcdOf(
    [well, machine(2, SILENT), machine(3, SILENT, { hostnames: ["another"], nodeName: undefined })],
    NOTHING,
    NOW,
  )!;
  assert.equal(memberOf(named, "uid-2"), member(2).id);
  assert.equal(memberOf(named, "uid-3"), undefined);
  assert.deepEqual(
    named.strangers.map(({ id }) => id),
    [member(3).id],
  );
  const roster = [{ id: member(3).id, hostname: "cp-3", addresses: ["10.0.0.3"], machine: "cp-3", uid: "uid-3" }];
  const seen = etcdOf([well, machine(2, SILENT), machine(3, SILENT, { hostnames: ["another"] })], { ...NOTHING, roster }, NOW)!;
  assert.equal(memberOf(seen, "uid-3"), member(3).id);
});

test("two clusters are no cluster", () => {
  const machines = [machine(1, says(1, [member(1)])), machine(2, says(2, [member(2)]))];
  assert.ok(isSplit(machines, NOW));
  assert.equal(etcdOf(machines, NOTHING, NOW), undefined);
});

test("a member is stale when its Machine was seen and is gone, and nobody at its address could be meant", () => {
  const roster = [{ id: member(3).id, hostname: "cp-3", addresses: ["10.0.0.3"], machine: "cp-3", uid: "uid-old" }];
  const rest = [machine(1, says(1, three)), machine(2, says(2, three))];
  const stale = (machines: readonly ControlPlaneMachine[]): string[] =>
    etcdOf(machines, { ...NOTHING, roster }, NOW)!.stale.map(({ id }) => id);
  assert.deepEqual(stale(rest), [member(3).id]);
  // Another Machine has its server now: until that says what it is, it may be the same etcd under another Machine.
  const heir = (facts: TalosFacts): ControlPlaneMachine =>
    machine(9, facts, { addresses: ["10.0.0.3"], hostnames: ["cp-9"], nodeName: undefined });
  assert.deepEqual(stale([...rest, heir(SILENT)]), []);
  assert.deepEqual(stale([...rest, heir({ answeredAt: NOW, hasEtcdData: false })]), [member(3).id]);
  // It was at another address when it was seen: whose it is now, nobody knows.
  const moved = [{ ...roster[0]!, addresses: ["10.0.0.77"] }];
  assert.deepEqual(etcdOf(rest, { ...NOTHING, roster: moved }, NOW)!.stale, []);
  // There is no Machine of that uid, and there is one of its name: it is not the one that was seen.
  assert.deepEqual(stale([...rest, machine(3, SILENT, { addresses: ["10.0.0.4"], hostnames: [], nodeName: undefined })]), [
    member(3).id,
  ]);
});

test("a member that was never seen on a Machine is proven by the name and address of one that went", () => {
  const going = machine(3, SILENT, { isDeleting: true, hostnames: ["cp-3.example"] });
  const departed = departedWith([going], []);
  assert.deepEqual(departedWith([going], departed), departed);
  const rest = [machine(1, says(1, three)), machine(2, says(2, three))];
  assert.deepEqual(
    etcdOf(rest, { roster: [], departed }, NOW)!.stale.map(({ uid }) => uid),
    ["uid-3"],
  );
  assert.deepEqual(etcdOf(rest, NOTHING, NOW)!.stale, []);
  // Nobody has heard its host name: its own does, at that address.
  const unheard = (name: string) => departedWith([{ ...going, name, hostnames: [], nodeName: undefined }], []);
  for (const [name, is] of [
    ["cp-3", ["uid-3"]],
    ["cp-4", []],
  ] as const)
    assert.deepEqual(
      etcdOf(rest, { roster: [], departed: unheard(name) }, NOW)!.stale.map(({ uid }) => uid),
      is,
    );
  const many = Array.from({ length: 40 }, (_, i) => machine(i, SILENT, { isDeleting: true }));
  assert.equal(departedWith(many, departed).length, 16);
});

test("the roster keeps members of Machines that are gone until they are out", () => {
  const roster = [{ id: member(3).id, hostname: "cp-3", addresses: ["10.0.0.3"], machine: "cp-3", uid: "uid-old" }];
  const [one, two] = [machine(1, says(1, three)), machine(2, says(2, three))];
  const kept = rosterOf(etcdOf([one, two], { ...NOTHING, roster }, NOW)!, roster);
  assert.deepEqual(
    kept.map(({ uid }) => uid),
    ["uid-1", "uid-2", "uid-old"],
  );
  const out = [machine(1, says(1, [member(1), member(2)])), machine(2, says(2, [member(1), member(2)]))];
  assert.deepEqual(
    rosterOf(etcdOf(out, { ...NOTHING, roster: kept }, NOW)!, kept).map(({ uid }) => uid),
    ["uid-1", "uid-2"],
  );
});
