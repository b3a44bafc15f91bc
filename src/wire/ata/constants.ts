/** Numbers of ACS-4 (INCITS 529) and SAT-4 (INCITS 491). */

/** Commands (ACS-4 §7). */
export const COMMAND = {
  identify: 0xec,
  sanitize: 0xb4,
  securitySetPassword: 0xf1,
  securityUnlock: 0xf2,
  securityErasePrepare: 0xf3,
  securityEraseUnit: 0xf4,
  securityDisablePassword: 0xf6,
} as const;

/** Features of SANITIZE DEVICE, and the key that each wants in its LBA field (ACS-4 §7.36). */
export const SANITIZE = {
  status: { feature: 0x0000, key: 0 },
  cryptoScramble: { feature: 0x0011, key: 0x4372_7970 },
  blockErase: { feature: 0x0012, key: 0x426b_4572 },
  /** The key is in bits 47:32; below is the pattern. */
  overwrite: { feature: 0x0014, key: 0x4f57_0000_0000 },
} as const;

/** ATA PASS-THROUGH (16) (SAT-4 §12.2.3). */
export const PASS_THROUGH = 0x85;
export const PROTOCOL = { noData: 3, pioIn: 4, pioOut: 5 } as const;

export const SECTOR = 512;
/** Characters of a security password (ACS-4 table 142). */
export const PASSWORD = 32;
