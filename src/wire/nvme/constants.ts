/** Numbers of the NVM Express Base Specification 2.0 and NVM Command Set Specification 1.0. */

/** Admin command opcodes (Base §5, figure 138). */
export const OPCODE = { getLogPage: 0x02, identify: 0x06, format: 0x80, sanitize: 0x84 } as const;

/** Controller or Namespace Structure (Base figure 273). */
export const IDENTIFY = { namespace: 0x00, controller: 0x01 } as const;

/** Secure Erase Settings of Format NVM (Base figure 187). */
export const SECURE_ERASE = { userData: 1, cryptographic: 2 } as const;

/** Sanitize Action (Base figure 303). */
export const SANITIZE_ACTION = { exitFailureMode: 1, blockErase: 2, overwrite: 3, cryptoErase: 4 } as const;

/** Log Identifier of the Sanitize Status log (Base §5.16.1.19). */
export const SANITIZE_LOG = 0x81;
export const SANITIZE_LOG_LENGTH = 512;

/** Identify data structures are one page. */
export const IDENTIFY_LENGTH = 4096;
