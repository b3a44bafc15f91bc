/** Reading FRU inventory devices (IPMI 2.0 §34). What is in them is `fru-area.ts`. */
import { call, command } from "../command.ts";
import { COMPLETION, NET_FN, STORAGE } from "../constants.ts";
import type { IpmiChannel } from "../packet.ts";
import { malformed } from "../reader.ts";
import { Fault } from "#std/fault.ts";

export interface FruInfo {
  /** In bytes. */
  readonly size: number;
  /** Offsets and counts are in words of two bytes. */
  readonly byWords: boolean;
}

/** §34.1 */
export const getFruInfo = command<number, FruInfo>({
  name: "Get FRU Inventory Area Info",
  netFn: NET_FN.storage,
  command: STORAGE.getFruInventoryAreaInfo,
  ask: (device) => [device],
  read: (reader) => ({ size: reader.uint(2), byWords: (reader.byte() & 0x01) !== 0 }),
});

/** §34.2; offset and count in the device's units. */
export const readFruData = command<{ readonly device: number; readonly offset: number; readonly count: number }, Uint8Array>({
  name: "Read FRU Data",
  netFn: NET_FN.storage,
  command: STORAGE.readFruData,
  ask: ({ device, offset, count }) => [device, offset & 0xff, offset >> 8, count],
  read: (reader) => {
    reader.skip(1);
    return reader.rest();
  },
  completions: { 0x81: ["busy", "the FRU device is busy"] },
});

/** The machine's own (§34.1). */
export const MAIN_FRU = 0;
/** What most can answer with; those that cannot say so. */
const PIECE = 64;
const SMALLEST_PIECE = 8;
/** What is behind that is makers' own. */
const LONGEST = 4096;

/** The first 4 KiB of a device at most. Rejects as {@link call} does. */
export async function readFru(channel: IpmiChannel, device: number, signal?: AbortSignal): Promise<Uint8Array> {
  const { size, byWords } = await call(channel, getFruInfo, device, signal);
  const unit = byWords ? 2 : 1;
  const bytes = new Uint8Array(Math.min(size, LONGEST));
  let piece = PIECE;
  for (let at = 0; at < bytes.length;) {
    const count = Math.ceil(Math.min(piece, bytes.length - at) / unit);
    let data: Uint8Array;
    try {
      data = await call(channel, readFruData, { device, offset: at / unit, count }, signal);
    } catch (error) {
      if (!wantsLess(error) || piece <= SMALLEST_PIECE) throw error;
      piece /= 2;
      continue;
    }
    // An odd number of bytes cannot be gone on from by words.
    const usable = Math.min(data.length - (data.length % unit), bytes.length - at);
    if (usable <= 0) throw malformed("Read FRU Data", "it has nothing where its size says there is more");
    bytes.set(data.subarray(0, usable), at);
    at += usable;
  }
  return bytes;
}

/** What BMCs say to a piece that is too large for the way it goes (§33.12, §34.2). */
export function wantsLess(error: unknown): boolean {
  const codes: readonly unknown[] = [
    COMPLETION.lengthInvalid,
    COMPLETION.lengthLimit,
    COMPLETION.cannotReturnBytes,
    COMPLETION.unspecified,
  ];
  return Fault.is(error) && codes.includes(error.facts["completion"]);
}
