/** Takes mappings of the device mapper away (`linux/dm-ioctl.h`): LVM's volumes, opened LUKS containers, multipath. */
import { closeSync, openSync } from "node:fs";
import koffi from "koffi";

const CONTROL = "/dev/mapper/control";
/** `_IOWR(0xfd, 4, struct dm_ioctl)`. */
const DM_DEV_REMOVE = 0xc138_fd04;
const LENGTH = 312;
const NAME = { at: 48, length: 128 } as const;

/** `struct dm_ioctl`: version 0, data_size 12, data_start 16, target_count 20, open_count 24, flags 28, event_nr 32, dev 40, name 48, uuid 176. */
export function removalBytes(name: string): Buffer {
  const bytes = Buffer.alloc(LENGTH);
  // The interface version that all kernels since 2.6 understand.
  bytes.writeUInt32LE(4, 0);
  bytes.writeUInt32LE(LENGTH, 12);
  bytes.writeUInt32LE(LENGTH, 16);
  bytes.write(name.slice(0, NAME.length - 1), NAME.at, "latin1");
  return bytes;
}

/** Whether it is gone. False also where there is no device mapper. */
export function removeMapping(name: string): Promise<boolean> {
  try {
    const fd = openSync(CONTROL, "r+");
    try {
      const ioctl = koffi.load("libc.so.6").func("int ioctl(int, unsigned long, void *)") as unknown as (
        fd: number,
        request: number,
        argument: Uint8Array,
      ) => number;
      return Promise.resolve(ioctl(fd, DM_DEV_REMOVE, removalBytes(name)) >= 0);
    } finally {
      closeSync(fd);
    }
  } catch {
    return Promise.resolve(false);
  }
}
