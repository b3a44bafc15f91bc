/** ioctl(2) requests for disks and the structures that go with them. Linux, 64 bits, little-endian: the same on x64 and arm64. */
import type { NvmeCommand, ScsiCommand } from "../../block.ts";

/** `linux/fs.h`: `_IO(0x12, n)`; BLKGETSIZE64 is `_IOR(0x12, 114, size_t)`. */
export const BLK = {
  rereadPartitions: 0x125f,
  flushBuffers: 0x1261,
  logicalBlockSize: 0x1268,
  discard: 0x1277,
  secureDiscard: 0x127d,
  zeroOut: 0x127f,
  size: 0x8008_1272,
} as const;

/** `linux/nvme_ioctl.h`: `_IO('N', 0x40)` and `_IOWR('N', 0x41, struct nvme_admin_cmd)`, which has 72 bytes. */
export const NVME = { id: 0x4e40, adminCommand: 0xc048_4e41 } as const;

/** `scsi/sg.h`. Works on disks themselves, without the sg driver. */
export const SG_IO = 0x2285;

const TIMEOUT = 60_000;

/** `uint64_t range[2]` of the three requests that clear: start and length. */
export function rangeBytes(at: number, length: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(BigInt(at), 0);
  bytes.writeBigUInt64LE(BigInt(length), 8);
  return bytes;
}

/**
 * `struct nvme_passthru_cmd`: opcode 0, flags 1, nsid 4, cdw2 8, cdw3 12, metadata 16, addr 24, metadata_len 32, data_len 36, cdw10 40 … cdw15 60,
 * timeout_ms 64, result 68. `address` is that of the data.
 */
export function nvmeBytes({ opcode, namespace, dwords, length = 0, timeout = TIMEOUT }: NvmeCommand, address: bigint): Buffer {
  const bytes = Buffer.alloc(72);
  bytes.writeUInt8(opcode, 0);
  bytes.writeUInt32LE(namespace, 4);
  bytes.writeBigUInt64LE(length === 0 ? 0n : address, 24);
  bytes.writeUInt32LE(length, 36);
  for (const [i, dword] of dwords.slice(0, 6).entries()) bytes.writeUInt32LE(dword >>> 0, 40 + 4 * i);
  bytes.writeUInt32LE(timeout, 64);
  return bytes;
}

export interface SgAddresses {
  readonly cdb: bigint;
  readonly data: bigint;
  readonly sense: bigint;
}

const DIRECTION = { none: -1, toDevice: -2, fromDevice: -3 } as const;
export const SENSE_LENGTH = 64;

/**
 * `struct sg_io_hdr` (v3): interface_id 0, dxfer_direction 4, cmd_len 8, mx_sb_len 9, iovec_count 10, dxfer_len 12, dxferp 16, cmdp 24, sbp 32,
 * timeout 40, flags 44, pack_id 48, usr_ptr 56, status 64, masked_status 65, msg_status 66, sb_len_wr 67, host_status 68, driver_status 70, resid 72,
 * duration 76, info 80; 88 bytes.
 */
export function sgBytes({ cdb, out, length = 0, timeout = TIMEOUT }: ScsiCommand, addresses: SgAddresses): Buffer {
  const bytes = Buffer.alloc(88);
  const transferred = out?.length ?? length;
  bytes.writeInt32LE("S".charCodeAt(0), 0);
  bytes.writeInt32LE(out === undefined ? (length === 0 ? DIRECTION.none : DIRECTION.fromDevice) : DIRECTION.toDevice, 4);
  bytes.writeUInt8(cdb.length, 8);
  bytes.writeUInt8(SENSE_LENGTH, 9);
  bytes.writeUInt32LE(transferred, 12);
  bytes.writeBigUInt64LE(transferred === 0 ? 0n : addresses.data, 16);
  bytes.writeBigUInt64LE(addresses.cdb, 24);
  bytes.writeBigUInt64LE(addresses.sense, 32);
  bytes.writeUInt32LE(timeout, 40);
  return bytes;
}

export interface SgResult {
  readonly status: number;
  readonly senseLength: number;
  readonly hostStatus: number;
  readonly driverStatus: number;
}

export function sgResult(bytes: Buffer): SgResult {
  return {
    status: bytes.readUInt8(64),
    senseLength: bytes.readUInt8(67),
    hostStatus: bytes.readUInt16LE(68),
    driverStatus: bytes.readUInt16LE(70),
  };
}
