/** Admin commands as their dwords. */
import { IDENTIFY, IDENTIFY_LENGTH, OPCODE, SANITIZE_LOG, SANITIZE_LOG_LENGTH } from "./constants.ts";

export interface AdminCommand {
  readonly opcode: number;
  /** NSID; 0 for none. */
  readonly namespace: number;
  /** Command dwords 10 to 15; what is missing is 0. */
  readonly dwords: readonly number[];
  /** Bytes that the controller returns. */
  readonly length?: number;
  /** Milliseconds. */
  readonly timeout?: number;
}

export function identifyController(): AdminCommand {
  return { opcode: OPCODE.identify, namespace: 0, dwords: [IDENTIFY.controller], length: IDENTIFY_LENGTH };
}

export function identifyNamespace(namespace: number): AdminCommand {
  return { opcode: OPCODE.identify, namespace, dwords: [IDENTIFY.namespace], length: IDENTIFY_LENGTH };
}

export interface Format {
  readonly namespace: number;
  /** The format it has and keeps: FLBAS and DPS of its Identify data (NVM §4.1.5.1). */
  readonly flbas: number;
  readonly dps: number;
  /** SES. */
  readonly secureErase: number;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Format NVM (Base §5.14, figure 187): LBAFL, MSET, PI, PIL, SES, LBAFU. */
export function formatNvm({ namespace, flbas, dps, secureErase, timeout }: Format): AdminCommand {
  const mset = (flbas >> 4) & 1;
  const [pi, pil] = [dps & 7, (dps >> 3) & 1];
  const dword = (flbas & 0xf) | (mset << 4) | (pi << 5) | (pil << 8) | (secureErase << 9) | (((flbas >> 5) & 3) << 12);
  return { opcode: OPCODE.format, namespace, dwords: [dword], timeout };
}

export interface Sanitize {
  readonly action: number;
  /** Of an overwrite: from 1 to 16. */
  readonly passes?: number;
}

/**
 * Sanitize (Base §5.24, figure 303), restricted completion (AUSE 0): a failure is not swept under the carpet. One pass of zeros for an
 * overwrite. It returns at once; the log tells how far it is.
 */
export function sanitize({ action, passes = 0 }: Sanitize): AdminCommand {
  return { opcode: OPCODE.sanitize, namespace: 0, dwords: [action | ((passes & 0xf) << 4), 0] };
}

/** Get Log Page (Base §5.16, figure 196): NUMDL counts dwords from 0. */
export function sanitizeStatus(): AdminCommand {
  const dword = SANITIZE_LOG | ((SANITIZE_LOG_LENGTH / 4 - 1) << 16);
  return { opcode: OPCODE.getLogPage, namespace: 0xffff_ffff, dwords: [dword], length: SANITIZE_LOG_LENGTH };
}
