import { toLatin1 } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import type { EntryPoint } from "./structure.ts";

/**
 * The entry point of 2.x (§5.2.1, 32-bit) or 3.x (§5.2.2, 64-bit), as Linux shows it in `/sys/firmware/dmi/tables/smbios_entry_point`. Throws
 * `peer` Faults `smbios.entry-point` and `smbios.checksum` with the byte `offset`.
 */
export function decodeEntryPoint(bytes: Uint8Array): EntryPoint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (toLatin1(bytes.subarray(0, 5)) === "_SM3_") {
    checkLength(bytes, 6, 0x18);
    checkSum(bytes, 0, bytes[6]!, 5);
    return { ...version(bytes[7]!, bytes[8]!), tableLength: view.getUint32(0x0c, true), structures: undefined };
  }
  if (toLatin1(bytes.subarray(0, 4)) === "_SM_") {
    // 0x1e was printed in the specification 2.1 by mistake and is found in machines (§5.2.1).
    checkLength(bytes, 5, 0x1e);
    checkSum(bytes, 0, bytes[5]!, 4);
    if (toLatin1(bytes.subarray(0x10, 0x15)) !== "_DMI_") throw malformed("entry-point", 0x10, "no intermediate anchor");
    checkSum(bytes, 0x10, 0x0f, 0x15);
    const { major, minor } = version(bytes[6]!, bytes[7]!);
    return { major, minor, tableLength: view.getUint16(0x16, true), structures: view.getUint16(0x1c, true) };
  }
  throw malformed("entry-point", 0, "no anchor");
}

/** Versions that firmware is known to write wrongly, as Linux and dmidecode read them; the UUID's byte order hangs on it. */
function version(major: number, minor: number): { major: number; minor: number } {
  if (major === 2 && (minor === 31 || minor === 33)) return { major, minor: 3 };
  if (major === 2 && minor === 51) return { major, minor: 6 };
  return { major, minor };
}

function checkLength(bytes: Uint8Array, at: number, least: number): void {
  const length = bytes[at] ?? 0;
  if (length < least) throw malformed("entry-point", at, `a length of ${length}`);
  // Of an entry point of 0x1e bytes the count is the last thing: bytes 0x1c and 0x1d.
  if (length > bytes.length) throw malformed("entry-point", bytes.length, `${bytes.length} bytes of ${length}`);
}

/** All bytes of the part add up to 0 in eight bits. */
function checkSum(bytes: Uint8Array, from: number, length: number, at: number): void {
  let sum = 0;
  for (let i = from; i < from + length; i++) sum += bytes[i] ?? 0;
  if ((sum & 0xff) !== 0) throw malformed("checksum", at, "the checksum is wrong");
}

function malformed(what: string, offset: number, message: string): Fault {
  return new Fault(`smbios.${what}`, `byte ${offset} of the entry point: ${message}`, {
    fault: "peer",
    retry: "never",
    facts: { offset },
  });
}
