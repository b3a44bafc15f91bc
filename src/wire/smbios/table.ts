import { Fault } from "#std/fault.ts";
import { STRING_LIMIT, TABLE_LIMIT, TYPE } from "./constants.ts";
import type { EntryPoint, Flaw, Structure } from "./structure.ts";

export interface Table {
  readonly structures: readonly Structure[];
  readonly flaw: Flaw | undefined;
}

const HEADER = 4;
const UTF8 = new TextDecoder();

/**
 * The structures up to the end mark (§6.1). Firmware in the field writes tables that are cut or run into nothing: what was read until then is
 * given, with the flaw. Throws `peer` Fault `smbios.too-long`.
 */
export function decodeTable(bytes: Uint8Array, entryPoint: EntryPoint): Table {
  if (bytes.length > TABLE_LIMIT) {
    throw new Fault("smbios.too-long", `byte ${TABLE_LIMIT} of the table: ${bytes.length} bytes`, {
      fault: "peer",
      retry: "never",
      facts: { offset: TABLE_LIMIT },
    });
  }
  const table = bytes.subarray(0, entryPoint.tableLength);
  const structures: Structure[] = [];
  for (let offset = 0; offset < table.length;) {
    if (structures.length === entryPoint.structures) return { structures, flaw: undefined };
    const length = table[offset + 1] ?? 0;
    if (length < HEADER) return { structures, flaw: { offset: offset + 1, message: `a structure of ${length} bytes` } };
    const end = endOfStrings(table, offset + length);
    if (end === undefined) return { structures, flaw: { offset, message: "a structure without its end" } };
    const formatted = table.subarray(offset, offset + length);
    const handle = formatted[2]! | (formatted[3]! << 8);
    structures.push({
      type: formatted[0]!,
      handle,
      offset,
      formatted,
      strings: readStrings(table.subarray(offset + length, end)),
    });
    if (formatted[0] === TYPE.end) return { structures, flaw: undefined };
    offset = end;
  }
  const isWhole = entryPoint.structures === structures.length;
  return { structures, flaw: isWhole ? undefined : { offset: table.length, message: "the table has no end mark" } };
}

/** Behind the two NULs that end the strings which begin at `from`; undefined when they are not there. */
function endOfStrings(table: Uint8Array, from: number): number | undefined {
  for (let at = from; at + 1 < table.length; at++) {
    const nul = table.indexOf(0, at);
    if (nul === -1 || nul + 1 >= table.length) return undefined;
    if (table[nul + 1] === 0) return nul + 2;
    at = nul;
  }
  return undefined;
}

/** `one NUL two NUL NUL`, or `NUL NUL` for none. */
function readStrings(bytes: Uint8Array): string[] {
  if (bytes[0] === 0) return [];
  const strings: string[] = [];
  for (let at = 0; at < bytes.length - 1;) {
    const end = bytes.indexOf(0, at);
    strings.push(readString(bytes.subarray(at, Math.min(end, at + STRING_LIMIT))));
    at = end + 1;
  }
  return strings;
}

/** UTF-8 (§6.1.3) in practice ASCII, padded with spaces; what cannot be shown becomes a dot, as dmidecode has it. */
function readString(bytes: Uint8Array): string {
  return UTF8.decode(bytes)
    .replaceAll(/[\p{Cc}\ufffd]/gu, ".")
    .trim();
}
