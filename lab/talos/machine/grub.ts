/** What grub-install does on a disk with a GPT: GRUB's first sector, and the rest of it in a partition of its own (GRUB 2.06, util/setup.c). */
import { SECTOR } from "./gpt.ts";

/** Of boot.img: where the rest begins, and a jump that is taken out for BIOSes that do not say which disk they boot. */
const KERNEL_SECTOR = 0x5c;
const DRIVE_CHECK = 0x66;
/** Boot code ends where an MBR has the disk's signature and partitions. */
const CODE = 440;
/** Of the rest, its first sector ends with the list of where the others are: first, how many, and the segment to load them to. */
const LIST = 0x1f4;
const SEGMENT = 0x820;

export interface Grub {
  /** To be written at the start of the disk. */
  readonly code: Buffer;
  /** To be written at the start of its partition. */
  readonly core: Buffer;
}

/** `first`: of the partition's sectors. */
export function placeGrub(bootSector: Buffer, core: Buffer, first: number): Grub {
  const code = Buffer.from(bootSector.subarray(0, CODE));
  code.writeBigUInt64LE(BigInt(first), KERNEL_SECTOR);
  code.writeUInt16LE(0x9090, DRIVE_CHECK);
  const sectors = Math.ceil(core.length / SECTOR);
  const placed = Buffer.alloc(sectors * SECTOR);
  core.copy(placed);
  placed.writeBigUInt64LE(BigInt(first + 1), LIST);
  placed.writeUInt16LE(sectors - 1, LIST + 8);
  placed.writeUInt16LE(SEGMENT, LIST + 10);
  return { code, core: placed };
}
