/** Numbers and names of DSP0134 3.7. */

/** §6.2 */
export const TYPE = {
  bios: 0,
  system: 1,
  baseboard: 2,
  chassis: 3,
  processor: 4,
  memoryArray: 16,
  memoryDevice: 17,
  end: 127,
} as const;

/** Real tables have some thousand bytes; the largest seen are below 64 KiB. */
export const TABLE_LIMIT = 1024 * 1024;
/** What is kept of one string. */
export const STRING_LIMIT = 256;

/** §7.18.1, from 1. */
export const FORM_FACTORS = [
  "Other",
  undefined,
  "SIMM",
  "SIP",
  "Chip",
  "DIP",
  "ZIP",
  "Proprietary Card",
  "DIMM",
  "TSOP",
  "Row Of Chips",
  "RIMM",
  "SODIMM",
  "SRIMM",
  "FB-DIMM",
  "Die",
  "CAMM",
] as const;

/** §7.18.2, from 1. */
export const MEMORY_TYPES = [
  "Other",
  undefined,
  "DRAM",
  "EDRAM",
  "VRAM",
  "SRAM",
  "RAM",
  "ROM",
  "Flash",
  "EEPROM",
  "FEPROM",
  "EPROM",
  "CDRAM",
  "3DRAM",
  "SDRAM",
  "SGRAM",
  "RDRAM",
  "DDR",
  "DDR2",
  "DDR2 FB-DIMM",
  undefined,
  undefined,
  undefined,
  "DDR3",
  "FBD2",
  "DDR4",
  "LPDDR",
  "LPDDR2",
  "LPDDR3",
  "LPDDR4",
  "Logical non-volatile device",
  "HBM",
  "HBM2",
  "DDR5",
  "LPDDR5",
  "HBM3",
] as const;
