/** Which of the names that a board claims are its own. Cheap boards all carry the same UUID and "serial number". */
import { parseUuid } from "#std/uuid.ts";

/**
 * `absent`: all bits 0, the board has none (§7.2.1). `unset`: all bits 1, it could have one. `placeholder`: a value that vendors forgot to replace.
 * `own`: nothing speaks against it; two machines may still have the same.
 */
export type UuidKind = "own" | "absent" | "unset" | "placeholder" | "malformed";

/** AMI's default, in both orders of bytes; and what other vendors ship. */
const PLACEHOLDER_UUIDS: ReadonlySet<string> = new Set([
  "03000200-0400-0500-0006-000700080009",
  "00020003-0004-0005-0006-000700080009",
  "12345678-1234-5678-90ab-cddeefaabbcc",
  "78563412-3412-7856-90ab-cddeefaabbcc",
  "01234567-89ab-cdef-0123-456789abcdef",
  "67452301-ab89-efcd-0123-456789abcdef",
  "12345678-1234-1234-1234-123456789abc",
  "78563412-3412-3412-1234-123456789abc",
]);

/** Sixteen random bytes have so few different values once in 10^24 boards; `feefee…` and `…0001` have. */
const FEW_VALUES = 3;

/** What a UUID is worth, in text of either case. */
export function uuidKind(uuid: string): UuidKind {
  const bytes = parseUuid(uuid);
  if (bytes === undefined) return "malformed";
  if (bytes.every((byte) => byte === 0x00)) return "absent";
  if (bytes.every((byte) => byte === 0xff)) return "unset";
  if (PLACEHOLDER_UUIDS.has(uuid.toLowerCase()) || new Set(bytes).size <= FEW_VALUES) return "placeholder";
  return "own";
}

/** Letters and digits only, in lower case. */
const PLACEHOLDER_TEXTS: ReadonlySet<string> = new Set([
  "",
  "na",
  "none",
  "null",
  "oem",
  "empty",
  "unknown",
  "default",
  "defaultstring",
  "notspecified",
  "notavailable",
  "notapplicable",
  "notprovided",
  "notpresent",
  "notdefined",
  "notsettable",
  "noasset",
  "noassettag",
  "noassetinformation",
  "tobefilledbyoem",
  "tobefilledbyoemo",
  "systemserialnumber",
  "systemproductname",
  "systemmanufacturer",
  "systemversion",
  "chassisserialnumber",
  "chassismanufacturer",
  "baseboardserialnumber",
  "boardserialnumber",
  "mbserialnumber",
  "serialnumber",
  "serial",
  "assettag",
  "type1productconfigid",
  "invalid",
  "undefined",
  "inside",
  "123456789",
  "1234567890",
  "0123456789",
  "123456789012345",
  "abcdefgh",
]);

/** Whether a serial number or another text says nothing about this one machine. */
export function isPlaceholder(text: string): boolean {
  const letters = text.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return PLACEHOLDER_TEXTS.has(letters) || new Set(letters).size === 1;
}
