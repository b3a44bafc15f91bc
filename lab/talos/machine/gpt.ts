/** GUID partition tables (UEFI 2.10 §5.3), as a disk that a system is installed on has one: made whole, never changed. */
import { crc32 } from "node:zlib";

export const SECTOR = 512;
/** Sectors of the table at the start of a disk, the protective MBR included, and at its end. */
const FIRST_USABLE = 34;
const BACKUP = 33;
const ENTRIES = 128;
const ENTRY = 128;

export const TYPES = {
  efi: "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
  biosBoot: "21686148-6449-6e6f-744e-656564454649",
  linux: "0fc63daf-8483-4772-8e79-3d69d8477de4",
} as const;

export interface Partition {
  readonly label: string;
  readonly type: (typeof TYPES)[keyof typeof TYPES];
  /** Absent: what is left of the disk; only the last one. */
  readonly mebibytes?: number;
}

export interface Placed extends Partition {
  readonly first: number;
  readonly last: number;
}

export interface Table {
  readonly partitions: readonly Placed[];
  /** To be written at the start of the disk. */
  readonly primary: Buffer;
  /** To be written at `backupAt`, in bytes. */
  readonly backup: Buffer;
  readonly backupAt: number;
}

/** `identify` gives another UUID each time. Throws when the disk is too small. */
export function createTable(bytes: number, wanted: readonly Partition[], identify: () => string): Table {
  const sectors = Math.floor(bytes / SECTOR);
  const lastUsable = sectors - BACKUP - 1;
  const partitions = place(wanted, lastUsable);
  const entries = Buffer.concat(
    partitions.map((partition) => entry(partition, identify())),
    ENTRIES * ENTRY,
  );
  const disk = identify();
  const header = (own: number, other: number, entriesAt: number): Buffer => {
    const block = Buffer.alloc(SECTOR);
    block.write("EFI PART", 0, "latin1");
    block.writeUInt32LE(0x10000, 8);
    block.writeUInt32LE(92, 12);
    for (const [at, value] of [
      [24, own],
      [32, other],
      [40, FIRST_USABLE],
      [48, lastUsable],
      [72, entriesAt],
    ] as const)
      block.writeBigUInt64LE(BigInt(value), at);
    guid(disk).copy(block, 56);
    block.writeUInt32LE(ENTRIES, 80);
    block.writeUInt32LE(ENTRY, 84);
    block.writeUInt32LE(crc32(entries), 88);
    block.writeUInt32LE(crc32(block.subarray(0, 92)), 16);
    return block;
  };
  const backupAt = sectors - BACKUP;
  return {
    partitions,
    primary: Buffer.concat([protectiveMbr(sectors), header(1, sectors - 1, 2), entries]),
    backup: Buffer.concat([entries, header(sectors - 1, 1, backupAt)]),
    backupAt: backupAt * SECTOR,
  };
}

const MEBIBYTE = 2 ** 20 / SECTOR;

/** One after the other, each at a whole mebibyte. */
function place(wanted: readonly Partition[], lastUsable: number): Placed[] {
  let next = MEBIBYTE;
  return wanted.map((partition) => {
    const first = next;
    const size = partition.mebibytes ?? Math.floor((lastUsable + 1 - first) / MEBIBYTE);
    next = first + size * MEBIBYTE;
    if (size < 1 || next - 1 > lastUsable) throw new Error(`no room for partition ${partition.label}: the disk is too small`);
    return { ...partition, first, last: next - 1 };
  });
}

function entry({ label, type, first, last }: Placed, id: string): Buffer {
  const bytes = Buffer.alloc(ENTRY);
  guid(type).copy(bytes);
  guid(id).copy(bytes, 16);
  bytes.writeBigUInt64LE(BigInt(first), 32);
  bytes.writeBigUInt64LE(BigInt(last), 40);
  bytes.write(label, 56, 72, "utf16le");
  return bytes;
}

/** The first three fields are little-endian (UEFI 2.10 appendix A). */
function guid(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll("-", ""), "hex");
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

/** One partition of type EE over all of it, so that programs that know no GPT keep off (§5.2.3). */
function protectiveMbr(sectors: number): Buffer {
  const block = Buffer.alloc(SECTOR);
  Buffer.from([0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff]).copy(block, 446);
  block.writeUInt32LE(1, 454);
  block.writeUInt32LE(Math.min(sectors - 1, 0xffffffff), 458);
  block.writeUInt16LE(0xaa55, 510);
  return block;
}
