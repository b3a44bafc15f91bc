/** The system event log (IPMI 2.0 §31, §32). */
import { call, command, nothing } from "../command.ts";
import { NET_FN, STORAGE } from "../constants.ts";
import type { IpmiChannel } from "../packet.ts";
import { Reader, malformed } from "../reader.ts";

export interface SelInfo {
  readonly entries: number;
  /** In bytes. */
  readonly free: number;
  /** Seconds since 1970 by the BMC's clock. */
  readonly added: number;
  readonly erased: number;
  /** Some were lost. */
  readonly overflowed: boolean;
}

/** §31.2 */
export const getSelInfo = command<void, SelInfo>({
  name: "Get SEL Info",
  netFn: NET_FN.storage,
  command: STORAGE.getSelInfo,
  ask: nothing,
  read: (reader) => {
    reader.skip(1);
    return {
      entries: reader.uint(2),
      free: reader.uint(2),
      added: reader.uint(4),
      erased: reader.uint(4),
      overflowed: (reader.byte() & 0x80) !== 0,
    };
  },
  completions: { 0x81: ["busy", "the log is being erased"] },
});

/** §31.5: a whole record, for which no reservation is needed. */
export const getSelEntry = command<number, { readonly next: number; readonly data: Uint8Array }>({
  name: "Get SEL Entry",
  netFn: NET_FN.storage,
  command: STORAGE.getSelEntry,
  ask: (record) => [0, 0, record & 0xff, record >> 8, 0, 0xff],
  read: (reader) => ({ next: reader.uint(2), data: reader.bytes(16) }),
  completions: { 0x81: ["busy", "the log is being erased"] },
});

export interface SelEntry {
  readonly record: number;
  /** Seconds since 1970 by the BMC's clock; undefined: not said, or counted from its start. */
  readonly at: number | undefined;
  readonly sensorType: number;
  readonly sensor: number;
  /** §42.1: 1 is a threshold, others are states. */
  readonly eventType: number;
  /** The event begins, or ends. */
  readonly asserted: boolean;
  readonly data: Uint8Array;
}

/** Below that, seconds since the BMC started (§37.1). */
const SINCE_START = 0x20000000;
const SYSTEM_EVENT = 0x02;

/** §32.1; undefined for a record that is the maker's own. Throws Fault `ipmi.malformed`. */
export function decodeSelEntry(bytes: Uint8Array): SelEntry | undefined {
  const reader = new Reader(bytes, "SEL entry");
  const record = reader.uint(2);
  if (reader.byte() !== SYSTEM_EVENT) return undefined;
  const at = reader.uint(4);
  reader.skip(3);
  const [sensorType, sensor, type] = [reader.byte(), reader.byte(), reader.byte()];
  return {
    record,
    at: at < SINCE_START || at === 0xffffffff ? undefined : at,
    sensorType,
    sensor,
    eventType: type & 0x7f,
    asserted: (type & 0x80) === 0,
    data: reader.bytes(3),
  };
}

const FIRST = 0x0000;
const LAST = 0xffff;

/** The oldest entries, at most `limit`. Rejects as {@link call} does. */
export async function readSel(channel: IpmiChannel, limit: number, signal?: AbortSignal): Promise<SelEntry[]> {
  const { entries } = await call(channel, getSelInfo, undefined, signal);
  const found: SelEntry[] = [];
  const seen = new Set<number>();
  for (let record = FIRST; entries > 0 && record !== LAST && seen.size < limit;) {
    if (seen.has(record)) throw malformed(getSelEntry.name, `record ${record} comes twice`);
    seen.add(record);
    const { next, data } = await call(channel, getSelEntry, record, signal);
    const entry = decodeSelEntry(data);
    if (entry !== undefined) found.push(entry);
    record = next;
  }
  return found;
}
