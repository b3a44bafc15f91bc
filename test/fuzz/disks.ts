/** What disks say of themselves, and a disk that answers anything to anything: it is erased, or it is said why not; nothing else may happen. */
import assert from "node:assert/strict";
import { erase } from "#agent/steps/wipe/erase.ts";
import { createMemoryBlock } from "#io/memory/block.ts";
import { fromHex } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { decodeIdentity, decodeSanitizeStatus as decodeAtaStatus, registersOf } from "#wire/ata/decode.ts";
import { decodeController, decodeNamespace, decodeSanitizeStatus } from "#wire/nvme/decode.ts";
import { decodeSense, isSupported, sanitizeProgress } from "#wire/scsi/decode.ts";
import { type Parser, read } from "./parser.ts";

const hex = (...texts: readonly string[]): Uint8Array[] => texts.map((text) => fromHex(text)!);

const page = (length: number, fields: Readonly<Record<number, readonly number[]>>): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (const [at, values] of Object.entries(fields)) bytes.set(values, Number(at));
  return bytes;
};

const within = (progress: number): void => assert.ok(progress >= 0 && progress <= 1, String(progress));

/** All pages and sense data in one: each decoder reads the same bytes. */
const answers: Parser = {
  name: "disk-answers",
  seeds: [
    page(4096, { 256: [0x1e], 328: [7], 524: [4] }),
    page(512, { 0: [0, 0x80, 2, 0] }),
    page(512, { 0: [0x40, 0], 118: [0, 0xf0], 178: [60], 256: [0x29] }),
    ...hex(
      "7201001d0000000e090c0100400000000080000040500000",
      "700002000000000a00000000041b008040000000",
      "7202041b000000080206000080c00000",
    ),
  ],
  words: hex("090c", "0206", "041b", "80", "ffff", "4000", "8000"),
  longest: 4096,
  run(input) {
    read(() => decodeController(input));
    read(() => decodeNamespace(input));
    read(() => decodeIdentity(input));
    const status = read(() => decodeSanitizeStatus(input));
    if (status !== undefined) within(status.progress);
    const registers = registersOf(input);
    if (registers !== undefined) within(decodeAtaStatus(registers).progress);
    within(sanitizeProgress(decodeSense(input)) ?? 0);
    isSupported(input);
  },
};

/** The first byte says which kind of disk it is, the rest is what it answers, over and over. */
const disk: Parser = {
  name: "disk",
  seeds: [Buffer.concat([Buffer.of(0), page(512, { 0: [0, 0x80, 1, 0], 328: [7] })]), Buffer.from([1, 2, 0x40, 0, 0x72, 9, 12])],
  words: hex("00", "ff", "0100", "4000"),
  longest: 4096,
  run(input) {
    const [kind = 0, ...rest] = input;
    let at = 0;
    const next = (length: number): Uint8Array =>
      Uint8Array.from({ length }, () => (rest.length === 0 ? 0 : rest[at++ % rest.length]!));
    const path = kind % 2 === 0 ? "/dev/nvme0n1" : "/dev/sda";
    const block = createMemoryBlock({
      path,
      bytes: 16 * 1024,
      clears: kind % 3 === 0 ? [] : ["zero"],
      nvme: ({ length = 0 }) => (next(1)[0]! % 5 === 0 ? 2 : next(length)),
      scsi: ({ length = 0 }) => ({ status: next(1)[0]! % 3, data: next(length), sense: next(32) }),
    });
    block.content.fill(0x55);
    block.content.set([1, 2, 3]);
    let patience = 10;
    const disk = { serial: "S", wwid: "", bytes: block.bytes };
    const ports = { block, disk: () => disk, tell: () => {}, pause: () => void patience--, isStopped: () => patience < 0 };
    try {
      // A disk may say for a week that it is at it.
      block.nvme = limited(block.nvme, () => patience);
      block.scsi = limited(block.scsi, () => patience);
      const erased = erase({ path, disk, mode: "full", rotational: true, partitions: [], alone: true, seed: "s" }, ports);
      assert.ok(erased.verified && block.content.subarray(0, 4).every((byte) => byte === 0));
    } catch (error) {
      assert.ok(Fault.is(error) && ["agent.not-erased", "agent.stopped", "io.failed"].includes(error.code), String(error));
    }
  },
};

function limited<Args extends unknown[], Result>(call: (...args: Args) => Result, left: () => number): (...args: Args) => Result {
  return (...args) => {
    if (left() < 0) throw new Fault("agent.stopped", "enough", { fault: "caller", retry: "later" });
    return call(...args);
  };
}

export const disks: readonly Parser[] = [answers, disk];
