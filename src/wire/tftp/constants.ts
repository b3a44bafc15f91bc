/** Numbers of RFC 1350 and the option extensions. */

/** RFC 1350 §5; 6 is RFC 2347. */
export const OPCODE = {
  readRequest: 1,
  writeRequest: 2,
  data: 3,
  acknowledgement: 4,
  error: 5,
  optionAcknowledgement: 6,
} as const;

/** RFC 1350 appendix, "Error Codes"; 8 is RFC 2347. */
export const ERROR = {
  notDefined: 0,
  fileNotFound: 1,
  accessViolation: 2,
  diskFull: 3,
  illegalOperation: 4,
  unknownTransfer: 5,
  fileExists: 6,
  noSuchUser: 7,
  optionsRefused: 8,
} as const;

/** Bytes of data in a block when nobody says otherwise (RFC 1350 §2). */
export const DEFAULT_BLOCK_SIZE = 512;
/** RFC 2348: 8 to 65464. */
export const MIN_BLOCK_SIZE = 8;
export const MAX_BLOCK_SIZE = 65_464;
/** RFC 7440 §3: 1 to 65535 blocks. */
export const MAX_WINDOW_SIZE = 65_535;
/** RFC 2349: 1 to 255 seconds. */
export const MAX_TIMEOUT_SECONDS = 255;

/** Block numbers are 16 bits wide; the block after 65535 is 0. */
export const BLOCK_MODULUS = 65_536;

/** RFC 2347 says 512 for a request; loaders with long paths and many options need more, nobody needs this much. */
export const REQUEST_LIMIT = 2_048;
/** What is kept of a peer's error message. */
export const MESSAGE_LIMIT = 512;
