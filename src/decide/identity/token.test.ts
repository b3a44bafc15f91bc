import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatIpv4, formatIpv6, formatMac } from "#std/address.ts";
import { Fault } from "#std/fault.ts";
import { formatUuid } from "#std/uuid.ts";
import { claimProblem, isAddressOf } from "./claim.ts";
import { decodeToken, encodeToken } from "./token.ts";
import type { BootToken, Seal } from "./token.ts";

/** Marks by a sum that every bit moves; no secret is kept here. */
const seal: Seal = {
  mark: (message) => {
    const mark = new Uint8Array(32);
    for (const [i, byte] of message.entries()) for (let j = 0; j < 32; j++) mark[j] = mark[j]! * 31 + byte + i * j + 1;
    return mark;
  },
  isMark: (message, mark) => mark.length === 32 && seal.mark(message).every((byte, i) => byte === mark[i]),
};

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const uuid = bytes(16).map(formatUuid);
const tokens: fc.Arbitrary<BootToken> = fc
  .record(
    {
      purpose: fc.constantFrom("agent" as const, "config" as const),
      boot: uuid,
      address: fc.oneof(
        bytes(4).map((each) => formatIpv4(each)),
        bytes(16).map((each) => formatIpv6(each.with(0, 0xfd))),
      ),
      expires: fc.integer({ min: 1, max: 2 ** 32 }).map((seconds) => seconds * 1000),
      uuid,
      mac: bytes(6).map(formatMac),
      serial: fc.string({ minLength: 1, maxLength: 20, unit: "binary" }),
      binding: uuid,
    },
    { requiredKeys: ["purpose", "boot", "address", "expires"], noNullPrototype: true },
  )
  .map((token) => token as BootToken);

const isRefused = (fault: unknown): boolean => Fault.is(fault, "decide.token") && fault.fault === "peer";

test("a token comes back as it was, in text that needs no quoting", () => {
  fc.assert(
    fc.property(tokens, (token) => {
      const text = encodeToken(token, seal);
      assert.match(text, /^[A-Za-z0-9_-]{60,256}$/);
      assert.deepEqual(decodeToken(text, seal, 0, token.purpose), token);
      assert.throws(() => decodeToken(text, seal, token.expires, token.purpose), /expired/);
      const other = token.purpose === "agent" ? "config" : "agent";
      assert.throws(() => decodeToken(text, seal, 0, other), /another purpose/);
    }),
  );
});

test("a token that is changed anywhere, cut short or made longer is refused", () => {
  fc.assert(
    fc.property(tokens, fc.nat(), fc.constantFrom(..."Ax9-_ ="), (token, at, character) => {
      const text = encodeToken(token, seal);
      const i = at % text.length;
      const changed = text.slice(0, i) + character + text.slice(i + 1);
      if (changed !== text) assert.throws(() => decodeToken(changed, seal, 0), isRefused);
      assert.throws(() => decodeToken(text.slice(0, i), seal, 0), isRefused);
      assert.throws(() => decodeToken(text + character, seal, 0), isRefused);
    }),
  );
  fc.assert(fc.property(fc.string({ maxLength: 400 }), (text) => assert.throws(() => decodeToken(text, seal, 0), isRefused)));
});

const token: BootToken = { purpose: "agent", boot: "00112233-4455-6677-8899-aabbccddeeff", address: "192.0.2.7", expires: 1e12 };

test("the usual token is short; what is odd is left out or normalized, what is wrong is our fault", () => {
  const usual = { ...token, uuid: token.boot, mac: "52:54:00:12:34:56", serial: "CZ3203ABCD" };
  assert.equal(encodeToken(usual, seal).length, 123);
  assert.equal(decodeToken(encodeToken({ ...token, serial: "x".repeat(65) }, seal), seal, 0).serial, undefined);
  assert.equal(decodeToken(encodeToken({ ...token, address: "::ffff:192.0.2.7" }, seal), seal, 0).address, "192.0.2.7");
  assert.equal(decodeToken(encodeToken({ ...token, address: "fe80::1%eth0" }, seal), seal, 0).address, "fe80::1");
  assert.throws(
    () => encodeToken({ ...token, mac: "no" }, seal),
    (fault) => Fault.is(fault, "decide.token") && fault.fault === "caller",
  );
});

test("a machine's claims must fit its token; what is not known contradicts nothing", () => {
  const mac = "52:54:00:12:34:56";
  const full = { ...token, uuid: token.boot, mac, serial: "AB-12 " };
  const facts = { uuid: token.boot.toUpperCase(), macs: ["52:54:00:00:00:01", mac.toUpperCase()], serial: "ab12" };
  assert.equal(claimProblem(full, facts), undefined);
  assert.equal(claimProblem(token, facts), undefined);
  assert.equal(claimProblem(full, { macs: [] }), undefined);
  assert.equal(claimProblem(full, { ...facts, serial: "Default string" }), undefined);
  assert.equal(
    claimProblem(full, { ...facts, uuid: "33221100-5544-7766-8899-aabbccddeeff" }),
    undefined,
    "the other order of bytes",
  );
  assert.match(claimProblem(full, { ...facts, uuid: "10112233-4455-6677-8899-aabbccddeeff" })!, /UUID/);
  assert.match(claimProblem(full, { ...facts, uuid: "no" })!, /UUID/);
  assert.match(claimProblem(full, { ...facts, macs: ["52:54:00:00:00:01"] })!, /no interface 52:54:00:12:34:56/);
  assert.match(claimProblem(full, { ...facts, serial: "AB-13" })!, /serial number/);
});

test("addresses are compared as addresses", () => {
  assert.ok(isAddressOf({ ...token, address: "fe80::1" }, "fe80:0::1%eth0"));
  assert.ok(isAddressOf(token, "192.0.2.7"));
  assert.ok(!isAddressOf(token, "192.0.2.8") && !isAddressOf(token, "") && !isAddressOf(token, "::ffff"));
});
