/** The repository of sensor data records (IPMI 2.0 §33), and that of a device that keeps its own (§35.3 to §35.5). */
import { Fault } from "#std/fault.ts";
import { call, command, nothing } from "../command.ts";
import { COMPLETION, NET_FN, SENSOR, STORAGE } from "../constants.ts";
import type { IpmiChannel } from "../packet.ts";
import { malformed } from "../reader.ts";
import { wantsLess } from "./fru.ts";

export interface SdrInfo {
  readonly records: number;
  /** Seconds since 1970 by the BMC's clock. What is read may be kept until one of them changes. */
  readonly added: number;
  readonly erased: number;
}

/** §33.9 */
export const getSdrInfo = command<void, SdrInfo>({
  name: "Get SDR Repository Info",
  netFn: NET_FN.storage,
  command: STORAGE.getSdrRepositoryInfo,
  ask: nothing,
  read: (reader) => {
    reader.skip(1);
    const records = reader.uint(2);
    reader.skip(2);
    return { records, added: reader.uint(4), erased: reader.uint(4) };
  },
});

/** §33.11 */
export const reserveSdr = command<void, number>({
  name: "Reserve SDR Repository",
  netFn: NET_FN.storage,
  command: STORAGE.reserveSdrRepository,
  ask: nothing,
  read: (reader) => reader.uint(2),
});

interface SdrQuestion {
  readonly reservation: number;
  readonly record: number;
  readonly offset: number;
  readonly count: number;
}

interface SdrPiece {
  /** LAST_RECORD: there is none. */
  readonly next: number;
  readonly data: Uint8Array;
}

const ask = ({ reservation, record, offset, count }: SdrQuestion): number[] => [
  reservation & 0xff,
  reservation >> 8,
  record & 0xff,
  record >> 8,
  offset,
  count,
];

/** §33.12 */
export const getSdr = command<SdrQuestion, SdrPiece>({
  name: "Get SDR",
  netFn: NET_FN.storage,
  command: STORAGE.getSdr,
  ask,
  read: (reader) => ({ next: reader.uint(2), data: reader.rest() }),
});

/** §35.4 */
export const reserveDeviceSdr = command<void, number>({
  name: "Reserve Device SDR Repository",
  netFn: NET_FN.sensor,
  command: SENSOR.reserveDeviceSdrRepository,
  ask: nothing,
  read: (reader) => reader.uint(2),
});

/** §35.3 */
export const getDeviceSdr = command<SdrQuestion, SdrPiece>({
  name: "Get Device SDR",
  netFn: NET_FN.sensor,
  command: SENSOR.getDeviceSdr,
  ask,
  read: (reader) => ({ next: reader.uint(2), data: reader.rest() }),
});

export const FIRST_RECORD = 0x0000;
export const LAST_RECORD = 0xffff;
/** §43: number, version, type, length of what follows. */
const HEADER = 5;
/** As much as most can answer with. */
const PIECE = 64;
const WHOLE = 0xff;
const SMALLEST_PIECE = 8;
/** A record whose reservation was cancelled is begun again so often. */
const ATTEMPTS = 5;

interface SdrSource {
  readonly reserve: typeof reserveSdr;
  readonly get: typeof getSdr;
}

const REPOSITORY: SdrSource = { reserve: reserveSdr, get: getSdr };
const DEVICE: SdrSource = { reserve: reserveDeviceSdr, get: getDeviceSdr };

/**
 * At most `limit` records, header included, of the repository or of the device itself. Rejects as {@link call} does, and with
 * `ipmi.malformed` when the records go round in a circle.
 */
export async function readSdrs(
  channel: IpmiChannel,
  from: "repository" | "device",
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  const source = from === "repository" ? REPOSITORY : DEVICE;
  const found: Uint8Array[] = [];
  const seen = new Set<number>();
  let piece = PIECE;
  let reservation = await call(channel, source.reserve, undefined, signal);
  let attempts = 0;
  for (let record = FIRST_RECORD; record !== LAST_RECORD && found.length < limit;) {
    if (seen.has(record)) throw malformed(source.get.name, `record ${record} comes twice`);
    try {
      // Who loses its reservation over and over is not the only one to read; a record in one piece needs none.
      const read = attempts < 2 ? readRecord : readWhole;
      const { next, data } = await read(channel, source, { reservation, record, piece }, signal);
      found.push(data);
      seen.add(record);
      record = next;
      attempts = 0;
    } catch (error) {
      if (record === FIRST_RECORD && isMissing(error)) return [];
      if (++attempts > ATTEMPTS) throw error;
      if (Fault.is(error) && error.facts["completion"] === COMPLETION.reservationCancelled) {
        reservation = await call(channel, source.reserve, undefined, signal);
      } else if (wantsLess(error) && piece > SMALLEST_PIECE) {
        piece /= 2;
      } else {
        throw error;
      }
    }
  }
  return found;
}

/** An empty repository has no first record. */
function isMissing(error: unknown): boolean {
  return Fault.is(error) && error.facts["completion"] === COMPLETION.notPresent;
}

interface Wanted {
  readonly reservation: number;
  readonly record: number;
  readonly piece: number;
}

async function readWhole(channel: IpmiChannel, { get }: SdrSource, { record }: Wanted, signal?: AbortSignal): Promise<SdrPiece> {
  return call(channel, get, { reservation: 0, record, offset: 0, count: WHOLE }, signal);
}

async function readRecord(
  channel: IpmiChannel,
  { get }: SdrSource,
  { reservation, record, piece }: Wanted,
  signal?: AbortSignal,
): Promise<SdrPiece> {
  const head = await call(channel, get, { reservation, record, offset: 0, count: HEADER }, signal);
  if (head.data.length < HEADER) throw malformed(get.name, "a header is cut short");
  const length = HEADER + head.data[4]!;
  const data = new Uint8Array(length);
  data.set(head.data.subarray(0, HEADER));
  for (let at = HEADER; at < length;) {
    const count = Math.min(piece, length - at);
    const part = await call(channel, get, { reservation, record, offset: at, count }, signal);
    const usable = part.data.subarray(0, count);
    if (usable.length === 0) throw malformed(get.name, "a record is shorter than its header says");
    data.set(usable, at);
    at += usable.length;
  }
  return { next: head.next, data };
}
