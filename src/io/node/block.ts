/** The disk door on Linux's block devices: read, write and ioctl of the C library, in the thread that calls. */
import { closeSync, constants, fdatasyncSync, openSync, readSync, writeSync } from "node:fs";
import { getSystemErrorMap } from "node:util";
import koffi from "koffi";
import { Fault } from "#std/fault.ts";
import type { Block, OpenBlock } from "../block.ts";
import { blockFault } from "../block.ts";
import { BLK, NVME, nvmeBytes, rangeBytes, SENSE_LENGTH, SG_IO, sgBytes, sgResult } from "./block/requests.ts";

type Ioctl = (fd: number, request: number, argument: Uint8Array | null) => number;

let loaded: Ioctl | undefined;

function ioctl(): Ioctl {
  loaded ??= koffi.load("libc.so.6").func("int ioctl(int, unsigned long, void *)") as unknown as Ioctl;
  return loaded;
}

/** What did not reach the disk. */
const UNREACHED = 255;
/** DID_… of the host adapter, DRIVER_SENSE aside (scsi/scsi_status.h). */
const DRIVER_SENSE = 8;

export const openBlock: OpenBlock = (path) => {
  const fd = attempt(path, "open", () => openSync(path, constants.O_RDWR | constants.O_EXCL));
  try {
    return createBlock(path, fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
};

function createBlock(path: string, fd: number): Block {
  /** Throws for a negative result. */
  const control = (what: string, request: number, argument: Uint8Array | null, at?: number): number => {
    const result = ioctl()(fd, request, argument);
    if (result < 0) throw blockFault(path, what, lastError(), at);
    return result;
  };
  const size = Buffer.alloc(8);
  control("read its size", BLK.size, size);
  const blockSize = Buffer.alloc(4);
  control("read its block size", BLK.logicalBlockSize, blockSize);

  let scratch = Buffer.alloc(0);
  return {
    path,
    bytes: Number(size.readBigUInt64LE()),
    blockSize: blockSize.readUInt32LE(),
    read(at, length) {
      // One for all: megabytes are read, and the machine may have little memory.
      if (scratch.length < length) scratch = Buffer.alloc(length);
      const bytes = scratch.subarray(0, length);
      for (let done = 0; done < length;) {
        const read = attempt(path, "read", () => readSync(fd, bytes, done, length - done, at + done), at + done);
        if (read === 0) throw blockFault(path, "read", "EIO", at + done);
        done += read;
      }
      return bytes;
    },
    write(at, bytes) {
      for (let done = 0; done < bytes.length;) {
        done += attempt(path, "write", () => writeSync(fd, bytes, done, bytes.length - done, at + done), at + done);
      }
    },
    clear(how, at, length) {
      const request = how === "zero" ? BLK.zeroOut : how === "secure" ? BLK.secureDiscard : BLK.discard;
      control(
        how === "zero" ? "write zeros" : how === "secure" ? "discard securely" : "discard",
        request,
        rangeBytes(at, length),
        at,
      );
    },
    flush() {
      attempt(path, "flush", () => fdatasyncSync(fd));
      control("flush", BLK.flushBuffers, null);
    },
    nvme(command) {
      const data = Buffer.alloc(command.length ?? 0);
      const status = control("send an NVMe command", NVME.adminCommand, nvmeBytes(command, addressOf(data)));
      if (status === 0) return data;
      const hex = `0x${status.toString(16)}`;
      const message = `${path}: the controller refused command 0x${command.opcode.toString(16)}: status ${hex}`;
      throw new Fault("io.refused", message, { fault: "world", retry: "later", facts: { status } });
    },
    namespace: () => control("read its namespace", NVME.id, null),
    scsi(command) {
      const cdb = Buffer.from(command.cdb);
      const data = command.out === undefined ? Buffer.alloc(command.length ?? 0) : Buffer.from(command.out);
      const sense = Buffer.alloc(SENSE_LENGTH);
      const header = sgBytes(command, { cdb: addressOf(cdb), data: addressOf(data), sense: addressOf(sense) });
      control("send a SCSI command", SG_IO, header);
      const { status, senseLength, hostStatus, driverStatus } = sgResult(header);
      const hasReached = hostStatus === 0 && (driverStatus & ~DRIVER_SENSE) === 0;
      return {
        status: hasReached || status !== 0 ? status : UNREACHED,
        sense: new Uint8Array(sense.subarray(0, senseLength)),
        data: new Uint8Array(data),
      };
    },
    forgetPartitions: () => ioctl()(fd, BLK.rereadPartitions, null) >= 0,
    close: () => closeSync(fd),
  };
}

/** An empty buffer has no address to speak of, and nothing is written to it. */
function addressOf(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : koffi.address(bytes);
}

function attempt<T>(path: string, what: string, run: () => T, at?: number): T {
  try {
    return run();
  } catch (error) {
    const { code = "EIO" } = error as NodeJS.ErrnoException;
    throw blockFault(path, what, code, at);
  }
}

function lastError(): string {
  return getSystemErrorMap().get(-koffi.errno())?.[0] ?? `error ${koffi.errno()}`;
}
