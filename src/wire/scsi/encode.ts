/** SCSI commands for erasing. */
import { OPERATION, REPORT_SUPPORTED, SANITIZE } from "./constants.ts";

export interface ScsiCommand {
  readonly cdb: Uint8Array;
  /** Data for the disk. */
  readonly out?: Uint8Array;
  /** Bytes that the disk returns. */
  readonly length?: number;
  /** Milliseconds. */
  readonly timeout?: number;
}

const REPORT_LENGTH = 64;
const SENSE_LENGTH = 252;

/** Whether SANITIZE can do this (SPC-5 table 238): the operation code and its service action. */
export function reportSupport(action: keyof typeof SANITIZE): ScsiCommand {
  // REPORTING OPTIONS 2: one command with a service action.
  const cdb = Uint8Array.of(
    OPERATION.maintenanceIn,
    REPORT_SUPPORTED,
    2,
    OPERATION.sanitize,
    0,
    SANITIZE[action],
    0,
    0,
    0,
    REPORT_LENGTH,
    0,
    0,
  );
  return { cdb, length: REPORT_LENGTH };
}

/** IMMED: it returns at once. AUSE is 0: a failure is not swept under the carpet. An overwrite is one pass of zeros (SBC-4 table 130). */
export function sanitizeUnit(action: keyof typeof SANITIZE): ScsiCommand {
  // INVERT 0, TEST 0, OVERWRITE COUNT 1; a pattern of four bytes.
  const out = action === "overwrite" ? Uint8Array.of(1, 0, 0, 4, 0, 0, 0, 0) : undefined;
  const cdb = Uint8Array.of(OPERATION.sanitize, 0x80 | SANITIZE[action], 0, 0, 0, 0, 0, 0, out?.length ?? 0, 0);
  return { cdb, ...(out && { out }) };
}

/** DESC: in descriptor format. */
export function requestSense(): ScsiCommand {
  return { cdb: Uint8Array.of(OPERATION.requestSense, 1, 0, 0, SENSE_LENGTH, 0), length: SENSE_LENGTH };
}
