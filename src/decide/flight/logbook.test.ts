import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { BootRecord } from "#kinds/metal/v1alpha2/boot-record.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Sighting, What, Whom } from "../sighting.ts";
import { Logbook, type LogbookOptions, type Touch } from "./logbook.ts";

const START = Date.UTC(2030, 0, 1);
const [MAC, OTHER_MAC] = ["52:54:00:00:00:01", "52:54:00:00:00:02"];
const [UUID, OTHER_UUID] = ["4c4c4544-0042-4810-8056-b4c04f395931", "4c4c4544-0042-4810-8056-b4c04f395932"];

function server(name: string): Server {
  return { metadata: { name, uid: `uid-of-${name}` } } as Server;
}

/** A logbook and the records it asks for, as an obedient writer would have them. */
class Desk {
  readonly book: Logbook;
  readonly records = new Map<string, BootRecord>();

  constructor(options: Partial<LogbookOptions> = {}) {
    const known = { isComplete: true, server: () => undefined, serversByMac: () => [] };
    this.book = new Logbook({ known, ...options });
  }

  see(seconds: number, what: What, of: Whom, rest: Partial<Sighting> = {}): this {
    return this.obey(this.book.note({ of, at: START + seconds * 1000, what, text: what, ...rest }));
  }

  obey(touches: readonly Touch[]): this {
    for (const { record, how } of touches) {
      const wanted = this.book.wanted(record);
      assert.equal(wanted === undefined, how === "gone", `${record} ${how}`);
      if (wanted === undefined) {
        this.records.delete(record);
        continue;
      }
      const head = { apiVersion: "metal.sidero.dev/v1alpha2", kind: "BootRecord" } as const;
      this.records.set(record, { ...head, ...this.records.get(record), ...wanted } as BootRecord);
      this.book.settled(record);
    }
    return this;
  }

  /** Machine and what was seen, by record. */
  get told(): Record<string, string> {
    const entries = [...this.records].map(([name, { spec, status }]): [string, string] => [
      name,
      `${spec.machine}: ${(status?.sightings ?? []).map(({ what, count = 1 }) => what + (count > 1 ? `×${count}` : "")).join(" ")}`,
    ]);
    return Object.fromEntries(entries.toSorted());
  }
}

test("a machine is known by whatever it was seen with before", () => {
  const desk = new Desk()
    .see(0, "dhcp.discover", { mac: MAC })
    .see(1, "dhcp.ack", { mac: MAC, address: "10.0.0.5" })
    .see(2, "tftp.sent", { address: "10.0.0.5" })
    .see(3, "script.served", { uuid: UUID.toUpperCase(), mac: MAC, address: "10.0.0.5" })
    .see(4, "http.sent", { address: "10.0.0.5" })
    .see(5, "agent.hello", { uuid: UUID });
  assert.deepEqual(desk.told, {
    "mac-525400000001.20300101-000000": `${UUID}: dhcp.discover dhcp.ack tftp.sent script.served http.sent agent.hello`,
  });
});

test("where DHCP was not seen, the address is a name until a better one comes", () => {
  const desk = new Desk().see(0, "tftp.sent", { address: "10.0.0.5" });
  assert.deepEqual(desk.told, { "ip-10-0-0-5.20300101-000000": "ip-10-0-0-5: tftp.sent" });
  desk.see(2, "script.served", { uuid: UUID, mac: MAC, address: "10.0.0.5" });
  assert.deepEqual(Object.values(desk.told), [`${UUID}: tftp.sent script.served`]);
});

test("an address is its last user's; what was done with it long ago was done by somebody else", () => {
  const desk = new Desk()
    .see(0, "dhcp.ack", { mac: MAC, address: "10.0.0.5" })
    .see(10, "dhcp.ack", { mac: OTHER_MAC, address: "10.0.0.5" })
    .see(11, "tftp.sent", { address: "10.0.0.5" });
  assert.deepEqual(Object.values(desk.told), ["mac-525400000001: dhcp.ack", "mac-525400000002: dhcp.ack tftp.sent"]);
  const stale = new Desk().see(0, "tftp.sent", { address: "10.0.0.5" }).see(3600, "dhcp.ack", { mac: MAC, address: "10.0.0.5" });
  assert.deepEqual(Object.values(stale.told), ["mac-525400000001: dhcp.ack"]);
});

test("an offer gives an address to nobody who has it not, and takes it from nobody who has", () => {
  const desk = new Desk()
    .see(0, "dhcp.ack", { mac: MAC, address: "10.0.0.5" })
    .see(1, "dhcp.other-server", { mac: OTHER_MAC, address: "10.0.0.5" })
    .see(2, "tftp.sent", { address: "10.0.0.5" });
  assert.deepEqual(Object.values(desk.told), ["mac-525400000001: dhcp.ack tftp.sent", "mac-525400000002: dhcp.other-server"]);
  desk.see(100, "dhcp.other-server", { mac: OTHER_MAC, address: "10.0.0.5" }).see(101, "tftp.sent", { address: "10.0.0.5" });
  assert.match(Object.values(desk.told)[1]!, /: dhcp.other-server×2 tftp.sent$/);
});

test("a UUID that many boards share joins nothing", () => {
  const shared = "03000200-0400-0500-0006-000700080009";
  const desk = new Desk()
    .see(0, "dhcp.discover", { mac: MAC, uuid: shared })
    .see(1, "dhcp.discover", { mac: OTHER_MAC, uuid: shared });
  assert.equal(desk.records.size, 2);
});

test("two Servers are never one, whoever claims so", () => {
  const servers = new Map([UUID, OTHER_UUID].map((name) => [name, server(name)]));
  const serversByMac = (mac: string): Server[] => (mac === MAC ? [servers.get(UUID)!] : []);
  const known = { isComplete: true, server: (name: string) => servers.get(name), serversByMac };
  const desk = new Desk({ known }).see(0, "dhcp.ack", { mac: MAC }).see(1, "dhcp.ack", { uuid: OTHER_UUID, mac: OTHER_MAC });
  desk.see(2, "script.served", { uuid: OTHER_UUID, mac: MAC });
  desk.see(3, "dhcp.request", { mac: MAC });
  assert.deepEqual(Object.values(desk.told), [`${UUID}: dhcp.ack dhcp.request`, `${OTHER_UUID}: dhcp.ack script.served`]);
  const { ownerReferences } = desk.records.get(`${UUID}.20300101-000000`)!.metadata;
  assert.deepEqual(ownerReferences, [
    { apiVersion: "metal.sidero.dev/v1alpha2", kind: "Server", name: UUID, uid: `uid-of-${UUID}` },
  ]);
});

test("what is learned later does not open a boot that is over", () => {
  const desk = new Desk()
    .see(0, "dhcp.discover", { uuid: UUID, mac: MAC }, { begins: true })
    .see(9, "agent.registered", { uuid: UUID })
    .see(60, "dhcp.discover", { mac: OTHER_MAC }, { begins: true })
    .see(62, "script.served", { uuid: UUID, mac: OTHER_MAC });
  assert.deepEqual(Object.values(desk.told), [`${UUID}: dhcp.discover agent.registered`, `${UUID}: dhcp.discover script.served`]);
  const [first, second] = [...desk.records.values()].map(({ status }) => status);
  assert.deepEqual([first!.endedAt, second!.endedAt], ["2030-01-01T00:01:00.000000Z", undefined]);
});

test("the boots of one machine are bounded, and so are strangers; machines with a Server stay", () => {
  const known = {
    isComplete: true,
    server: (name: string) => (name === UUID ? server(UUID) : undefined),
    serversByMac: () => [],
  };
  const desk = new Desk({ known, boots: 3, passing: 10, arriving: 5 });
  for (let i = 0; i < 5; i++) {
    desk.see(100 * i, "dhcp.discover", { uuid: UUID }, { begins: true }).see(100 * i + 1, "script.served", { uuid: UUID });
  }
  assert.equal(desk.records.size, 3);
  const mac = (i: number): string => `02:00:00:00:00:${i.toString(16).padStart(2, "0")}`;
  for (let i = 0; i < 100; i++) desk.see(1000 + i, i % 2 === 0 ? "dhcp.discover" : "script.served", { mac: mac(i) });
  assert.deepEqual(desk.book.census(), { passing: 10, arriving: 5, known: 1 });
  assert.equal(desk.records.size, 18);
  assert.ok([...desk.records.keys()].filter((name) => name.startsWith(UUID)).length === 3);
});

test("a logbook goes on from the records of the one before", () => {
  const before = new Desk();
  for (const start of [0, 100, 200]) {
    before
      .see(start, "dhcp.discover", { uuid: UUID, mac: MAC }, { begins: true })
      .see(start + 5, "script.served", { uuid: UUID });
  }
  before.see(206, "dhcp.ack", { uuid: UUID, address: "10.0.0.5" });
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    const after = new Desk();
    const records = [...before.records.values()];
    for (const i of order) after.obey(after.book.load(records[i]!));
    for (const [name, record] of before.records) after.records.set(name, record);
    after.see(210, "http.sent", { address: "10.0.0.5" });
    assert.deepEqual(Object.values(after.told), [
      `${UUID}: dhcp.discover script.served`,
      `${UUID}: dhcp.discover script.served`,
      `${UUID}: dhcp.discover script.served dhcp.ack http.sent`,
    ]);
  }
});

test("interruptions are entered where a boot was under way", () => {
  const desk = new Desk()
    .see(0, "script.served", { mac: MAC })
    .see(1, "power.off", { mac: OTHER_MAC })
    .see(1000, "script.served", { uuid: UUID });
  desk.obey(desk.book.interrupt("sidero.stopped", START + 1_001_000, START + 1_001_000, "Sidero was stopped"));
  assert.deepEqual(Object.values(desk.told), [
    `${UUID}: script.served sidero.stopped`,
    "mac-525400000001: script.served",
    "mac-525400000002: power.off",
  ]);
});

/** What the witnesses of one boot of one machine see; which of its names each knows. */
const ROAD: readonly (readonly [What, Whom])[] = [
  ["dhcp.discover", { mac: MAC }],
  ["dhcp.ack", { mac: MAC, address: "10.0.0.5" }],
  ["dhcp.request", { mac: OTHER_MAC, uuid: UUID }],
  ["tftp.sent", { address: "10.0.0.5" }],
  ["script.served", { uuid: UUID, mac: MAC, address: "10.0.0.5" }],
  ["http.sent", { address: "10.0.0.5" }],
  ["agent.hello", { uuid: UUID, mac: OTHER_MAC }],
];

test("in whatever order the names are learned, one boot is told in the end", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...ROAD.keys()], { minLength: ROAD.length }), (order) => {
      const desk = new Desk();
      for (const i of order) desk.see(i, ROAD[i]![0], ROAD[i]![1]);
      const [told, ...others] = Object.values(desk.told);
      assert.deepEqual(others, []);
      assert.equal(told, `${UUID}: ${ROAD.map(([what]) => what).join(" ")}`);
    }),
  );
});

test("whatever is claimed, the bounds hold and every record has its machine", () => {
  const names = fc.record(
    {
      mac: fc.constantFrom(MAC, OTHER_MAC, "00:00:00:00:00:00", "junk"),
      uuid: fc.constantFrom(UUID, OTHER_UUID, "junk", "00000000-0000-0000-0000-000000000000"),
      address: fc.constantFrom("10.0.0.5", "10.0.0.6", "fe80::1%eth0", "0.0.0.0", "junk"),
      server: fc.constantFrom(UUID, "rack-1", "no name"),
    },
    { requiredKeys: [] },
  );
  const what = fc.constantFrom<What>(
    "dhcp.discover",
    "dhcp.ack",
    "tftp.sent",
    "script.served",
    "agent.hello",
    "power.off",
    "agent.gone",
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(names, what, fc.integer({ min: 0, max: 3600 }), fc.boolean()), { maxLength: 60 }), (all) => {
      const desk = new Desk({ boots: 2, passing: 2, arriving: 2 });
      for (const [of, seen, seconds, begins] of all) desk.see(seconds, seen, of, { begins });
      assert.ok(desk.book.size <= 4, `${desk.book.size} machines`);
      assert.ok(desk.records.size <= desk.book.size * 2, `${desk.records.size} records of ${desk.book.size} machines`);
      const machines = new Map<string, number>();
      for (const { spec } of desk.records.values()) machines.set(spec.machine, (machines.get(spec.machine) ?? 0) + 1);
      // Two machines are called the same when one claims for its Server what the other claims for its UUID: no more than two can.
      assert.ok([...machines.values()].every((boots) => boots <= 2 * 2));
      assert.ok(machines.size <= 4 + 2, `${machines.size} machines`);
    }),
    { numRuns: 300 },
  );
});
