/** Vectors, written from the specification and not captured: IDENTIFY, security erase and sanitize, and registers as libata returns them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { decodeIdentity, decodeSanitizeStatus, registersOf } from "./decode.ts";
import {
  identifyDevice,
  sanitizeDevice,
  sanitizeStatus,
  securityDisablePassword,
  securityErasePrepare,
  securityEraseUnit,
  securitySetPassword,
  securityUnlock,
} from "./encode.ts";

test("commands", () => {
  const cdb = ({ cdb }: { cdb: Uint8Array }): string => toHex(cdb, " ");
  assert.equal(cdb(identifyDevice()), "85 08 0e 00 00 00 01 00 00 00 00 00 00 40 ec 00");
  assert.equal(cdb(securitySetPassword("x")), "85 0a 06 00 00 00 01 00 00 00 00 00 00 40 f1 00");
  assert.equal(cdb(securityUnlock("x")), "85 0a 06 00 00 00 01 00 00 00 00 00 00 40 f2 00");
  assert.equal(cdb(securityErasePrepare()), "85 06 20 00 00 00 00 00 00 00 00 00 00 40 f3 00");
  assert.equal(cdb(securityEraseUnit("x", { enhanced: true, timeout: 1 })), "85 0a 06 00 00 00 01 00 00 00 00 00 00 40 f4 00");
  assert.equal(cdb(securityDisablePassword("x")), "85 0a 06 00 00 00 01 00 00 00 00 00 00 40 f6 00");
  // The keys spell Cryp, BkEr and OW.
  assert.equal(cdb(sanitizeDevice("cryptoScramble")), "85 07 20 00 11 00 00 43 70 00 79 00 72 40 b4 00");
  assert.equal(cdb(sanitizeDevice("blockErase")), "85 07 20 00 12 00 00 42 72 00 45 00 6b 40 b4 00");
  assert.equal(cdb(sanitizeDevice("overwrite")), "85 07 20 00 14 00 01 00 00 57 00 4f 00 40 b4 00");
  assert.equal(cdb(sanitizeStatus()), "85 07 20 00 00 00 00 00 00 00 00 00 00 40 b4 00");
});

test("passwords lie in words 1 to 16, of the user; bit 1 of word 0 makes an erasure enhanced", () => {
  const { out } = securityEraseUnit("sidero", { enhanced: true, timeout: 1 });
  assert.equal(out?.length, 512);
  assert.equal(toHex(out.subarray(0, 10)), "02007369646572" + "6f0000");
  assert.equal(securityEraseUnit("sidero", { enhanced: false, timeout: 1 }).out?.[0], 0);
  const long = securitySetPassword("p".repeat(40)).out!;
  assert.deepEqual([long[33], long[34]], [0x70, 0]);
});

const words = (fields: Readonly<Record<number, number>>): Uint8Array => {
  const bytes = new Uint8Array(512);
  for (const [word, value] of Object.entries(fields)) bytes.set([value & 0xff, value >> 8], 2 * Number(word));
  return bytes;
};

test("an identity", () => {
  const plain = decodeIdentity(words({ 0: 0x0040 }));
  assert.deepEqual(Object.values(plain.security), [false, false, false, false, false, false]);
  assert.deepEqual([plain.eraseMinutes, plain.enhancedMinutes, plain.trimsToZero], [undefined, undefined, false]);
  const disk = decodeIdentity(
    words({
      0: 0x0040,
      27: 0x5354,
      28: 0x3430,
      29: 0x3030,
      10: 0x5a31,
      59: 0xb000,
      69: 0x4020,
      89: 0x003c,
      90: 0x8001,
      128: 0x0029,
      169: 1,
    }),
  );
  assert.deepEqual([disk.model, disk.serial], ["ST4000", "Z1"]);
  assert.deepEqual([disk.eraseMinutes, disk.enhancedMinutes], [120, 2]);
  const { supported, enabled, locked, frozen, enhanced } = disk.security;
  assert.deepEqual([supported, enabled, locked, frozen, enhanced], [true, false, false, true, true]);
  assert.deepEqual(disk.sanitizes, { crypto: true, overwrite: false, block: true });
  assert.ok(disk.trimsToZero);
  assert.deepEqual(decodeIdentity(words({ 59: 0xa000 })).sanitizes.crypto, false, "bit 12 says whether there is any");
  for (const bytes of [new Uint8Array(511), words({ 0: 0x8580 })]) {
    assert.throws(
      () => decodeIdentity(bytes),
      (error) => Fault.is(error, "wire.ata") && error.fault === "peer",
    );
  }
});

/** Sense data in descriptor format with an ATA Status Return descriptor, as libata makes it for CK_COND. */
const sense = (descriptor: readonly number[]): Uint8Array =>
  Uint8Array.of(0x72, 0x01, 0x00, 0x1d, 0, 0, 0, 14, 0x09, 0x0c, ...descriptor);

test("registers come as sense data", () => {
  const running = registersOf(sense([1, 0, 0x40, 0, 0, 0x00, 0, 0x80, 0, 0, 0x40, 0x50]));
  assert.deepEqual(running, { error: 0, count: 0x4000, lba: 0x8000, status: 0x50 });
  assert.deepEqual(decodeSanitizeStatus(running), { state: "running", progress: 0.5 });
  const done = registersOf(sense([1, 0, 0x80, 0, 0, 0xff, 0, 0xff, 0, 0, 0x40, 0x50]))!;
  assert.equal(decodeSanitizeStatus(done).state, "done");
  const idle = registersOf(sense([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x50]))!;
  assert.equal(decodeSanitizeStatus(idle).state, "idle");
  const failed = registersOf(sense([1, 4, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x51]))!;
  assert.equal(decodeSanitizeStatus(failed).state, "failed");
  for (const bytes of [
    new Uint8Array(),
    Uint8Array.of(0x70, 0, 5),
    sense([1, 0, 0]),
    Uint8Array.of(0x72, 0, 0, 0, 0, 0, 0, 4, 9, 0),
  ]) {
    assert.equal(registersOf(bytes), undefined);
  }
});
