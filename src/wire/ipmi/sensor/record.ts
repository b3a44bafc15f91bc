/** Sensor data records (IPMI 2.0 §43): what sensors there are, what they are called and how to read them. */
import { malformed } from "../reader.ts";
import { decodeText } from "../storage/text.ts";
import type { Factors } from "./conversion.ts";
import { unitOf } from "./unit.ts";

/** §43, byte 4. */
export const RECORD = { full: 0x01, compact: 0x02, eventOnly: 0x03, fruDevice: 0x11, controller: 0x12 } as const;

export interface SensorRecord {
  readonly kind: "full" | "compact";
  /** Who has it: the BMC is 0x20. */
  readonly owner: number;
  readonly lun: number;
  readonly number: number;
  readonly entity: number;
  readonly entityInstance: number;
  /** §42.2: 1 temperature, 2 voltage, 3 current, 4 fan… */
  readonly type: number;
  /** §42.1: 1 threshold; others are states. */
  readonly eventType: number;
  readonly name: string;
  /** Undefined: no unit, or a discrete sensor. */
  readonly unit: string | undefined;
  /** Undefined for compact records, which have no numbers. */
  readonly factors: Factors | undefined;
}

export interface FruRecord {
  readonly kind: "fru";
  readonly device: number;
  readonly name: string;
}

export type SdrRecord = SensorRecord | FruRecord | { readonly kind: "other"; readonly type: number };

const FORMATS = ["unsigned", "ones-complement", "twos-complement", "none"] as const;
/** Bytes in front of the name's byte of type and length. */
const NAME_AT = { full: 47, compact: 31, fru: 15 } as const;

/** §43.1 (full), §43.2 (compact), §43.8 (FRU device locator). Throws Fault `ipmi.malformed`. */
export function decodeRecord(record: Uint8Array): SdrRecord {
  const type = record[3];
  if (type === undefined) throw malformed("sensor data record", "there is no header");
  if (type === RECORD.full) return sensorOf(record, "full");
  if (type === RECORD.compact) return sensorOf(record, "compact");
  if (type !== RECORD.fruDevice) return { kind: "other", type };
  return { kind: "fru", device: record[6] ?? 0, name: nameOf(record, NAME_AT.fru) };
}

function sensorOf(record: Uint8Array, kind: SensorRecord["kind"]): SensorRecord {
  const name = nameOf(record, NAME_AT[kind]);
  const at = (index: number): number => record[index]!;
  return {
    kind,
    owner: at(5),
    lun: at(6) & 0x03,
    number: at(7),
    entity: at(8),
    entityInstance: at(9) & 0x7f,
    type: at(12),
    eventType: at(13) & 0x7f,
    name,
    unit: unitOf(at(20), at(21), at(22)),
    factors: kind === "full" ? factorsOf(at) : undefined,
  };
}

/** Ten bits of two bytes: eight, and the two top ones of the next. */
function factorsOf(at: (index: number) => number): Factors {
  return {
    m: signed(at(24) | ((at(25) & 0xc0) << 2), 10),
    b: signed(at(26) | ((at(27) & 0xc0) << 2), 10),
    rExponent: signed(at(29) >> 4, 4),
    bExponent: signed(at(29) & 0x0f, 4),
    linearization: at(23) & 0x7f,
    format: FORMATS[at(20) >> 6]!,
  };
}

function signed(value: number, bits: number): number {
  return value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
}

/** Throws when the record ends before it; a name that is cut short is what is there of it. */
function nameOf(record: Uint8Array, at: number): string {
  const head = record[at];
  if (head === undefined) throw malformed("sensor data record", `${record.length} bytes are too few`);
  return decodeText(head, record.subarray(at + 1, at + 1 + (head & 0x1f)));
}
