/**
 * The door to a whole disk, for erasing it. Every call blocks: it is for threads that have nothing else to do. All offsets and lengths are in bytes and
 * multiples of the block size.
 */
import { Fault } from "#std/fault.ts";

export interface Block {
  readonly path: string;
  readonly bytes: number;
  /** Of its logical blocks. */
  readonly blockSize: number;
  /** What the disk has, not what memory remembers, once {@link flush} has been called. Good until the next call of it. */
  read(at: number, length: number): Uint8Array;
  write(at: number, bytes: Uint8Array): void;
  /**
   * `discard`: nobody needs it any more; it may read as anything afterwards. `secure`: gone from spare areas as well. `zero`: reads as zeros
   * afterwards, by the disk's own means where it has them.
   */
  clear(how: "discard" | "secure" | "zero", at: number, length: number): void;
  /** Everything written is on the disk, and nothing of it is remembered here. */
  flush(): void;
  /** An NVMe admin command. Fault `io.refused` with `facts.status` when the controller refuses it. Resolves to what it returned. */
  nvme(command: NvmeCommand): Uint8Array;
  /** NSID of this namespace. */
  namespace(): number;
  /** A SCSI command. Does not throw when the disk answers with an error: see `status` and `sense`. */
  scsi(command: ScsiCommand): ScsiAnswer;
  /** The kernel looks for partitions again, and finds none. Whether it did. */
  forgetPartitions(): boolean;
  close(): void;
}
// All throw Faults `io.unsupported` (the disk or its driver cannot do that), `io.failed` (the disk says so; `facts.at` is where).

export interface NvmeCommand {
  readonly opcode: number;
  readonly namespace: number;
  /** Command dwords 10 to 15; what is missing is 0. */
  readonly dwords: readonly number[];
  /** Bytes that the controller returns. */
  readonly length?: number;
  /** Milliseconds: 60,000 if absent. */
  readonly timeout?: number;
}

export interface ScsiCommand {
  readonly cdb: Uint8Array;
  readonly out?: Uint8Array;
  readonly length?: number;
  /** Milliseconds: 60,000 if absent. */
  readonly timeout?: number;
}

export interface ScsiAnswer {
  /** The SCSI status: 0 good, 2 check condition; 255 when the command did not reach the disk. */
  readonly status: number;
  readonly sense: Uint8Array;
  readonly data: Uint8Array;
}

/** Opens for this process alone. Fault `io.busy` when somebody else has it open so (a file system, an array, a mapping), `io.failed`. */
export type OpenBlock = (path: string) => Block;

/** What a failed call throws; `code` is the name of the error, such as `EIO`. */
export function blockFault(path: string, what: string, code: string, at?: number): Fault {
  const where = at === undefined ? "" : ` at byte ${at}`;
  if (code === "EBUSY") {
    return new Fault("io.busy", `${path} is in use`, { fault: "world", retry: "later", facts: { errno: code } });
  }
  const isUnsupported = ["EOPNOTSUPP", "ENOTTY", "EINVAL", "ENOSYS", "ENOTSUP"].includes(code);
  const message = `${path}: cannot ${what}${where}: ${MEANING[code] ?? code}`;
  const facts = { errno: code, ...(at === undefined ? {} : { at }) };
  return new Fault(isUnsupported ? "io.unsupported" : "io.failed", message, { fault: "world", retry: "later", facts });
}

const MEANING: Readonly<Record<string, string>> = {
  EIO: "the disk reports an error",
  EREMOTEIO: "the disk reports an error",
  ENODATA: "the disk reports an error",
  EBADE: "the disk reports an error",
  ETIMEDOUT: "the disk does not answer",
  ENXIO: "the disk is gone",
  ENODEV: "the disk is gone",
  ENOENT: "there is no such device",
  EROFS: "it is read-only",
  EACCES: "it is read-only",
  EPERM: "it is not permitted",
  ENOSPC: "it has no room",
};
