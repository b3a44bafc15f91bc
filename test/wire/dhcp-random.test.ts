/** Random packets there and back, and bytes that are nearly or not at all packets. SCALE multiplies the rounds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { options, packet, packet6 } from "../arbitrary/dhcp.ts";
import vectors from "../vectors/dhcp/captures.json" with { type: "json" };
import { fromHex } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { decode } from "#wire/dhcp/decode.ts";
import { encode } from "#wire/dhcp/encode.ts";
import type { Packet } from "#wire/dhcp/packet.ts";
import { decodePxe } from "#wire/dhcp/pxe.ts";
import { clientOf } from "#wire/dhcp/client.ts";
import { clientOf as clientOf6 } from "#wire/dhcp/v6/client.ts";
import { decode as decode6 } from "#wire/dhcp/v6/decode.ts";
import { encode as encode6 } from "#wire/dhcp/v6/encode.ts";

const { captures, captures6 } = vectors;
const SCALE = Number(process.env["SCALE"] ?? 1);

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

/** Undefined when the packet has no room in `size`; any other fault is a failure. */
function written(value: Packet, size: number): Uint8Array | undefined {
  try {
    return encode(value, size);
  } catch (error) {
    assert.ok(Fault.is(error, "dhcp.no-room"), String(error));
    return undefined;
  }
}

test("what is encoded decodes to itself, or says what has no room", () => {
  const numRuns = 150 * SCALE;
  let crowded = 0;
  fc.assert(
    fc.property(packet, (value) => {
      const bytes = written(value, 1500);
      if (bytes === undefined) {
        crowded++;
        return;
      }
      assert.ok(bytes.length >= 300 && bytes.length <= 1472);
      assert.deepEqual(decode(bytes), value);
    }),
    { numRuns },
  );
  assert.ok(crowded < numRuns / 2, `${crowded} of ${numRuns} had no room`);
});

test("options flow into file and sname of a small message, and back", () => {
  let overloaded = 0;
  fc.assert(
    fc.property(options, packet, (some, { others: _others, ...rest }) => {
      const small = { ...rest, options: some, file: "", sname: "" };
      const bytes = written(small, 576);
      if (bytes === undefined) return;
      assert.ok(bytes.length <= 548);
      if (bytes[108] !== 0) overloaded++;
      assert.deepEqual(decode(bytes), small);
    }),
    { numRuns: 100 * SCALE },
  );
  assert.ok(overloaded > 3, `${overloaded} overloaded`);
});

test("DHCPv6: what is encoded decodes to itself", () => {
  fc.assert(
    fc.property(packet6, (value) => assert.deepEqual(decode6(encode6(value)), value)),
    { numRuns: 100 * SCALE },
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
    { numRuns: 100 * SCALE },
  );
});

test("random packets with random wounds give a packet or a peer Fault", () => {
  const wounds = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(packet, packet6, wounds, (v4, v6, list) => {
      const bytes = written(v4, 1500) ?? encode({ ...v4, others: [], options: {} });
      const bytes6 = encode6(v6);
      for (const [at, value] of list) {
        bytes[at % bytes.length] = value;
        bytes6[at % bytes6.length] = value;
      }
      judged(readAll, bytes);
      judged(readAll6, bytes6);
    }),
    { numRuns: 100 * SCALE },
  );
});

test("the worst that fits a message takes little time", () => {
  const header = fromHex(captures[0]!.hex)!.subarray(0, 240);
  const filled = (start: Uint8Array, pattern: string): Uint8Array => {
    const piece = fromHex(pattern)!;
    return Uint8Array.from({ length: 8192 }, (_, at) => start[at] ?? piece[(at - start.length) % piece.length]!);
  };
  const solicit = fromHex("01000001")!;
  const relays = Array.from({ length: 32 }, (_, i) => {
    return `0c00${"00".repeat(32)}0009${(8192 - 38 * (i + 1)).toString(16).padStart(4, "0")}`;
  });
  const messages: [(bytes: Uint8Array) => unknown, Uint8Array][] = [
    [readAll, filled(header, "0c00")],
    [readAll, filled(header, "e000e100e200e300e400")],
    [readAll, filled(header, "00")],
    [readAll, filled(header, "770a0161c0000161c0000000")],
    [readAll, filled(header, `52fe${"0100".repeat(127)}`)],
    [readAll6, filled(solicit, "fde80000")],
    [readAll6, filled(solicit, "001000080000000000020041")],
    [readAll6, filled(solicit, "0003000c000000000000000000000000")],
    [readAll6, filled(fromHex(`${relays.join("")}01000001`)!, "fde80000")],
  ];
  for (const [i, [read, bytes]] of messages.entries()) {
    const start = performance.now();
    judged(read, bytes);
    const took = performance.now() - start;
    assert.ok(took < 500, `message ${i} took ${took} ms`);
  }
});
