/** A disk's file, written to and looked at from outside the machine: what was on it before, and whether it still is. */
import { open, type FileHandle } from "node:fs/promises";
import type { Disk } from "./description.ts";

const GIBIBYTE = 1024 ** 3;
const BLOCK = 4096;
/** Blocks that are written at each end, where partition tables and labels of volumes are, and all over the disk. */
const AT_ENDS = 16;
const BETWEEN = 512;

export interface DiskImage {
  readonly path: string;
  readonly bytes: number;
  /**
   * Someone's system with his data: a boot sector from which a BIOS starts it (it writes {@link DiskImage.greeting} and halts), and
   * blocks that say where they are, at both ends and all over the disk.
   */
  fill(): Promise<void>;
  /** What the system on it writes to the serial line when it is started. */
  readonly greeting: string;
  /** Byte offsets of blocks that still hold some of what {@link fill} wrote; none after a wipe. */
  remains(): Promise<readonly number[]>;
  /** Bytes of its file that are really there. A disk that was never written to, or was discarded, has none. */
  occupied(): Promise<number>;
}

/** Empty: the file has its size, and nothing in it. */
export async function createDisk(path: string, { gibibytes, serial }: Disk): Promise<DiskImage> {
  const bytes = Math.round((gibibytes * GIBIBYTE) / BLOCK) * BLOCK;
  const greeting = `The old system on ${serial}`;
  const sentence = `Data of ${serial}, to be wiped. `;
  const within = async <T>(flags: string, use: (handle: FileHandle) => Promise<T>): Promise<T> => {
    const handle = await open(path, flags);
    try {
      return await use(handle);
    } finally {
      await handle.close();
    }
  };
  await within("w", (handle) => handle.truncate(bytes));
  return {
    path,
    bytes,
    greeting,
    async fill() {
      await within("r+", async (handle) => {
        for (const at of places(bytes)) await handle.write(blockAt(at, sentence), 0, BLOCK, at);
        await handle.write(bootSector(greeting), 0, 512, 0);
        await handle.sync();
      });
    },
    remains: () =>
      within("r", async (handle) => {
        const found: number[] = [];
        const block = Buffer.alloc(BLOCK);
        for (const at of places(bytes)) {
          await handle.read(block, 0, BLOCK, at);
          if (block.includes(sentence) || block.includes(greeting)) found.push(at);
        }
        return found;
      }),
    occupied: () => within("r", async (handle) => (await handle.stat()).blocks * 512),
  };
}

/** Offsets of the blocks that are written, in order. */
function places(bytes: number): number[] {
  const end = bytes - AT_ENDS * BLOCK;
  const head = Array.from({ length: AT_ENDS }, (_, index) => index * BLOCK);
  const step = Math.floor(end / (BETWEEN + 1) / BLOCK) * BLOCK;
  const middle = Array.from({ length: BETWEEN }, (_, index) => (index + 1) * step).filter((at) => at >= AT_ENDS * BLOCK);
  return [...head, ...middle, ...head.map((at) => end + at)];
}

function blockAt(at: number, sentence: string): Buffer {
  return Buffer.alloc(BLOCK, `${sentence}At ${at}. `);
}

/** 16-bit code at 0x7C00, where a BIOS puts it: writes a text to the first serial port, a character when the one before is out, and halts. */
function bootSector(text: string): Buffer {
  const code = [
    [0xfc, 0x31, 0xc0, 0x8e, 0xd8], // cld; xor ax, ax; mov ds, ax
    [0xbe, 0x21, 0x7c], // mov si, text
    [0xac, 0x84, 0xc0, 0x74, 0x11], // next: lodsb; test al, al; jz end
    [0x88, 0xc4, 0xba, 0xfd, 0x03], // mov ah, al; mov dx, 3FDh
    [0xec, 0xa8, 0x20, 0x74, 0xfb], // wait: in al, dx; test al, 20h; jz wait
    [0x88, 0xe0, 0xb2, 0xf8, 0xee, 0xeb, 0xea], // mov al, ah; mov dl, F8h; out dx, al; jmp next
    [0xf4, 0xeb, 0xfd], // end: hlt; jmp end
  ].flat();
  const sector = Buffer.alloc(512);
  Buffer.from(code).copy(sector);
  sector.write(`\r\n${text}\r\n\0`, code.length, "latin1");
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}
