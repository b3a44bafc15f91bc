/** Sense data (SPC-5 §4.4), and which commands a disk knows. Never throws: what is cut short or unknown says nothing. */
import { SANITIZING } from "./constants.ts";

export interface Sense {
  readonly key: number;
  readonly code: number;
  readonly qualifier: number;
  /** From 0 to 1, of a long operation. */
  readonly progress?: number;
}

/** Undefined when it is no sense data of a current error. */
export function decodeSense(sense: Uint8Array): Sense | undefined {
  const format = (sense[0] ?? 0) & 0x7f;
  const byte = (at: number): number => sense[at] ?? 0;
  if (format === 0x72) return { key: byte(1) & 0xf, code: byte(2), qualifier: byte(3), ...progressOf(descriptorProgress(sense)) };
  if (format !== 0x70) return undefined;
  const hasProgress = (byte(15) & 0x80) !== 0 && sense.length >= 18;
  return {
    key: byte(2) & 0xf,
    code: byte(12),
    qualifier: byte(13),
    ...progressOf(hasProgress ? byte(16) * 256 + byte(17) : undefined),
  };
}

/** The sense key specific descriptor (SPC-5 §4.4.2.4). */
function descriptorProgress(sense: Uint8Array): number | undefined {
  const end = Math.min(sense.length, 8 + (sense[7] ?? 0));
  for (let at = 8; at + 2 <= end; at += 2 + sense[at + 1]!) {
    if (sense[at] !== 0x02 || at + 7 > end || (sense[at + 4]! & 0x80) === 0) continue;
    return sense[at + 5]! * 256 + sense[at + 6]!;
  }
  return undefined;
}

function progressOf(value: number | undefined): { progress?: number } {
  return value === undefined ? {} : { progress: value / 65_536 };
}

/** How far a SANITIZE is; undefined when none is under way. */
export function sanitizeProgress(sense: Sense | undefined): number | undefined {
  if (sense === undefined || sense.code !== SANITIZING.code || sense.qualifier !== SANITIZING.qualifier) return undefined;
  return sense.progress ?? 0;
}

/** REPORT SUPPORTED OPERATION CODES, one command (SPC-5 table 242): SUPPORT 3, as the standard says. */
export function isSupported(report: Uint8Array): boolean {
  return report.length >= 4 && (report[1]! & 7) === 3;
}
