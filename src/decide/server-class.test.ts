import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { conversion } from "#kinds/metal/v1alpha1/server-class.ts";
import type { ServerClass as OlderClass } from "#kinds/metal/v1alpha1/server-class.ts";
import type { HardwareInformation } from "#kinds/metal/v1alpha2/hardware.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { ANY, decideServerClass, membershipOf, type ObservedClass, whereErrors } from "./server-class.ts";

type Spec = NonNullable<ServerClass["spec"]>;

function server(
  name: string,
  parts: { labels?: Record<string, string>; hardware?: HardwareInformation; accepted?: boolean },
): Server {
  const { labels = {}, accepted = true, hardware } = parts;
  const spec = hardware === undefined ? { accepted } : { accepted, hardware };
  return { apiVersion: "metal.sidero.dev/v1alpha2", kind: "Server", metadata: { name, labels }, spec };
}

const processor = (manufacturer: string, productName: string): HardwareInformation => ({
  compute: { processors: [{ manufacturer, productName }] },
});
const XEON = { manufacturer: "Intel(R) Corporation", productName: "Intel(R) Xeon(R) CPU E5-2630 v2 @ 2.60GHz" };
const ATOM = "Intel(R) Atom(TM) CPU C3558 @ 2.20GHz";
const RYZEN = "AMD Ryzen 7 2700X Eight-Core Processor";
const AMD = "Advanced Micro Devices, Inc.";

/** The fixtures of upstream's filter test (sidero.md §10.1). */
const servers = [
  server("atom", { labels: { "common-label": "true", zone: "central" }, hardware: processor(XEON.manufacturer, ATOM) }),
  server("dualXeon", { hardware: { system: { manufacturer: "Supermicro" }, compute: { processors: [XEON, XEON] } } }),
  server("ryzen", {
    labels: { "common-label": "true", zone: "east" },
    hardware: { system: { manufacturer: "QEMU" }, ...processor(AMD, RYZEN) },
  }),
  server("notAccepted", { labels: { "common-label": "true", zone: "west" }, hardware: processor(AMD, RYZEN), accepted: false }),
];

function winners(spec: Spec, name = "class"): string[] {
  const { placeOf } = membershipOf(name, spec);
  return servers.filter((each) => placeOf(each) !== undefined).map((each) => each.metadata.name!);
}

const maker = (manufacturer: string): HardwareInformation => ({ compute: { processors: [{ manufacturer }] } });
const INTEL = maker(XEON.manufacturer);

const cases: Record<string, [spec: Spec, winners: string[]]> = {
  "empty selector, empty qualifier": [{}, ["atom", "dualXeon", "ryzen"]],
  "Intel only": [{ qualifiers: { hardware: [INTEL] } }, ["atom", "dualXeon"]],
  "Intel and AMD": [{ qualifiers: { hardware: [maker(AMD), INTEL] } }, ["atom", "dualXeon", "ryzen"]],
  "QEMU only": [{ qualifiers: { hardware: [{ system: { manufacturer: "QEMU" } }] } }, ["ryzen"]],
  "with label": [{ qualifiers: { labelSelectors: [{ "common-label": "true" }] } }, ["atom", "ryzen"]],
  "two keys in one map are alternatives": [
    { qualifiers: { labelSelectors: [{ "common-label": "true", zone: "central" }] } },
    ["atom", "ryzen"],
  ],
  "two maps are alternatives": [
    { qualifiers: { labelSelectors: [{ "common-label": "true" }, { zone: "central" }] } },
    ["atom", "ryzen"],
  ],
  "zone central": [{ qualifiers: { labelSelectors: [{ zone: "central" }] } }, ["atom"]],
  "selector with one result": [{ selector: { matchLabels: { zone: "central" } } }, ["atom"]],
  "selector with several results": [{ selector: { matchLabels: { "common-label": "true" } } }, ["atom", "ryzen"]],
  "selector with two keys needs both": [{ selector: { matchLabels: { "common-label": "true", zone: "central" } } }, ["atom"]],
  "selector Exists": [{ selector: { matchExpressions: [{ key: "common-label", operator: "Exists" }] } }, ["atom", "ryzen"]],
  "selector In": [{ selector: { matchExpressions: [{ key: "zone", operator: "In", values: ["east", "west"] }] } }, ["ryzen"]],
  "selector and qualifier both match": [
    { selector: { matchLabels: { "common-label": "true" } }, qualifiers: { hardware: [maker(AMD)] } },
    ["ryzen"],
  ],
  "disqualifying selector": [{ selector: { matchLabels: { zone: "nowhere" } }, qualifiers: { hardware: [maker(AMD)] } }, []],
  "disqualifying qualifier": [
    { selector: { matchLabels: { "common-label": "true" } }, qualifiers: { hardware: [{ system: { manufacturer: "Gone" } }] } },
    [],
  ],
};

for (const [name, [spec, expected]] of Object.entries(cases)) {
  test(`upstream's filter: ${name}`, () => assert.deepEqual(winners(spec), expected));
}

test("upstream's filter, v1alpha1: every pairing of cpu and systemInformation, converted", () => {
  const older = (qualifiers: NonNullable<NonNullable<OlderClass["spec"]>["qualifiers"]>): string[] => {
    const old = {
      apiVersion: "metal.sidero.dev/v1alpha1",
      kind: "ServerClass",
      metadata: { name: "c" },
      spec: { qualifiers },
    } as const;
    return winners((conversion.up(old) as unknown as ServerClass).spec ?? {});
  };
  assert.deepEqual(older({}), ["atom", "dualXeon", "ryzen"]);
  assert.deepEqual(older({ cpu: [{ manufacturer: XEON.manufacturer }] }), ["atom", "dualXeon"]);
  assert.deepEqual(older({ cpu: [{ manufacturer: AMD }, { manufacturer: XEON.manufacturer }] }), ["atom", "dualXeon", "ryzen"]);
  assert.deepEqual(older({ systemInformation: [{ manufacturer: "QEMU" }] }), ["ryzen"]);
  assert.deepEqual(older({ cpu: [{ manufacturer: XEON.manufacturer }], systemInformation: [{ manufacturer: "QEMU" }] }), []);
});

test("the class any: no qualifiers, but a selector set on it stays", () => {
  assert.deepEqual(winners({}, ANY), ["atom", "dualXeon", "ryzen"]);
  assert.deepEqual(winners({ qualifiers: { hardware: [INTEL] } }, ANY), ["atom", "dualXeon", "ryzen"]);
  assert.deepEqual(winners({ selector: { matchLabels: { zone: "east" } } }, ANY), ["ryzen"]);
});

test("lists match wherever the item is, one item each", () => {
  assert.deepEqual(winners({ qualifiers: { hardware: [{ compute: { processors: [XEON, XEON] } }] } }), ["dualXeon"]);
  const mixed = server("mixed", {
    hardware: { compute: { processors: [{ ...XEON, coreCount: 6 }, XEON, { manufacturer: AMD }] } },
  });
  const fits = (...processors: object[]): boolean =>
    membershipOf("c", { qualifiers: { hardware: [{ compute: { processors } }] } }).placeOf(mixed) === "available";
  assert.ok(fits({ manufacturer: AMD }));
  assert.ok(fits({ manufacturer: AMD }, XEON));
  // The first asked item must give way to the second, which only one socket satisfies.
  assert.ok(fits(XEON, { coreCount: 6 }));
  assert.ok(!fits({ manufacturer: AMD }, { manufacturer: AMD }));
  assert.ok(!fits(XEON, XEON, XEON));
});

test("what is empty asks for nothing; unknown hardware fits no list", () => {
  const bare = server("bare", {});
  const placeOf = (spec: Spec): unknown => membershipOf("c", spec).placeOf(bare);
  assert.equal(placeOf({ qualifiers: { hardware: [] } }), "available");
  assert.equal(placeOf({ qualifiers: { hardware: [{}] } }), undefined);
  assert.deepEqual(
    winners({ qualifiers: { hardware: [{ system: { manufacturer: "" }, memory: { moduleCount: 0 } }] } }).length,
    3,
  );
});

test("cordoned Servers are in no class, held ones are in use", () => {
  const { placeOf } = membershipOf("c", {});
  const [atom] = servers as [Server];
  assert.equal(placeOf({ ...atom, spec: { accepted: true, cordoned: true } }), undefined);
  assert.equal(placeOf({ ...atom, status: { inUse: true } }), "in-use");
  assert.equal(placeOf({ ...atom, status: { inUse: false } }), "available");
});

test("a selector that does not parse selects nobody, and says why", () => {
  const { placeOf, problem } = membershipOf("c", { selector: { matchExpressions: [{ key: "zone", operator: "Within" }] } });
  assert.ok(servers.every((each) => placeOf(each) === undefined));
  assert.equal(problem, 'spec.selector.matchExpressions[0].operator: Invalid value: "Within": not a valid selector operator');
});

test("property: an upstream match by position is a match here, and label keys never reach the prototype", () => {
  const name = fc.constantFrom("a", "b", "");
  const hardware = fc.record({ processors: fc.array(fc.record({ manufacturer: name, productName: name }), { maxLength: 3 }) });
  const byPosition = (actual: object, asked: object): boolean =>
    Object.entries(asked).every(([key, value]: [string, unknown]) => {
      const other = (actual as Record<string, unknown>)[key];
      if (value === "") return true;
      if (!Array.isArray(value)) return value === other;
      return (
        Array.isArray(other) &&
        value.length <= other.length &&
        value.every((item: object, i) => byPosition(other[i] as object, item))
      );
    });
  fc.assert(
    fc.property(hardware, hardware, (actual, asked) => {
      const fits = membershipOf("c", { qualifiers: { hardware: [{ compute: asked }] } }).placeOf(
        server("s", { hardware: { compute: actual } }),
      );
      assert.ok(!byPosition(actual, asked) || fits === "available");
    }),
  );
  assert.deepEqual(winners({ qualifiers: { labelSelectors: [{ constructor: "x", toString: "y" }] } }), []);
});

const any = (spec: Spec): ServerClass => ({
  apiVersion: "metal.sidero.dev/v1alpha2",
  kind: "ServerClass",
  metadata: { name: ANY, resourceVersion: "7" },
  spec,
});
const observed = (parts: Partial<ObservedClass>): ObservedClass => ({
  name: ANY,
  serverClass: undefined,
  available: [],
  inUse: [],
  problem: undefined,
  ...parts,
});

test("the class any is made when missing and its qualifiers cleared; other classes stay gone", () => {
  assert.deepEqual(decideServerClass(observed({})), { effects: [{ do: "create-any" }] });
  assert.deepEqual(decideServerClass(observed({ name: "gone" })), { effects: [] });
  const { effects } = decideServerClass(observed({ serverClass: any({ qualifiers: { hardware: [INTEL] } }) }));
  assert.deepEqual(effects, [{ do: "clear-qualifiers", name: ANY, resourceVersion: "7" }]);
  // Fixpoint: after the effect there is none.
  assert.deepEqual(decideServerClass(observed({ serverClass: any({}) })).effects, []);
  assert.deepEqual(decideServerClass(observed({ serverClass: any({ qualifiers: {} }) })).effects, []);
});

test("where is one rule more, and one that does not compile leaves nobody", () => {
  const intel = "compute.processors.exists(p, p.manufacturer.contains('Intel'))";
  assert.deepEqual(winners({ where: intel }), ["atom", "dualXeon"]);
  assert.deepEqual(winners({ where: intel, selector: { matchLabels: { zone: "central" } } }), ["atom"]);
  assert.deepEqual(winners({ where: intel, qualifiers: { hardware: [{ system: { manufacturer: "QEMU" } }] } }), []);
  assert.deepEqual(winners({ where: "" }), ["atom", "dualXeon", "ryzen"]);
  const { problem, placeOf } = membershipOf("c", { where: "cpu.cores > 4" });
  assert.match(problem ?? "", /^spec\.where: line 1, column 1: there is no cpu; there are system, /);
  assert.equal(placeOf(servers[0]!), undefined);
  const { effects } = decideServerClass(
    observed({
      serverClass: any({}),
      problem,
      failures: new Map([
        ["s1", "no"],
        ["s2", "no"],
      ]),
    }),
  );
  assert.deepEqual(
    effects.map((effect) => effect.do === "warn" && effect.reason),
    ["InvalidWhere", "WhereFailed"],
  );
});

test("where is judged when it is written, and let be when it was there before", () => {
  const [error] = whereErrors({ where: "memory.totalSize >" }, undefined);
  assert.deepEqual([error?.type, error?.field], ["FieldValueInvalid", "spec.where"]);
  assert.match(error?.body ?? "", /^Invalid value: "memory\.totalSize >": line 1, column \d+: /);
  assert.deepEqual(whereErrors({ where: "memory.totalSize >" }, { where: "memory.totalSize >" }), []);
  assert.deepEqual(whereErrors({ where: "memory.totalSize > 1" }, undefined), []);
  assert.deepEqual(whereErrors(undefined, undefined), []);
});

test("both lists are always there", () => {
  const { status } = decideServerClass(observed({ serverClass: any({}), available: ["a"] }));
  assert.deepEqual(status, { serversAvailable: ["a"], serversInUse: [] });
});
