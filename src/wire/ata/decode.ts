/** What an ATA disk says of itself, and the registers that SCSI sense data carries. Short data is a `peer` fault. */
import { Fault } from "#std/fault.ts";
import { SECTOR } from "./constants.ts";

export interface Identity {
  readonly model: string;
  readonly serial: string;
  /** Word 128 (ACS-4 §7.13.6.60). */
  readonly security: {
    readonly supported: boolean;
    readonly enabled: boolean;
    readonly locked: boolean;
    readonly frozen: boolean;
    /** Too many wrong passwords: nothing more until it is switched off and on. */
    readonly expired: boolean;
    readonly enhanced: boolean;
  };
  /** Minutes that the disk says it needs (words 89 and 90); undefined when it does not say. */
  readonly eraseMinutes: number | undefined;
  readonly enhancedMinutes: number | undefined;
  /** Word 59, bits 12 to 15. */
  readonly sanitizes: { readonly crypto: boolean; readonly overwrite: boolean; readonly block: boolean };
  /** Words 69 and 169: what was trimmed reads as zeros. */
  readonly trimsToZero: boolean;
}

export function decodeIdentity(bytes: Uint8Array): Identity {
  if (bytes.length < SECTOR) throw malformed(`IDENTIFY DEVICE: ${bytes.length} bytes instead of ${SECTOR}`);
  const word = (index: number): number => bytes[2 * index]! | (bytes[2 * index + 1]! << 8);
  // Bit 15 set: an ATAPI device, or nothing at all.
  if ((word(0) & 0x8000) !== 0) throw malformed("IDENTIFY DEVICE: it is no ATA disk");
  const text = (first: number, words: number): string =>
    Array.from({ length: words }, (_, i) => String.fromCharCode(word(first + i) >> 8, word(first + i) & 0xff))
      .join("")
      .replaceAll(/[^\x20-\x7e]/g, "")
      .trim();
  const [security, sanitize] = [word(128), word(59)];
  const has = (bit: number): boolean => (security & (1 << bit)) !== 0;
  const sanitizes = (sanitize & 0x1000) !== 0;
  return {
    serial: text(10, 10),
    model: text(27, 20),
    security: { supported: has(0), enabled: has(1), locked: has(2), frozen: has(3), expired: has(4), enhanced: has(5) },
    eraseMinutes: minutesOf(word(89)),
    enhancedMinutes: minutesOf(word(90)),
    sanitizes: {
      crypto: sanitizes && (sanitize & 0x2000) !== 0,
      overwrite: sanitizes && (sanitize & 0x4000) !== 0,
      block: sanitizes && (sanitize & 0x8000) !== 0,
    },
    // Deterministic (bit 14) and zeroes (bit 5).
    trimsToZero: (word(69) & 0x4020) === 0x4020 && (word(169) & 1) !== 0,
  };
}

/** In units of two minutes: 15 bits where bit 15 is set, else 8 bits, 255 meaning more than 508 (ACS-4 §7.13.6.40). */
function minutesOf(word: number): number | undefined {
  const units = (word & 0x8000) === 0 ? word & 0xff : word & 0x7fff;
  return units === 0 ? undefined : units * 2;
}

/** Registers after a command. */
export interface Registers {
  readonly error: number;
  readonly count: number;
  /** 48 bits. */
  readonly lba: number;
  readonly status: number;
}

/** The ATA Status Return descriptor of sense data in descriptor format (SAT-4 §12.2.2.7); undefined when there is none. */
export function registersOf(sense: Uint8Array): Registers | undefined {
  if (((sense[0] ?? 0) & 0x7f) !== 0x72) return undefined;
  const end = Math.min(sense.length, 8 + (sense[7] ?? 0));
  for (let at = 8; at + 2 <= end; at += 2 + sense[at + 1]!) {
    if (sense[at] !== 0x09 || sense[at + 1] !== 0x0c || at + 14 > end) continue;
    const byte = (offset: number): number => sense[at + offset]!;
    const low = byte(7) + byte(9) * 2 ** 8 + byte(11) * 2 ** 16;
    const high = byte(6) + byte(8) * 2 ** 8 + byte(10) * 2 ** 16;
    return { error: byte(3), count: byte(4) * 256 + byte(5), lba: low + high * 2 ** 24, status: byte(13) };
  }
  return undefined;
}

export interface SanitizeStatus {
  readonly state: "idle" | "done" | "running" | "failed";
  /** From 0 to 1. */
  readonly progress: number;
}

/** SANITIZE STATUS EXT (ACS-4 table 119): count bit 15 completed, bit 14 in progress; the LBA's low word is how far, of 65536. */
export function decodeSanitizeStatus({ count, lba, status }: Registers): SanitizeStatus {
  if ((status & 1) !== 0) return { state: "failed", progress: 0 };
  if ((count & 0x4000) !== 0) return { state: "running", progress: (lba % 65_536) / 65_536 };
  return (count & 0x8000) === 0 ? { state: "idle", progress: 0 } : { state: "done", progress: 1 };
}

function malformed(message: string): Fault {
  return new Fault("wire.ata", message, { fault: "peer", retry: "never" });
}
