/** Vectors, written from the specification and not captured: SANITIZE and REPORT SUPPORTED OPERATION CODES, and sense data of both formats. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "#std/bytes.ts";
import { decodeSense, isSupported, sanitizeProgress } from "./decode.ts";
import { reportSupport, requestSense, sanitizeUnit } from "./encode.ts";

test("commands", () => {
  assert.equal(toHex(sanitizeUnit("cryptographicErase").cdb, " "), "48 83 00 00 00 00 00 00 00 00");
  assert.equal(toHex(sanitizeUnit("blockErase").cdb, " "), "48 82 00 00 00 00 00 00 00 00");
  const overwrite = sanitizeUnit("overwrite");
  assert.equal(toHex(overwrite.cdb, " "), "48 81 00 00 00 00 00 00 08 00");
  assert.equal(toHex(overwrite.out!, " "), "01 00 00 04 00 00 00 00", "once, with zeros");
  assert.equal(toHex(reportSupport("blockErase").cdb, " "), "a3 0c 02 48 00 02 00 00 00 40 00 00");
  assert.equal(toHex(requestSense().cdb, " "), "03 01 00 00 fc 00");
});

test("sense data of both formats says how far a sanitize is", () => {
  const fixed = Uint8Array.of(0x70, 0, 2, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x04, 0x1b, 0, 0x80, 0x40, 0x00);
  assert.deepEqual(decodeSense(fixed), { key: 2, code: 4, qualifier: 0x1b, progress: 0.25 });
  const descriptor = Uint8Array.of(0x72, 2, 0x04, 0x1b, 0, 0, 0, 8, 0x02, 0x06, 0, 0, 0x80, 0xc0, 0x00, 0);
  assert.deepEqual(decodeSense(descriptor), { key: 2, code: 4, qualifier: 0x1b, progress: 0.75 });
  assert.equal(sanitizeProgress(decodeSense(descriptor)), 0.75);
  assert.equal(sanitizeProgress(decodeSense(fixed.subarray(0, 14))), 0, "under way, and it does not say how far");
  assert.equal(
    sanitizeProgress(decodeSense(Uint8Array.of(0x72, 0, 0, 0, 0, 0, 0, 0))),
    undefined,
    "no sense: nothing is under way",
  );
  for (const bytes of [new Uint8Array(), Uint8Array.of(0x7f), Uint8Array.of(0x71, 0, 2)])
    assert.equal(decodeSense(bytes), undefined);
});

test("whether a disk knows a command", () => {
  assert.ok(isSupported(Uint8Array.of(0, 3, 0, 10)));
  for (const bytes of [Uint8Array.of(0, 1, 0, 0), Uint8Array.of(0, 0, 0, 0), new Uint8Array()]) assert.ok(!isSupported(bytes));
});
