import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { formatMac } from "#std/address.ts";
import { formatUuid, parseUuid } from "#std/uuid.ts";
import { machineOf } from "./machine.ts";
import type { KnownServers, Machine, MachineFacts } from "./machine.ts";

/** What is registered; takes machines in as registration does. */
class Registered implements KnownServers {
  readonly servers = new Map<string, Server>();

  server(name: string): Server | undefined {
    return this.servers.get(name);
  }
  serversByMac(mac: string): Server[] {
    return [...this.servers.values()].filter(({ spec }) => spec?.hardware?.network?.interfaces?.some((each) => each.mac === mac));
  }
  look(facts: MachineFacts): Machine | undefined {
    return machineOf(facts, this, (text) => hash("sha256", text, "hex"));
  }
  register(facts: MachineFacts): string {
    const { name } = this.look(facts)!;
    const { uuid = "", macs, serial = "" } = facts;
    const hardware = { system: { uuid, serialNumber: serial }, network: { interfaces: macs.map((mac) => ({ mac })) } };
    const kind = { apiVersion: "metal.sidero.dev/v1alpha2", kind: "Server" } as const;
    this.servers.set(name, { ...kind, metadata: { name }, spec: { accepted: false, hardware } });
    return name;
  }
}

const OWN = "6f0c34b6-8ad1-4b4e-9d6c-1d3f6ab54d10";
const PLACEHOLDER = "03000200-0400-0500-0006-000700080009";
const MAC = "52:54:00:12:34:56";

test("a machine is named by its UUID, in lower case, whatever else it is made of", () => {
  const { name, note, server } = new Registered().look({ uuid: OWN.toUpperCase(), macs: [MAC], serial: "S1" })!;
  assert.deepEqual([name, note, server], [OWN, undefined, undefined]);
  assert.equal(new Registered().look({ uuid: OWN, macs: [] })?.name, OWN);
});

test("a UUID that says nothing gives way to a UUID of version 8, and the note says why", () => {
  const cases: [uuid: string | undefined, why: RegExp][] = [
    [PLACEHOLDER, /its UUID 03000200-.* is a placeholder that many boards have/],
    ["00000000-0000-0000-0000-000000000000", /its UUID is missing/],
    ["FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", /its UUID was never set/],
    ["Not Specified", /its UUID is malformed/],
    [undefined, /its UUID is missing/],
  ];
  const names = cases.map(([uuid, why]) => {
    const { name, note } = new Registered().look({ uuid, macs: [MAC], serial: "S1" })!;
    assert.match(note!, why);
    assert.match(name, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    return name;
  });
  assert.equal(new Set(names).size, 1, "the same machine, however its firmware says nothing");
  assert.equal(new Registered().look({ macs: [], serial: "none" }), undefined);
  assert.equal(new Registered().look({ macs: ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "x"] }), undefined);
  assert.notEqual(new Registered().look({ macs: [], serial: "S1" }), undefined);
});

test("Servers without interfaces on record, of people and of v1alpha1, are the machine's of that UUID", () => {
  const known = new Registered();
  known.register({ uuid: OWN, macs: [] });
  assert.equal(known.look({ uuid: OWN, macs: [MAC] })?.server?.metadata.name, OWN);
});

test("a script's one MAC address finds the Server that registration made", () => {
  const known = new Registered();
  const macs = ["52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03"];
  for (const uuid of [OWN, PLACEHOLDER]) {
    const name = known.register({ uuid, macs, serial: "S1" });
    for (const mac of macs)
      assert.equal(known.look({ uuid, macs: [mac], serial: "S1" })?.server?.metadata.name, name, `${uuid} ${mac}`);
  }
});

test("a dongle that moves does not take its Server along", () => {
  const known = new Registered();
  const dongle = "02:00:00:00:00:01";
  const first = known.register({ macs: ["52:54:00:00:00:01", dongle] });
  assert.notEqual(known.register({ macs: ["52:54:00:00:00:02", dongle] }), first);
  assert.equal(known.look({ macs: [dongle, "52:54:00:00:00:01"] })?.name, first);
});

test("of two machines with the same UUID the second has a derived name, also when the first one is gone", () => {
  const known = new Registered();
  const [a, b] = [
    { uuid: OWN, macs: ["52:54:00:00:00:01"], serial: "S" },
    { uuid: OWN, macs: ["52:54:00:00:00:02"], serial: "S" },
  ];
  assert.equal(known.register(a), OWN);
  const name = known.register(b);
  assert.match(known.look(b)!.note!, /another machine is registered with its UUID 6f0c34b6/);
  known.servers.delete(OWN);
  assert.equal(known.look(b)?.name, name);
  assert.equal(known.look(a)?.name, OWN);
});

const mac = (i: number): string => formatMac(Uint8Array.of(0x52, 0x54, 0, 0, i >> 8, i & 0xff));
/** Machines that have nothing in common but what firmware gets wrong. */
const machines = fc
  .array(
    fc.record({
      uuid: fc.constantFrom(OWN, PLACEHOLDER, "", formatUuid(parseUuid(OWN)!.with(0, 1))),
      serial: fc.constantFrom("", "S1", "S2", "Default string"),
      nics: fc.integer({ min: 1, max: 5 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((all) =>
    all.map(({ nics, ...facts }, i) => ({ ...facts, macs: Array.from({ length: nics }, (_, j) => mac(i * 16 + j)) })),
  );

test("two machines are never one Server, and a machine that comes back is its own, in whatever order its interfaces come", () => {
  fc.assert(
    fc.property(machines, fc.infiniteStream(fc.nat(1000)), (all, chance) => {
      const known = new Registered();
      const shuffled = ({ macs, ...facts }: (typeof all)[number]): MachineFacts => ({
        ...facts,
        uuid: facts.uuid.toUpperCase(),
        macs: macs
          .map((each) => [chance.next().value as number, each] as const)
          .toSorted(([x], [y]) => x - y)
          .map(([, each]) => each),
      });
      const names = all.map((facts) => known.register(shuffled(facts)));
      assert.equal(new Set(names).size, all.length);
      for (let round = 0; round < 2; round++) {
        assert.deepEqual(
          all.map((facts) => known.register(shuffled(facts))),
          names,
        );
      }
      assert.equal(known.servers.size, all.length);
    }),
  );
});
