import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex, fromLatin1, toHex } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import type { Packet } from "./packet.ts";

/** Text with `\0` written as `|`. */
function bytes(text: string): Uint8Array {
  return fromLatin1(text.replaceAll("|", "\0"))!;
}

/** The packets of RFC 1350 §5 and of the examples in RFC 2347, 2348, 2349 and 7440. */
const VECTORS: readonly (readonly [Uint8Array, Packet])[] = [
  [bytes("|\x01foobar|octet|"), { kind: "read-request", file: "foobar", mode: "octet", options: new Map() }],
  [bytes("|\x02f|octet|"), { kind: "write-request", file: "f", mode: "octet", options: new Map() }],
  [
    bytes("|\x01foobar|octet|blksize|1432|"),
    { kind: "read-request", file: "foobar", mode: "octet", options: new Map([["blksize", "1432"]]) },
  ],
  [
    bytes("|\x01foobar|octet|tsize|0|blksize|1432|windowsize|16|"),
    {
      kind: "read-request",
      file: "foobar",
      mode: "octet",
      options: new Map([
        ["tsize", "0"],
        ["blksize", "1432"],
        ["windowsize", "16"],
      ]),
    },
  ],
  [bytes("|\x06blksize|1432|"), { kind: "option-acknowledgement", options: new Map([["blksize", "1432"]]) }],
  [fromHex("0003ffff616263")!, { kind: "data", block: 65_535, data: bytes("abc") }],
  [fromHex("00030001")!, { kind: "data", block: 1, data: new Uint8Array() }],
  [fromHex("00040102")!, { kind: "acknowledgement", block: 258 }],
  [bytes("|\x05|\x01File not found|"), { kind: "error", code: 1, message: "File not found" }],
];

test("packets as the RFCs have them, both ways", () => {
  for (const [wire, packet] of VECTORS) {
    assert.deepEqual(decode(wire), packet);
    assert.equal(toHex(encode(packet)), toHex(wire));
  }
});

test("what real clients do differently is understood", () => {
  const request = decode(bytes("|\x01a/b.efi|OcTeT|BLKSIZE|1468|blksize|8||||"));
  assert.deepEqual(request, { kind: "read-request", file: "a/b.efi", mode: "octet", options: new Map([["blksize", "1468"]]) });
  assert.deepEqual(decode(bytes("|\x05|\x08no NUL")), { kind: "error", code: 8, message: "no NUL" });
  assert.deepEqual(decode(bytes("|\x04|\x01rest")), { kind: "acknowledgement", block: 1 });
});

test("faults name the byte", () => {
  const cases: readonly (readonly [Uint8Array, string, number])[] = [
    [new Uint8Array(), "tftp.truncated", 0],
    [fromHex("000301")!, "tftp.truncated", 3],
    [fromHex("00070000")!, "tftp.opcode", 0],
    [bytes("|\x01file|"), "tftp.truncated", 7],
    [bytes("|\x01file|octet"), "tftp.unterminated", 7],
    [bytes("|\x01file|octet|blksize|"), "tftp.option", 13],
    [bytes("|\x01file|octet||x|y|z|"), "tftp.option", 13],
    [bytes(`|\x01${"a".repeat(3000)}|octet|`), "tftp.too-long", 2048],
  ];
  for (const [wire, code, offset] of cases) {
    assert.throws(
      () => decode(wire),
      (error) => Fault.is(error, code) && error.fault === "peer" && error.facts["offset"] === offset,
      code,
    );
  }
});

const text = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((unit) => String.fromCharCode(unit)), maxLength: 12 });
const name = text.filter((value) => value !== "" && value === value.toLowerCase());
const options = fc.array(fc.tuple(name, text), { maxLength: 4 }).map((pairs) => new Map(pairs));
const number = fc.nat({ max: 65_535 });
const EXACT = { noNullPrototype: true } as const;
const packet: fc.Arbitrary<Packet> = fc.oneof(
  fc.record(
    {
      kind: fc.constantFrom("read-request" as const, "write-request" as const),
      file: text,
      mode: name,
      options,
    },
    EXACT,
  ),
  fc.record({ kind: fc.constant("data" as const), block: number, data: fc.uint8Array({ maxLength: 40 }) }, EXACT),
  fc.record({ kind: fc.constant("acknowledgement" as const), block: number }, EXACT),
  fc.record({ kind: fc.constant("error" as const), code: number, message: text }, EXACT),
  // An empty one is no packet of anybody: two bytes.
  fc.record({ kind: fc.constant("option-acknowledgement" as const), options: options.filter(({ size }) => size > 0) }, EXACT),
);

test("what is encoded is decoded", () => {
  fc.assert(
    fc.property(packet, (value) => assert.deepEqual(decode(encode(value)), value)),
    { numRuns: 500 },
  );
});

function assertTotal(wire: Uint8Array): void {
  try {
    decode(wire);
  } catch (error) {
    assert.ok(Fault.is(error) && error.fault === "peer" && error.code.startsWith("tftp."), String(error));
    const offset = error.facts["offset"] as number;
    assert.ok(offset >= 0 && offset <= wire.length);
  }
}

test("every truncation and every changed bit gives a packet or a peer's fault", () => {
  for (const [wire] of VECTORS) {
    for (let length = 0; length < wire.length; length++) assertTotal(wire.subarray(0, length));
    for (let bit = 0; bit < wire.length * 8; bit++) {
      const changed = Uint8Array.from(wire);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assertTotal(changed);
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), assertTotal), { numRuns: 2000 });
});

test("the largest datagram is judged at once", () => {
  const started = performance.now();
  for (let opcode = 0; opcode < 8; opcode++) {
    const wire = new Uint8Array(65_507).fill(0x61);
    wire.set([0, opcode]);
    assertTotal(wire);
    assertTotal(new Uint8Array(65_507).fill(0).fill(opcode, 1, 2));
  }
  assert.ok(performance.now() - started < 5_000);
});

test("a text that no packet can carry is refused", () => {
  for (const message of ["a\0b", "→"]) {
    assert.throws(
      () => encode({ kind: "error", code: 0, message }),
      (error) => Fault.is(error, "tftp.text"),
    );
  }
});
