/** What a FRU inventory device says of the machine (Platform Management FRU Information Storage Definition 1.0, revision 1.3). */
import { malformed } from "../reader.ts";
import { decodeText } from "./text.ts";

export interface FruChassis {
  readonly type: number;
  readonly partNumber: string;
  readonly serial: string;
}

export interface FruBoard {
  /** Milliseconds since 1970; undefined: not said. */
  readonly made: number | undefined;
  readonly manufacturer: string;
  readonly product: string;
  readonly serial: string;
  readonly partNumber: string;
}

export interface FruProduct {
  readonly manufacturer: string;
  readonly name: string;
  readonly partNumber: string;
  readonly version: string;
  readonly serial: string;
  readonly assetTag: string;
}

/** Areas that are not there, or whose checksum is wrong, are undefined. */
export interface Fru {
  readonly chassis: FruChassis | undefined;
  readonly board: FruBoard | undefined;
  readonly product: FruProduct | undefined;
}

/** §11: minutes are counted from 1996. */
const EPOCH = Date.UTC(1996, 0, 1);
const NO_MORE = 0xc1;

/** Throws Fault `ipmi.malformed` when there is no common header (§8); every area stands for itself. */
export function decodeFru(bytes: Uint8Array): Fru {
  if (bytes.length < 8 || (bytes[0]! & 0x0f) !== 1 || !sumsUp(bytes.subarray(0, 8))) {
    throw malformed("FRU", "there is no common header");
  }
  return {
    chassis: readChassis(areaAt(bytes, bytes[2]!)),
    board: readBoard(areaAt(bytes, bytes[3]!)),
    product: readProduct(areaAt(bytes, bytes[4]!)),
  };
}

/** The area at `offset`, in units of eight bytes, as is its length. */
function areaAt(bytes: Uint8Array, offset: number): Uint8Array | undefined {
  const start = offset * 8;
  const length = (bytes[start + 1] ?? 0) * 8;
  if (offset === 0 || length === 0 || start + length > bytes.length || (bytes[start]! & 0x0f) !== 1) return undefined;
  const area = bytes.subarray(start, start + length);
  return sumsUp(area) ? area : undefined;
}

/** §16.2.6: the sum of all bytes is 0. */
function sumsUp(bytes: Uint8Array): boolean {
  return bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0) === 0;
}

/** §10 */
function readChassis(area: Uint8Array | undefined): FruChassis | undefined {
  if (area === undefined) return undefined;
  const [partNumber = "", serial = ""] = texts(area, 3);
  return { type: area[2]!, partNumber, serial };
}

/** §11 */
function readBoard(area: Uint8Array | undefined): FruBoard | undefined {
  if (area === undefined) return undefined;
  const minutes = area[3]! | (area[4]! << 8) | (area[5]! << 16);
  const [manufacturer = "", product = "", serial = "", partNumber = ""] = texts(area, 6);
  return { made: minutes === 0 ? undefined : EPOCH + minutes * 60_000, manufacturer, product, serial, partNumber };
}

/** §12 */
function readProduct(area: Uint8Array | undefined): FruProduct | undefined {
  if (area === undefined) return undefined;
  const [manufacturer = "", name = "", partNumber = "", version = "", serial = "", assetTag = ""] = texts(area, 3);
  return { manufacturer, name, partNumber, version, serial, assetTag };
}

/** The fields from `at` to the mark that there are no more. */
function texts(area: Uint8Array, at: number): string[] {
  const found: string[] = [];
  // The last byte is the checksum.
  while (at < area.length - 1 && area[at] !== NO_MORE) {
    const head = area[at]!;
    const end = at + 1 + (head & 0x3f);
    if (end > area.length - 1) break;
    found.push(decodeText(head, area.subarray(at + 1, end)));
    at = end;
  }
  return found;
}
