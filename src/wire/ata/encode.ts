/** ATA commands inside SCSI's ATA PASS-THROUGH (16), as Linux passes them on by SG_IO. */
import { COMMAND, PASSWORD, PASS_THROUGH, PROTOCOL, SANITIZE, SECTOR } from "./constants.ts";

/** A SCSI command, with what goes along. */
export interface AtaCommand {
  readonly cdb: Uint8Array;
  /** Data for the disk. */
  readonly out?: Uint8Array;
  /** Bytes that the disk returns. */
  readonly length?: number;
  /** Milliseconds. */
  readonly timeout?: number;
}

interface Registers {
  readonly command: number;
  readonly feature?: number;
  readonly count?: number;
  /** Up to 48 bits. */
  readonly lba?: number;
  /** A 48-bit command. */
  readonly extended?: boolean;
}

export function identifyDevice(): AtaCommand {
  return { cdb: passThrough({ command: COMMAND.identify, count: 1 }, "in"), length: SECTOR };
}

/** Which of the two passwords is meant is said in every sector of data: the user's. */
function securityData(password: string, flags = 0): Uint8Array {
  const data = new Uint8Array(SECTOR);
  data[0] = flags;
  for (let i = 0; i < Math.min(PASSWORD, password.length); i++) data[2 + i] = password.charCodeAt(i);
  return data;
}

function withPassword(command: number, password: string): AtaCommand {
  return { cdb: passThrough({ command, count: 1 }, "out"), out: securityData(password) };
}

/** Locks the disk by a user password from the next power-on until it is erased or the password is taken away (ACS-4 §7.40). */
export function securitySetPassword(password: string): AtaCommand {
  return withPassword(COMMAND.securitySetPassword, password);
}

export function securityUnlock(password: string): AtaCommand {
  return withPassword(COMMAND.securityUnlock, password);
}

export function securityDisablePassword(password: string): AtaCommand {
  return withPassword(COMMAND.securityDisablePassword, password);
}

/** Has to come right before {@link securityEraseUnit}. */
export function securityErasePrepare(): AtaCommand {
  return { cdb: passThrough({ command: COMMAND.securityErasePrepare }, "none") };
}

/** Returns when the disk is erased, hours later perhaps; the password is gone then (ACS-4 §7.38). Bit 1 of the first word: enhanced. */
export function securityEraseUnit(password: string, { enhanced, timeout }: { enhanced: boolean; timeout: number }): AtaCommand {
  const out = securityData(password, enhanced ? 2 : 0);
  return { cdb: passThrough({ command: COMMAND.securityEraseUnit, count: 1 }, "out"), out, timeout };
}

/** Returns at once. An overwrite is one pass of zeros (ACS-4 §7.36.5). */
export function sanitizeDevice(how: Exclude<keyof typeof SANITIZE, "status">): AtaCommand {
  const { feature, key } = SANITIZE[how];
  const count = how === "overwrite" ? 1 : 0;
  return { cdb: passThrough({ command: COMMAND.sanitize, feature, lba: key, count, extended: true }, "none") };
}

/** Its answer is in the registers: see `decodeSanitizeStatus`. */
export function sanitizeStatus(): AtaCommand {
  return { cdb: passThrough({ command: COMMAND.sanitize, extended: true }, "none") };
}

/** SAT-4 table 175; CK_COND is set where the registers are the answer. */
function passThrough(registers: Registers, data: "in" | "out" | "none"): Uint8Array {
  const { command, feature = 0, count = 0, lba = 0, extended = false } = registers;
  const protocol = data === "in" ? PROTOCOL.pioIn : data === "out" ? PROTOCOL.pioOut : PROTOCOL.noData;
  // T_LENGTH 2: the count says how much; BYT_BLOK: in blocks; T_DIR: from the disk.
  const transfer = data === "none" ? 0x20 : data === "in" ? 0x0e : 0x06;
  const byte = (index: number): number => Math.floor(lba / 256 ** index) % 256;
  return Uint8Array.of(
    PASS_THROUGH,
    (protocol << 1) | (extended ? 1 : 0),
    transfer,
    feature >> 8,
    feature & 0xff,
    count >> 8,
    count & 0xff,
    byte(3),
    byte(0),
    byte(4),
    byte(1),
    byte(5),
    byte(2),
    // LBA mode, which commands with an LBA want and others pass over.
    0x40,
    command,
    0,
  );
}
