import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { options, packet, packet6 } from "../../../test/arbitrary/dhcp.ts";
import vectors from "../../../test/vectors/dhcp/captures.json" with { type: "json" };
import { fromHex } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import { decodePxe } from "./pxe.ts";
import { clientOf } from "./client.ts";
import { clientOf as clientOf6 } from "./v6/client.ts";
import { decode as decode6 } from "./v6/decode.ts";
import { encode as encode6 } from "./v6/encode.ts";

const { captures, captures6 } = vectors;

/** What `read` makes of the bytes, after checking that it is a packet or a `peer` Fault that names a byte of them. */
function judged<T>(read: (bytes: Uint8Array) => T, bytes: Uint8Array): T | Fault {
  try {
    return read(bytes);
  } catch (error) {
    assert.ok(Fault.is(error), `not a Fault: ${String(error)}`);
    assert.equal(error.fault, "peer");
    assert.match(error.code, /^dhcp\.(not-dhcp|truncated|malformed|too-long|too-deep)$/);
    const offset = error.facts["offset"] as number;
    assert.ok(Number.isInteger(offset) && offset >= 0 && offset <= bytes.length, `offset ${offset} of ${bytes.length}`);
    return error;
  }
}

/** Decoding and everything that is read from the packet afterwards. */
function readAll(bytes: Uint8Array): unknown {
  const read = decode(bytes);
  if (read.options.vendorSpecific !== undefined) judged(decodePxe, read.options.vendorSpecific);
  return clientOf(read);
}

function readAll6(bytes: Uint8Array): unknown {
  return clientOf6(decode6(bytes), "fe80::1");
}

test("what is encoded decodes to itself, or says what has no room", () => {
  let crowded = 0;
  fc.assert(
    fc.property(packet, (value) => {
      let bytes: Uint8Array;
      try {
        bytes = encode(value, 1500);
      } catch (error) {
        assert.ok(Fault.is(error, "dhcp.no-room"));
        crowded++;
        return;
      }
      assert.ok(bytes.length >= 300 && bytes.length <= 1472);
      assert.deepEqual(decode(bytes), value);
    }),
    { numRuns: 150 },
  );
  assert.ok(crowded < 75, `${crowded} of 150 had no room`);
});

test("options flow into file and sname of a small message, and back", () => {
  let overloaded = 0;
  fc.assert(
    fc.property(options, packet, (some, value) => {
      const small = { ...value, options: some, file: "", sname: "" };
      delete (small as { others?: unknown }).others;
      let bytes: Uint8Array;
      try {
        bytes = encode(small, 0);
      } catch (error) {
        assert.ok(Fault.is(error, "dhcp.no-room"));
        return;
      }
      assert.ok(bytes.length <= 548);
      if (bytes[108] !== 0) overloaded++;
      assert.deepEqual(decode(bytes), small);
    }),
    { numRuns: 100 },
  );
  assert.ok(overloaded > 3, `${overloaded} overloaded`);
});

test("DHCPv6: what is encoded decodes to itself", () => {
  fc.assert(
    fc.property(packet6, (value) => assert.deepEqual(decode6(encode6(value)), value)),
    { numRuns: 100 },
  );
});

test("every truncation of a captured message gives a packet or a peer Fault", () => {
  for (const { hex } of captures) {
    const bytes = fromHex(hex)!;
    for (let length = 0; length < bytes.length; length++) judged(readAll, bytes.subarray(0, length));
  }
  for (const { hex } of captures6) {
    const bytes = fromHex(hex)!;
    for (let length = 0; length < bytes.length; length++) judged(readAll6, bytes.subarray(0, length));
  }
});

/** Values that turn lengths and codes around, and their neighbours: nothing, little, a byte more, much, all. */
const CHANGES = [0, 1, 2, 4, 12, 13, 0x34, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff];

function* changesOf(bytes: Uint8Array): Generator<Uint8Array> {
  const changed = Uint8Array.from(bytes);
  for (const [at, byte] of bytes.entries()) {
    for (const value of [...CHANGES, byte + 1, byte - 1, byte ^ 0x20]) {
      changed[at] = value;
      yield changed;
    }
    changed[at] = byte;
  }
}

test("every change of one byte of a captured message gives a packet or a peer Fault", () => {
  for (const name of ["ipxe-rom-bios-discover", "u-boot-efi-request"]) {
    const bytes = fromHex(captures.find((capture) => capture.name === name)!.hex)!;
    for (const changed of changesOf(bytes)) judged(readAll, changed);
  }
  for (const { hex } of captures6) for (const changed of changesOf(fromHex(hex)!)) judged(readAll6, changed);
});

test("any bytes whatever give a packet or a peer Fault", () => {
  const header = fromHex(captures[0]!.hex)!.subarray(0, 240);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700, size: "max" }), (tail) => {
      judged(readAll, tail);
      judged(readAll, Uint8Array.from([...header, ...tail]));
      judged(readAll6, tail);
      judged(readAll6, Uint8Array.from([12, ...tail]));
    }),
    { numRuns: 100 },
  );
});

test("random packets with random wounds give a packet or a peer Fault", () => {
  const wounds = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(packet, packet6, wounds, (v4, v6, list) => {
      const bytes = encode({ ...v4, file: "", sname: "", options: {} }, 1500);
      const bytes6 = encode6(v6);
      for (const [at, value] of list) {
        bytes[at % bytes.length] = value;
        bytes6[at % bytes6.length] = value;
      }
      judged(readAll, bytes);
      judged(readAll6, bytes6);
    }),
    { numRuns: 100 },
  );
});
