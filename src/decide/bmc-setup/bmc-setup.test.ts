import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { admitsAnybody, levelsAfter } from "./cipher-suites.ts";
import type { LanChannel, UserSlot } from "./found.ts";
import { makerOf, passwordOf } from "./password.ts";
import { isAccount, leftovers, otherAccount, slotsFor } from "./slots.ts";
import { noWay, waysOf } from "./ways.ts";

const channel = (number: number, addresses: readonly string[], more: Partial<LanChannel> = {}): LanChannel => ({
  number,
  addresses,
  port: 623,
  source: "static",
  ...more,
});
const slot = (id: number, name: string | undefined, more: Partial<UserSlot> = {}): UserSlot => ({
  id,
  name,
  isFixed: false,
  isEnabled: false,
  ...more,
});
const ids = (slots: readonly UserSlot[]): number[] => slots.map(({ id }) => id);

test("ways: IPv4 first, then global, then private IPv6; what leads nowhere is left out", () => {
  const channels = [
    channel(1, ["0.0.0.0", "fd00::5", "fe80::1", "2001:db8::1"]),
    channel(3, ["169.254.3.1"]),
    channel(8, ["10.0.0.8", "::", "127.0.0.1", "255.255.255.255", "224.0.0.1", "nonsense"], { port: 6230 }),
  ];
  assert.deepEqual(waysOf(channels), [
    { address: "10.0.0.8", port: 6230, channel: 8 },
    { address: "2001:db8::1", port: 623, channel: 1 },
    { address: "fd00::5", port: 623, channel: 1 },
  ]);
  assert.equal(noWay(channels), undefined);
});

test("no way: it is said why, and whether waiting can help", () => {
  assert.deepEqual(noWay([]), { text: "the BMC has no network interface", mayCome: false });
  const channels = [
    channel(1, ["0.0.0.0"], { source: "dhcp", mac: "02:00:00:00:00:01" }),
    channel(2, [], {}),
    channel(3, ["169.254.3.1"]),
  ];
  assert.deepEqual(noWay(channels), {
    text: "the BMC has no address: channel 1 (02:00:00:00:00:01) waits for DHCP; channel 2 has no address; channel 3 has only 169.254.3.1, which no other network reaches",
    mayCome: true,
  });
});

test("slots: the account's own, whatever else is free", () => {
  const slots = [slot(1, ""), slot(2, "root", { isEnabled: true }), slot(3, ""), slot(7, "sidero", { isEnabled: true })];
  assert.deepEqual(ids(slotsFor("sidero", slots)), [7]);
});

test("slots: what makers call empty is free; fixed ones, the anonymous user and people's accounts are not", () => {
  const slots = [
    slot(1, ""),
    slot(2, "ADMIN"),
    slot(3, undefined),
    slot(4, "", { isFixed: true }),
    slot(5, "(Empty User)", { isEnabled: true }),
    slot(6, "\xff".repeat(16)),
    slot(7, "   "),
    slot(8, "Empty"),
    slot(9, "NULL"),
  ];
  assert.deepEqual(ids(slotsFor("sidero", slots)), [6, 7, 9, 5, 3]);
});

test("slots: none is taken that a person uses", () => {
  const any = fc.record({
    id: fc.integer({ min: 1, max: 63 }),
    name: fc.oneof(fc.constantFrom("", "sidero", "sidero2", "(Empty User)", undefined), fc.string({ maxLength: 16 })),
    isFixed: fc.boolean(),
    isEnabled: fc.constantFrom(true, false, undefined),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 20 }), (slots) => {
      for (const { id, name, isFixed } of slotsFor("sidero", slots)) {
        assert.notEqual(id, 1);
        if (name === "sidero") continue;
        assert.ok(!isFixed);
        assert.ok(name === undefined || !/[a-z0-9]/i.test(name.replace(/^\W*(empty user|empty|null|disabled)\W*$/i, "")));
      }
    }),
  );
});

test("accounts alternate, and what is left of the other one is found", () => {
  assert.deepEqual(["sidero", "sidero2", "operator", undefined].map(otherAccount), ["sidero2", "sidero", "sidero", "sidero"]);
  assert.deepEqual([isAccount("sidero2"), isAccount("root"), isAccount(undefined)], [true, false, false]);
  const slots = [slot(1, "sidero"), slot(2, "sidero"), slot(3, "sidero2"), slot(4, "root")];
  assert.deepEqual(ids(leftovers("sidero2", slots)), [2]);
});

test("passwords have what their form says, and nothing that people confuse", () => {
  const bytes = fc.infiniteStream(fc.integer({ min: 0, max: 255 }));
  for (const manufacturer of [0, 674, 11, 10876, 19046, 37945, 5703]) {
    for (const form of makerOf(manufacturer).forms) {
      fc.assert(
        fc.property(bytes, (stream) => {
          const password = passwordOf(form, (length) => Uint8Array.from({ length }, () => stream.next().value!));
          assert.equal(password.length, form.length);
          assert.ok(form.length <= form.field);
          assert.match(password, /^[A-Za-z]/);
          assert.doesNotMatch(password, /[0Oo1Ili\s'"$&\\]|(.)\1/);
          const has = { upper: /[A-Z]/, lower: /[a-z]/, digit: /\d/, special: /[-_.]/ };
          for (const [name, pattern] of Object.entries(has)) {
            assert.equal(pattern.test(password), (form.classes as readonly string[]).includes(name), `${name} in ${password}`);
          }
        }),
        { numRuns: 50 },
      );
    }
  }
});

test("every character of the alphabet is equally likely", () => {
  let state = 0x9e3779b9;
  // xorshift32
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    return (state ^= state << 5) >>> 0;
  };
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => next() >>> 11);
  const counts = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    // The first is a letter always, and neighbours are never the same, which moves nothing.
    for (const character of passwordOf(makerOf(0).forms[0]!, bytes).slice(1)) {
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
  }
  const letters = [...counts].filter(([character]) => /[a-zA-Z]/.test(character)).map(([, count]) => count);
  assert.equal(letters.length, 24 + 23);
  const mean = letters.reduce((sum, count) => sum + count, 0) / letters.length;
  for (const count of letters) assert.ok(Math.abs(count / mean - 1) < 0.1, `${count} of ${mean}`);
});

test("cipher suites: 3 and 17 are opened for administrators, others stay", () => {
  assert.deepEqual(levelsAfter([0, 1, 3, 17], [4, 0, 2, 0]), [4, 0, 4, 4]);
  assert.equal(levelsAfter([0, 3, 17], [0, 4, 5]), undefined);
  assert.equal(levelsAfter([1, 2], [0, 0]), undefined);
  assert.equal(admitsAnybody([0, 3], [4, 4]), true);
  assert.equal(admitsAnybody([0, 3], [0, 4]), false);
  assert.equal(admitsAnybody([3], [4]), false);
});
