/** Numbers of SPC-5 (INCITS 502) and SBC-4 (INCITS 506). */
export const OPERATION = { requestSense: 0x03, sanitize: 0x48, maintenanceIn: 0xa3 } as const;

/** Service actions of SANITIZE (SBC-4 §5.33). */
export const SANITIZE = { overwrite: 0x01, blockErase: 0x02, cryptographicErase: 0x03 } as const;

/** Service action of MAINTENANCE IN: REPORT SUPPORTED OPERATION CODES (SPC-5 §6.35). */
export const REPORT_SUPPORTED = 0x0c;

/** LOGICAL UNIT NOT READY, SANITIZE IN PROGRESS (SPC-5 annex F). */
export const SANITIZING = { code: 0x04, qualifier: 0x1b } as const;
