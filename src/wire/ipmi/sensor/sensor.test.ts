/** Records, texts and the way from a byte to a number. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { decodeFru } from "../storage/fru-area.ts";
import { decodeText } from "../storage/text.ts";
import { convert } from "./conversion.ts";
import type { Factors } from "./conversion.ts";
import { decodeRecord } from "./record.ts";

const LINEAR: Factors = { m: 1, b: 0, bExponent: 0, rExponent: 0, linearization: 0, format: "unsigned" };

test("bytes become numbers by the formula", () => {
  assert.equal(convert(0x37, LINEAR), 55);
  assert.equal(convert(0xc4, { ...LINEAR, m: 63, rExponent: -3 }), 12.348);
  assert.equal(convert(10, { ...LINEAR, m: 2, b: 5, bExponent: 1, rExponent: 1 }), 700);
  assert.equal(convert(0xff, { ...LINEAR, format: "twos-complement" }), -1);
  assert.equal(convert(0xfe, { ...LINEAR, format: "ones-complement" }), -1);
  assert.equal(convert(4, { ...LINEAR, linearization: 7 }), 0.25);
  assert.equal(convert(3, { ...LINEAR, linearization: 8 }), 9);
  assert.equal(convert(0, { ...LINEAR, linearization: 7 }), undefined, "no number");
  assert.equal(convert(1, { ...LINEAR, linearization: 0x70 }), undefined, "not linear");
  assert.equal(convert(1, { ...LINEAR, format: "none" }), undefined);
});

test("a full record says how to read its sensor", () => {
  const head = "0100 51 01 33 20 00 30 03 01 7f 68 01 01 0000 0000 0000 80 01 00 00 01 00 00 00 00 e0".replaceAll(" ", "");
  const record = fromHex(`${head}${"00".repeat(17)}c8${Buffer.from("CPU Temp").toString("hex")}`)!;
  assert.deepEqual(decodeRecord(record), {
    kind: "full",
    owner: 0x20,
    lun: 0,
    number: 0x30,
    entity: 3,
    entityInstance: 1,
    type: 1,
    eventType: 1,
    name: "CPU Temp",
    unit: "°C",
    factors: { m: 1, b: 0, rExponent: -2, bExponent: 0, linearization: 0, format: "twos-complement" },
  });
  assert.throws(
    () => decodeRecord(record.subarray(0, 40)),
    (error) => Fault.is(error, "ipmi.malformed"),
  );
  assert.equal((decodeRecord(record.subarray(0, 52)) as { name: string }).name, "CPU", "a name that is cut short");
});

test("texts in their four ways", () => {
  assert.equal(decodeText(0xc3, Uint8Array.from(Buffer.from("abc"))), "abc");
  assert.equal(decodeText(0x42, Uint8Array.of(0x12, 0x3b)), "123-");
  // FRU Information Storage 1.0 §13.2: "IPMI" is 29 DC A6.
  assert.equal(decodeText(0x83, Uint8Array.of(0x29, 0xdc, 0xa6)), "IPMI");
  assert.equal(decodeText(0x03, Uint8Array.of(0x61, 0x62, 0x00)), "ab");
  assert.equal(decodeText(0x02, Uint8Array.of(0x80, 0x01)), "");
  assert.equal(decodeText(0xc3, Uint8Array.of(0x1b, 0x5b, 0x41)), ".[A");
});

/** Pads to eight bytes and adds the sum. */
function area(...bytes: readonly (number | string)[]): number[] {
  const flat = bytes.flatMap((byte) => (typeof byte === "string" ? [0xc0 | byte.length, ...Buffer.from(byte)] : [byte]));
  const length = Math.ceil((flat.length + 3) / 8) * 8;
  const padded = [1, length / 8, ...flat, ...Array.from({ length: length - flat.length - 3 }, () => 0)];
  return [...padded, -padded.reduce((sum, byte) => sum + byte, 0) & 0xff];
}

test("a FRU says what the machine is, and an area that is damaged does not count", () => {
  const board = area(0, 0x10, 0x27, 0x00, "Maker", "Board 1", "SN-1", "PN-1", 0xc1);
  const product = area(0, "Maker", "Server 9", "PN-9", "v2", "SN-9", "", 0xc1);
  const header = [1, 0, 0, 1, 1 + board.length / 8, 0, 0];
  const bytes = Uint8Array.of(...header, -header.reduce((sum, byte) => sum + byte, 0) & 0xff, ...board, ...product);
  const fru = decodeFru(bytes);
  assert.deepEqual(fru.board, {
    made: Date.UTC(1996, 0, 1) + 10_000 * 60_000,
    manufacturer: "Maker",
    product: "Board 1",
    serial: "SN-1",
    partNumber: "PN-1",
  });
  assert.deepEqual(
    [fru.product?.name, fru.product?.serial, fru.product?.assetTag, fru.chassis],
    ["Server 9", "SN-9", "", undefined],
  );
  bytes[12]! ^= 1;
  assert.equal(decodeFru(bytes).board, undefined);
  assert.equal(decodeFru(bytes).product?.name, "Server 9");
  bytes[0] = 2;
  assert.throws(
    () => decodeFru(bytes),
    (error) => Fault.is(error, "ipmi.malformed"),
  );
});
