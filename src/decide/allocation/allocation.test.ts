/** Which Server a machine gets, and how it is told why it gets none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { choose } from "./choose.ts";
import { exclusionOf, printCensus, refusalOf } from "./exclusion.ts";
import { failureDomainOf } from "./failure-domain.ts";

type Free = Map<string | undefined, string[]>;

const domain = fc.option(fc.constantFrom("a", "b", "c", "d"), { nil: undefined });
/** Free Servers by domain as the pool keeps them: sorted, no list empty. */
const free: fc.Arbitrary<Free> = fc
  .uniqueArray(fc.record({ name: fc.stringMatching(/^[a-z0-9]{1,6}$/), domain }), { selector: ({ name }) => name, maxLength: 40 })
  .map((servers) => {
    const map: Free = new Map();
    for (const { name, domain: place } of servers) map.set(place, [...(map.get(place) ?? []), name].toSorted());
    return map;
  });

/** Hands out all that are free, one by one, to one group. */
function handOut(servers: Free, used: Map<string | undefined, number>): (readonly [string | undefined, string])[] {
  const given: (readonly [string | undefined, string])[] = [];
  for (;;) {
    const name = choose(servers, undefined, used);
    if (name === undefined) return given;
    const [place, names] = [...servers].find(([, list]) => list.includes(name))!;
    servers.set(place, names.slice(1));
    if (names.length === 1) servers.delete(place);
    used.set(place, (used.get(place) ?? 0) + 1);
    given.push([place, name]);
  }
}

test("every free Server is given once, each domain's in order, and no domain gets one before another with fewer that has any", () => {
  fc.assert(
    fc.property(free, (servers) => {
      const all = new Map(servers);
      const used = new Map<string | undefined, number>();
      const given = handOut(new Map(servers), used);
      assert.deepEqual(given.map(([, name]) => name).toSorted(), [...all.values()].flat().toSorted());
      for (const [place, names] of all)
        assert.deepEqual(
          given.filter(([at]) => at === place).map(([, name]) => name),
          names,
        );
      const counts = new Map<string | undefined, number>();
      for (const [place] of given) {
        for (const [other, names] of all)
          if ((counts.get(other) ?? 0) < names.length) assert.ok((counts.get(place) ?? 0) <= (counts.get(other) ?? 0));
        counts.set(place, (counts.get(place) ?? 0) + 1);
      }
    }),
  );
});

test("without domains it is the first by name, whatever is used; with a domain asked for, its first or none", () => {
  fc.assert(
    fc.property(free, fc.nat(5), fc.constantFrom("a", "e"), (servers, count, wanted) => {
      const names = [...servers.values()].flat().toSorted();
      const flat: Free = names.length === 0 ? new Map() : new Map([[undefined, names]]);
      assert.equal(choose(flat, undefined, new Map([[undefined, count]])), names[0]);
      assert.equal(choose(servers, wanted, new Map()), servers.get(wanted)?.[0]);
    }),
  );
});

test("the same in any order of the map", () => {
  fc.assert(
    fc.property(free, fc.array(fc.tuple(domain, fc.nat(3))), (servers, counts) => {
      const used = new Map(counts);
      assert.equal(choose(servers, undefined, used), choose(new Map([...servers].toReversed()), undefined, used));
    }),
  );
});

const server = (change: { metadata?: object; spec?: object; status?: object } = {}): Server =>
  ({
    metadata: { name: "s", ...change.metadata },
    spec: { accepted: true, ...change.spec },
    status: { isClean: true, phase: "Available", ...change.status },
  }) as Server;

const request = { metadata: { annotations: { "metal.sidero.dev/request": "power-off 1" } } };
for (const [expected, change] of [
  [undefined, {}],
  [undefined, { status: { phase: undefined } }],
  [undefined, { status: { bmc: { way: "none" } } }],
  [undefined, { status: { bmc: { way: "bmc", breaker: "closed", health: "warning" } } }],
  ["in-use", { status: { inUse: true, isClean: false } }],
  ["not-accepted", { spec: { accepted: false } }],
  ["cordoned", { spec: { cordoned: true } }],
  ["deleting", { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }],
  ["adopted", { spec: { adopt: true } }],
  ["paused", { metadata: { annotations: { "cluster.x-k8s.io/paused": "" } } }],
  ["paused", { status: { phase: "Paused" } }],
  ["failed", { status: { phase: "Failed" } }],
  ["not-clean", { status: { isClean: false, phase: "Wiping" } }],
  ["not-clean", { status: { isClean: undefined } }],
  ["kept-off", request],
  [undefined, { ...request, status: { request: { value: "power-off 1", outcome: "refused: no", at: "" } } }],
  ["bmc-unusable", { status: { bmc: { way: "unusable" } } }],
  ["bmc-silent", { status: { bmc: { way: "bmc", breaker: "open" } } }],
  ["unhealthy", { status: { bmc: { way: "bmc", health: "critical" } } }],
] as const)
  test(`${JSON.stringify(change)}: ${expected ?? "free"}`, () => {
    assert.equal(exclusionOf(server(change)), expected);
    assert.equal(refusalOf(server(change)), expected === "cordoned" ? undefined : expected);
    // Being cordoned hides nothing from who asks by name.
    const cordoned = server({ ...change, spec: { ...("spec" in change ? change.spec : {}), cordoned: true } });
    if (expected !== "cordoned") assert.equal(refusalOf(cordoned), expected);
  });

test("the failure domain is our label's before the well-known one; an empty one says nothing", () => {
  const at = (labels: Record<string, string>) => failureDomainOf(server({ metadata: { labels } }));
  const [ours, theirs] = ["metal.sidero.dev/failure-domain", "topology.kubernetes.io/zone"];
  assert.deepEqual(
    [at({}), at({ [theirs]: "z" }), at({ [ours]: "r", [theirs]: "z" }), at({ [ours]: "", [theirs]: "z" })],
    [undefined, "z", "r", "z"],
  );
});

test("what nobody can have is counted by reason", () => {
  const census = { serverClass: "workers", failureDomain: undefined, servers: 9, matched: 0, excluded: new Map() };
  assert.equal(printCensus(census), "none of 9 Servers matches ServerClass workers");
  const excluded = new Map([["not-clean", 2] as const, ["in-use", 3] as const, ["cordoned", 0] as const]);
  assert.equal(
    printCensus({ ...census, matched: 5, excluded, failureDomain: "r1" }),
    "5 of 9 Servers match ServerClass workers: 3 in use, 2 not clean (yet); one in failure domain r1 is wanted",
  );
});
