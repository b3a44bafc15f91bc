import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MOST_SIGHTINGS, MOST_TEXT } from "#kinds/metal/v1alpha2/boot-record.ts";
import { type Sighting, SIGHTINGS, type What } from "../sighting.ts";
import { beginBoot, beginsAnew, type Boot, fold, join } from "./boot.ts";
import { bootOf, statusOf } from "./record.ts";
import { oneLine } from "./sightings.ts";

const START = Date.UTC(2030, 0, 1);
const of = { mac: "52:54:00:00:00:01" };

function at(seconds: number, what: What, rest: Partial<Sighting> = {}): Sighting {
  return { of, at: START + seconds * 1000, what, text: what, ...rest };
}

function booted(...sightings: Sighting[]): Boot {
  return sightings.slice(1).reduce(fold, beginBoot(sightings[0]!));
}

function lines({ seen }: Boot): string[] {
  return seen.map(({ at: time, what, count = 1 }) => `${(time - START) / 1000} ${what}${count > 1 ? ` ×${count}` : ""}`);
}

const REGISTERED = [
  at(0, "dhcp.discover", { begins: true }),
  at(1, "dhcp.ack"),
  at(2, "tftp.sent"),
  at(3, "script.served"),
  at(4, "http.sent"),
  at(9, "agent.hello"),
  at(10, "agent.registered"),
];

test("how far it came: only what the machine got counts", () => {
  const phases = REGISTERED.map((_, i) => booted(...REGISTERED.slice(0, i + 1)).phase);
  assert.deepEqual(phases, ["dhcp", "dhcp", "program", "script", "kernel", "agent", "registered"]);
  const uefi = booted(at(0, "dhcp.discover"), at(1, "http.sent"), at(2, "http.refused"), at(3, "agent.refused"));
  assert.equal(uefi.phase, "program", "a file before the script is the program; a refusal is no progress");
  assert.equal(fold(booted(...REGISTERED), at(20, "dhcp.request")).phase, "registered", "an address renewed is no way back");
});

test("which sighting begins a new boot", () => {
  const boots: [after: number, next: Sighting, isNew: boolean][] = [
    [1, at(3, "dhcp.discover", { begins: true }), false],
    [2, at(3, "dhcp.discover", { begins: true }), false],
    [3, at(3, "dhcp.discover", { begins: true }), true],
    [3, at(3, "dhcp.discover"), false],
    [1, at(700, "dhcp.discover", { begins: true }), true],
    [5, at(5, "script.served"), false],
    [5, at(70, "script.served"), true],
    [4, at(70, "script.served"), false],
    [7, at(11, "script.served"), true],
    [7, at(11, "tftp.sent"), true],
    [7, at(4000, "dhcp.request"), false],
    [7, at(4000, "dhcp.discover"), true],
    [7, at(4000, "agent.step"), false],
    [7, at(11, "agent.gone"), false],
    [7, at(4000, "sidero.started"), false],
    [1, at(1, "power.on"), true],
    [1, at(1, "power.command", { begins: true }), true],
    [7, at(4000, "power.command"), false],
  ];
  for (const [after, next, isNew] of boots) {
    const boot = booted(...REGISTERED.slice(0, after));
    assert.equal(beginsAnew(boot, next), isNew, `${boot.phase}, then ${next.what} at ${(next.at - START) / 1000}`);
  }
  const off = fold(booted(...REGISTERED), at(20, "power.off"));
  assert.equal(off.endedAt, START + 20_000);
  assert.ok(beginsAnew(off, at(21, "power.on")));
  assert.ok(!beginsAnew(off, at(21, "power.command")), "a light");
  const told = booted(at(0, "power.command", { begins: true }));
  assert.ok(!beginsAnew(told, at(5, "power.command", { begins: true })), "told again");
  assert.ok(!beginsAnew(told, at(5, "power.on")));
  assert.ok(!beginsAnew(told, at(20, "dhcp.discover", { begins: true })));
  assert.ok(!beginsAnew(off, at(21, "agent.gone")), "noticed late");
  const sent = booted(...REGISTERED.slice(0, 3), at(3, "script.served", { ends: true }));
  assert.ok(!beginsAnew(sent, at(8, "script.served", { ends: true })), "its second interface asks too");
  assert.ok(beginsAnew(sent, at(8, "dhcp.discover", { begins: true })));
});

test("repetitions are one entry, unless something else happened in between", () => {
  const asking = [0, 1, 2, 3].flatMap((n) => [at(4 * n, "dhcp.discover"), at(4 * n + 1, "dhcp.offer", { bytes: 300 })]);
  const boot = booted(...asking, at(20, "tftp.sent"), at(21, "dhcp.discover"));
  assert.deepEqual(lines(boot), ["0 dhcp.discover ×4", "1 dhcp.offer ×4", "20 tftp.sent", "21 dhcp.discover"]);
  assert.deepEqual([boot.seen[1]!.until, boot.seen[1]!.bytes], [START + 13_000, 1200]);
});

test("a wait lasts from when it was first told until the machine goes on", () => {
  const wait = (seconds: number): Sighting => at(seconds, "script.served", { waitingFor: "Environment default" });
  const waiting = booted(at(0, "dhcp.ack"), wait(1), wait(6), at(7, "dhcp.request"), at(8, "dhcp.other-server"), wait(11));
  assert.deepEqual(waiting.waitingFor, { what: "Environment default", since: START + 1000 });
  assert.equal(fold(waiting, at(12, "http.sent")).waitingFor, undefined);
  assert.deepEqual(fold(waiting, at(12, "sidero.stopped")).waitingFor, waiting.waitingFor);
  const asking = booted(at(0, "dhcp.discover", { waitingFor: "an answer by DHCP" }), at(1, "dhcp.other-server"));
  assert.equal(asking.waitingFor, undefined, "an answer, whoever gave it");
  assert.equal(fold(waiting, at(13, "script.served", { waitingFor: "acceptance" })).waitingFor?.since, START + 13_000);
});

test("a long boot keeps its beginning, its end, and the number of what is missing", () => {
  const many = booted(...Array.from({ length: 500 }, (_, i) => at(i, "agent.step", { text: `step ${i}` })));
  assert.equal(many.seen.length, MOST_SIGHTINGS);
  assert.equal(many.dropped, 300);
  assert.deepEqual([many.seen[99]!.text, many.seen[100]!.text, many.seen.at(-1)!.text], ["step 99", "step 400", "step 499"]);
});

test("texts are one line of bounded length that no terminal obeys", () => {
  assert.equal(oneLine("file \u001b[2Jx\nname\u202e"), "file �[2Jx�name�");
  assert.equal([...oneLine("🦆".repeat(300))].length, MOST_TEXT);
  assert.equal(oneLine("🦆".repeat(300)).at(-1), "…");
});

const sightings = fc.array(
  fc.record({
    of: fc.constant(of),
    at: fc.integer({ min: 0, max: 600 }).map((seconds) => START + seconds * 1000),
    what: fc.constantFrom(...SIGHTINGS),
    text: fc.constantFrom("a", "b", "c"),
    bytes: fc.integer({ min: 0, max: 1e6 }),
  }),
  { minLength: 1, maxLength: 60 },
);
const total = ({ seen, dropped }: Boot): number => seen.reduce((sum, { count = 1 }) => sum + count, dropped);

test("any sightings: in order, counted, nothing lost, and the same from a record", () => {
  fc.assert(
    fc.property(sightings, (all) => {
      const boot = booted(...all);
      assert.deepEqual(
        boot.seen.map((each) => each.at),
        boot.seen.map((each) => each.at).toSorted((a, b) => a - b),
      );
      assert.equal(total(boot), all.length);
      assert.equal(
        boot.seen.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
        all.reduce((sum, { bytes }) => sum + bytes, 0),
      );
      assert.deepEqual(booted(...all), boot);
      const object = {
        apiVersion: "metal.sidero.dev/v1alpha2",
        kind: "BootRecord",
        metadata: {},
        spec: { machine: "x" },
      } as const;
      assert.deepEqual(bootOf({ ...object, status: statusOf(boot) }), boot);
    }),
  );
});

test("two halves join the same either way, and a half that is known already adds nothing", () => {
  fc.assert(
    fc.property(sightings, sightings, (left, right) => {
      const [a, b] = [booted(...left), booted(...right)];
      const joined = join(a, b);
      assert.deepEqual(join(b, a), joined);
      assert.ok(joined.seen.every(({ at: time }, i) => i === 0 || time >= joined.seen[i - 1]!.at));
      assert.equal(joined.lastSeenAt, Math.max(a.lastSeenAt, b.lastSeenAt));
    }),
  );
  fc.assert(fc.property(sightings, (all) => assert.equal(total(join(booted(...all), booted(...all))), all.length)));
});
