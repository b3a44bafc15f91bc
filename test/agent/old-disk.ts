/** Disks with something on them: image files filled with a pattern, a partition table, and the marks by which things are found again. */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { crc32 } from "node:zlib";

const SECTOR = 512;
export const MIB = 1024 * 1024;
/** At the beginning of every 512 bytes. */
export const PATTERN = "OLD-DATA";

export interface Partition {
  /** Sectors. */
  readonly first: number;
  readonly last: number;
}

/** Two partitions with a gap behind each. */
export function partitionsOf(bytes: number): Partition[] {
  const half = Math.floor(bytes / 2 / MIB) * (MIB / SECTOR);
  return [
    { first: 2048, last: half - 4097 },
    { first: half, last: bytes / SECTOR - 8192 },
  ];
}

/** Where a mark is in its device of so many bytes, and what it is. */
const MARKS: readonly (readonly [what: string, at: (bytes: number) => number, mark: Buffer])[] = [
  ["LUKS", () => 0, Buffer.from("LUKS\xba\xbe", "latin1")],
  ["LVM", () => SECTOR, Buffer.from("LABELONE")],
  ["md 1.2", () => 4096, Buffer.from("fc4e2ba9", "hex")],
  ["btrfs", () => 64 * 1024 + 64, Buffer.from("_BHRfS_M")],
  ["ZFS label 1", () => 256 * 1024 + 128 * 1024, Buffer.from("0cb1ba0000000000", "hex")],
  ["ZFS label 3", (bytes) => Math.floor(bytes / 262_144) * 262_144 - 128 * 1024, Buffer.from("0cb1ba0000000000", "hex")],
  ["md 0.90", (bytes) => Math.floor(bytes / 65_536) * 65_536 - 65_536, Buffer.from("fc4e2ba9", "hex")],
  ["md 1.0", (bytes) => Math.floor(bytes / 4096) * 4096 - 8192, Buffer.from("fc4e2ba9", "hex")],
];

/** Writes such a disk to a file of so many bytes. */
export function writeOldDisk(path: string, bytes: number): void {
  const content = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += SECTOR) content.write(`${PATTERN} ${at / SECTOR} `, at);
  const mark = (start: number, length: number): void => {
    for (const [, at, magic] of MARKS) magic.copy(content, start + at(length));
  };
  mark(0, bytes);
  const partitions = partitionsOf(bytes);
  for (const { first, last } of partitions) mark(first * SECTOR, (last - first + 1) * SECTOR);
  writeGpt(content, partitions);
  const fd = openSync(path, "w");
  for (let at = 0; at < bytes; at += 64 * MIB) writeSync(fd, content, at, Math.min(64 * MIB, bytes - at), at);
  closeSync(fd);
}

/** UEFI 2.10 §5.3: protective MBR, header and entries at the beginning, and again at the end. */
function writeGpt(content: Buffer, partitions: readonly Partition[]): void {
  const last = content.length / SECTOR - 1;
  content.fill(0, 0, SECTOR);
  content.write("00000200eeffffff01000000ffffffff", 446, "hex");
  content.writeUInt16LE(0xaa55, 510);
  const entries = Buffer.alloc(128 * 128);
  for (const [i, { first, last: end }] of partitions.entries()) {
    entries.write("af3dc60f838472478e793d69d8477de4", 128 * i, "hex");
    entries.write(`0123456789abcdef0123456789abcd0${i}`, 128 * i + 16, "hex");
    entries.writeBigUInt64LE(BigInt(first), 128 * i + 32);
    entries.writeBigUInt64LE(BigInt(end), 128 * i + 40);
  }
  const header = (own: number, other: number, table: number): void => {
    const bytes = Buffer.alloc(SECTOR);
    bytes.write("EFI PART");
    bytes.writeUInt32LE(0x10000, 8);
    bytes.writeUInt32LE(92, 12);
    for (const [at, value] of [
      [24, own],
      [32, other],
      [40, 34],
      [48, last - 33],
      [72, table],
    ] as const)
      bytes.writeBigUInt64LE(BigInt(value), at);
    bytes.write("0123456789abcdef0123456789abcdef", 56, "hex");
    bytes.writeUInt32LE(128, 80);
    bytes.writeUInt32LE(128, 84);
    bytes.writeUInt32LE(crc32(entries), 88);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 92)), 16);
    bytes.copy(content, own * SECTOR);
    entries.copy(content, table * SECTOR);
  };
  header(1, last, 2);
  header(last, 1, last - 32);
}

export interface Remains {
  /** Sectors that still begin with the pattern. */
  readonly sectors: number;
  /** Marks that are still where they were, on the disk or one of its partitions: `md 1.2 at partition 1`. */
  readonly marks: readonly string[];
  /** What wipefs(8) of util-linux finds in the file. */
  readonly wipefs: string;
}

export function remainsOf(path: string): Remains {
  const content = readFileSync(path);
  let sectors = 0;
  for (let at = 0; at < content.length; at += SECTOR)
    if (content.toString("latin1", at, at + PATTERN.length) === PATTERN) sectors++;
  const places = [{ first: 0, last: content.length / SECTOR - 1 }, ...partitionsOf(content.length)];
  const marks = places.flatMap(({ first, last }, i) =>
    MARKS.flatMap(([what, at, magic]) => {
      const place = first * SECTOR + at((last - first + 1) * SECTOR);
      return content.subarray(place, place + magic.length).equals(magic)
        ? [`${what} at ${i === 0 ? "the disk" : `partition ${i}`}`]
        : [];
    }),
  );
  const wipefs = execFileSync("wipefs", ["--no-act", "--noheadings", "--output", "TYPE", path], { encoding: "utf8" });
  return { sectors, marks, wipefs: wipefs.trim().split(/\s+/).toSorted().join(" ") };
}
