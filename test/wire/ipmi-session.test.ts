/** What protects a session, damaged in every way; and the numbers that keep copies out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemCrypto } from "#io/node/crypto.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { Fault } from "#std/fault.ts";
import { decodeMessage, encodeMessage } from "#wire/ipmi/session/message.ts";
import { Protection } from "#wire/ipmi/session/packet20.ts";
import {
  decodeOpenRequest,
  decodeOpenResponse,
  decodeRakp1,
  encodeOpenRequest,
  encodeOpenResponse,
  encodeRakp1,
} from "#wire/ipmi/session/rakp.ts";
import { Session15, Session20 } from "#wire/ipmi/session/session.ts";
import type { Session } from "#wire/ipmi/session/session.ts";
import { sessionKeys, SUITES } from "#wire/ipmi/session/suite.ts";
import { after, Window } from "#wire/ipmi/session/window.ts";

const entropy = new SeededEntropy(1);
const KEY = Uint8Array.from({ length: 32 }, (_, i) => i);

function pair20(id: number): readonly [Session, Session] {
  const suite = SUITES.get(id)!;
  const keys = sessionKeys(systemCrypto, suite, KEY);
  const make = (own: number, peer: number): Session20 =>
    new Session20({ id: 7, own, peer, protection: new Protection(systemCrypto, (length) => entropy.bytes(length), suite, keys) });
  return [make(1, 7), make(7, 1)];
}

function pair15(): readonly [Session, Session] {
  const common = { id: 7, type: 2, password: KEY.slice(0, 16), primitives: systemCrypto };
  return [new Session15({ ...common, next: 100, first: 0xfffffffe }), new Session15({ ...common, next: 0xfffffffe, first: 100 })];
}

const PAIRS = { "suite 0": () => pair20(0), "suite 3": () => pair20(3), "suite 17": () => pair20(17), "IPMI 1.5": pair15 };

for (const [name, make] of Object.entries(PAIRS)) {
  test(`${name}: payloads of every length come through, in both directions, once`, () => {
    const [client, bmc] = make();
    for (let length = 0; length < 70; length++) {
      for (const [from, to] of [
        [client, bmc],
        [bmc, client],
      ] as const) {
        const payload = { type: 0, bytes: entropy.bytes(length) };
        const datagram = from.wrap(payload);
        assert.deepEqual(to.unwrap(datagram), { ...payload, bytes: Uint8Array.from(payload.bytes) });
        assert.equal(to.unwrap(datagram), undefined, "a copy");
        assert.equal(from.unwrap(datagram), undefined, "back to who sent it");
      }
    }
  });
}

test("a datagram that was touched anywhere is not of the session", () => {
  for (const name of ["suite 3", "suite 17", "IPMI 1.5"] as const) {
    const [client, bmc] = PAIRS[name]();
    const datagram = client.wrap({ type: 0, bytes: Uint8Array.from({ length: 21 }, (_, i) => i) });
    for (let at = 0; at < datagram.length; at++) {
      for (const bit of [0x01, 0x80]) {
        const damaged = datagram.slice();
        damaged[at]! ^= bit;
        const read = bmc.unwrap(damaged);
        // The RMCP header and the reserved halves of bytes are under no code.
        if (read !== undefined) assert.ok(at < 5, `${name}: byte ${at} bit ${bit}`);
      }
      assert.equal(bmc.unwrap(datagram.subarray(0, at)), undefined);
    }
  }
});

test("what is less protected than was agreed is not taken", () => {
  const [, bmc] = pair20(17);
  const [plain] = pair20(0);
  assert.equal(bmc.unwrap(plain.wrap({ type: 0, bytes: Uint8Array.of(1) })), undefined);
});

test("numbers: once each, a little ahead, a little behind, round the end", () => {
  const window = new Window(0);
  assert.deepEqual(
    [1, 1, 2, 5, 4, 4, 3, 21, 22, 6, 5, 0].map((number) => window.accept(number)),
    [true, false, true, true, true, false, true, true, true, false, false, false],
  );
  assert.deepEqual(
    [7, 7, 38, 39].map((number) => window.accept(number)),
    [true, false, true, true],
  );
  assert.equal(window.accept(56), false, "too far ahead");
  const end = new Window(0xfffffffd);
  assert.deepEqual(
    [0xffffffff, 0, 1, 0xfffffffe, 2].map((number) => end.accept(number)),
    [true, false, true, true, true],
  );
  assert.equal(after(0xffffffff), 1);
});

test("messages and openings are what they were", () => {
  const message = {
    to: 0x20,
    toLun: 1,
    netFn: 6,
    from: 0x81,
    fromLun: 0,
    sequence: 33,
    command: 0x38,
    data: Uint8Array.of(0x8e, 4),
  };
  assert.deepEqual(decodeMessage(encodeMessage(message)), message);
  const flipped = encodeMessage(message);
  flipped[6]! ^= 1;
  assert.throws(
    () => decodeMessage(flipped),
    (error) => Fault.is(error, "ipmi.malformed"),
  );
  const request = { tag: 3, privilege: 4, remoteSession: 0xa0a1a2a3, authentication: 3, integrity: 4, confidentiality: 1 };
  assert.deepEqual(decodeOpenRequest(encodeOpenRequest(request)), request);
  const { tag, remoteSession, ...algorithms } = request;
  const response = { tag, status: 0, remoteSession, granted: { ...algorithms, bmcSession: 9 } };
  assert.deepEqual(decodeOpenResponse(encodeOpenResponse(response)), response);
  const refusal = { tag, status: 0x11, remoteSession };
  assert.deepEqual(decodeOpenResponse(encodeOpenResponse(refusal)), refusal);
  assert.deepEqual(decodeOpenResponse(Uint8Array.of(3, 1)), { tag: 3, status: 1, remoteSession: 0 }, "a short one");
  const rakp1 = { tag: 3, bmcSession: 9, random: KEY.slice(0, 16), role: 0x14, user: Uint8Array.from(Buffer.from("admin")) };
  assert.deepEqual(decodeRakp1(encodeRakp1(rakp1)), rakp1);
});
