/** Vectors, written from the specification and not captured: the dwords of `format`, `sanitize` and `sanitize-log`, dword by dword, and pages put together by the figures. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "#std/fault.ts";
import { SANITIZE_ACTION, SECURE_ERASE } from "./constants.ts";
import { decodeController, decodeNamespace, decodeSanitizeStatus } from "./decode.ts";
import { formatNvm, identifyController, identifyNamespace, sanitize, sanitizeStatus } from "./encode.ts";

const page = (length: number, fields: Readonly<Record<number, readonly number[]>>): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (const [at, values] of Object.entries(fields)) bytes.set(values, Number(at));
  return bytes;
};

test("commands", () => {
  assert.deepEqual(identifyController(), { opcode: 0x06, namespace: 0, dwords: [1], length: 4096 });
  assert.deepEqual(identifyNamespace(3), { opcode: 0x06, namespace: 3, dwords: [0], length: 4096 });
  const format = (flbas: number, dps: number, secureErase: number): number | undefined =>
    formatNvm({ namespace: 1, flbas, dps, secureErase, timeout: 1 }).dwords[0];
  assert.equal(format(0, 0, SECURE_ERASE.userData), 0x200, "nvme format -s 1");
  assert.equal(format(1, 0, SECURE_ERASE.cryptographic), 0x401, "nvme format -l 1 -s 2");
  assert.equal(format(0x12, 0, SECURE_ERASE.userData), 0x212, "metadata at the end of the data stays there (FLBAS bit 4 → MSET)");
  assert.equal(format(0, 0x09, SECURE_ERASE.userData), 0x320, "protection type 1 in the first bytes (DPS → PI, PIL)");
  assert.equal(format(0x21, 0, SECURE_ERASE.userData), 0x1201, "format 17 (FLBAS bits 6:5 → LBAFU)");
  assert.deepEqual(sanitize({ action: SANITIZE_ACTION.blockErase }), { opcode: 0x84, namespace: 0, dwords: [2, 0] });
  assert.deepEqual(sanitize({ action: SANITIZE_ACTION.cryptoErase }).dwords, [4, 0]);
  assert.deepEqual(sanitize({ action: SANITIZE_ACTION.overwrite, passes: 1 }).dwords, [0x13, 0], "zero passes would be sixteen");
  assert.deepEqual(sanitizeStatus(), { opcode: 0x02, namespace: 0xffff_ffff, dwords: [0x7f0081], length: 512 });
});

test("what a controller can do", () => {
  const nothing = decodeController(page(4096, {}));
  assert.deepEqual(nothing, {
    formats: false,
    formatsAll: false,
    erasesAll: false,
    formatsByCrypto: false,
    sanitizes: { crypto: false, block: false, overwrite: false },
  });
  const { formats, formatsByCrypto, formatsAll, erasesAll, sanitizes } = decodeController(
    page(4096, { 256: [0x1e, 0], 328: [3, 0, 0, 0xa0], 524: [0x04] }),
  );
  assert.deepEqual([formats, formatsByCrypto, formatsAll, erasesAll], [true, true, false, false]);
  assert.deepEqual(sanitizes, { crypto: true, block: true, overwrite: false });
  assert.deepEqual(decodeNamespace(page(4096, { 26: [0x11], 29: [1] })), { flbas: 0x11, dps: 1 });
});

test("how far a sanitize is", () => {
  assert.deepEqual(decodeSanitizeStatus(page(512, { 0: [0xff, 0xff, 0, 0] })), { state: "never", progress: 0 });
  assert.deepEqual(decodeSanitizeStatus(page(512, { 0: [0x00, 0x80, 2, 0] })), { state: "running", progress: 0.5 });
  assert.deepEqual(decodeSanitizeStatus(page(512, { 0: [0xff, 0xff, 1, 1] })), { state: "done", progress: 1 });
  assert.equal(decodeSanitizeStatus(page(512, { 2: [3, 0] })).state, "failed");
  assert.equal(decodeSanitizeStatus(page(512, { 2: [7, 0] })).state, "failed", "what is not known is no success");
});

test("short data is refused", () => {
  for (const decode of [decodeController, decodeNamespace, decodeSanitizeStatus]) {
    assert.throws(
      () => decode(new Uint8Array(31)),
      (error) => Fault.is(error, "wire.nvme") && error.fault === "peer",
    );
  }
});
