/** The sensors of a simulated machine as records (IPMI 2.0 §43), and its FRU inventory. */
import { concat } from "#std/bytes.ts";

export interface SimulatedSensor {
  readonly number: number;
  readonly name: string;
  /** §42.2 */
  readonly type: number;
  /** What it usually gives: a raw reading, or states. */
  readonly usual: number;
  /** Numbers, with factors; absent: a discrete sensor with its own states. */
  readonly analog?: {
    /** §43.17 */
    readonly unit: number;
    readonly m: number;
    readonly rExponent?: number;
    /** Raw. */
    readonly upperNonCritical: number;
    readonly upperCritical: number;
    readonly lowerCritical: number;
  };
  readonly entity: number;
}

export interface HardwareModel {
  /** IANA enterprise number of the maker, and the maker's number of the product. */
  readonly manufacturer: number;
  readonly product: number;
  /** `[2, 0x61]` is 2.61. */
  readonly firmware: readonly [major: number, minorInDecimal: number];
  readonly sensors: readonly SimulatedSensor[];
  /** Made once for all machines of the model; numbered from 1. */
  readonly records: readonly Uint8Array[];
}

const FULL = { type: 0x01, length: 48 } as const;
const COMPACT = { type: 0x02, length: 32 } as const;
/** Readable thresholds: lower critical, upper non-critical and critical. */
const READABLE = 0x1a;

const SENSORS: readonly SimulatedSensor[] = [
  {
    number: 0x01,
    name: "CPU1 Temp",
    type: 0x01,
    usual: 42,
    analog: { unit: 1, m: 1, upperNonCritical: 85, upperCritical: 95, lowerCritical: 2 },
    entity: 3,
  },
  {
    number: 0x02,
    name: "Inlet Temp",
    type: 0x01,
    usual: 23,
    analog: { unit: 1, m: 1, upperNonCritical: 38, upperCritical: 45, lowerCritical: 2 },
    entity: 55,
  },
  {
    number: 0x03,
    name: "FAN1",
    type: 0x04,
    usual: 60,
    analog: { unit: 18, m: 100, upperNonCritical: 250, upperCritical: 253, lowerCritical: 5 },
    entity: 29,
  },
  {
    number: 0x04,
    name: "12V",
    type: 0x02,
    usual: 194,
    analog: { unit: 4, m: 62, rExponent: -3, upperNonCritical: 210, upperCritical: 215, lowerCritical: 165 },
    entity: 7,
  },
  { number: 0x05, name: "PSU1 Status", type: 0x08, usual: 0x0001, entity: 10 },
];

export const COMMON_MODEL: HardwareModel = makeModel({
  manufacturer: 343,
  product: 0x0b2e,
  firmware: [2, 0x61],
  sensors: SENSORS,
});

export function makeModel(model: Omit<HardwareModel, "records">): HardwareModel {
  return { ...model, records: [...model.sensors.map(sensorRecord), fruRecord(model.sensors.length + 1)] };
}

function sensorRecord(sensor: SimulatedSensor, index: number): Uint8Array {
  const { analog, name, number, type, entity } = sensor;
  const { type: recordType, length } = analog === undefined ? COMPACT : FULL;
  const bytes = new Uint8Array(length + name.length);
  bytes.set([index + 1, 0, 0x51, recordType, bytes.length - 5, 0x20, 0, number, entity, 1, 0x7f, 0x68, type]);
  bytes[13] = analog === undefined ? 0x6f : 0x01;
  if (analog !== undefined) {
    const { unit, m, rExponent = 0, upperNonCritical, upperCritical, lowerCritical } = analog;
    bytes.set([0, READABLE], 18);
    bytes.set([0, unit, 0, 0, m & 0xff, (m >> 2) & 0xc0], 20);
    bytes[29] = (rExponent & 0x0f) << 4;
    bytes.set([0x01, sensor.usual, 0xff, 0, 0xff, 0, 0xff, upperCritical, upperNonCritical, 0, lowerCritical, 0], 30);
  }
  bytes[length - 1] = 0xc0 | name.length;
  bytes.set(ascii(name), length);
  return bytes;
}

/** §43.8: FRU device 0 is the machine's. */
function fruRecord(number: number): Uint8Array {
  const name = ascii("Chassis FRU");
  return concat([
    Uint8Array.of(number, 0, 0x51, 0x11, 11 + name.length, 0x20, 0, 0x80, 0, 0, 0x10, 0, 0x17, 1, 0, 0xc0 | name.length),
    name,
  ]);
}

/** Chassis, board and product area (Platform Management FRU Information Storage Definition 1.0). */
export function fruOf({ manufacturer, name, serial }: { manufacturer: string; name: string; serial: string }): Uint8Array {
  const chassis = area([0x17], ["", `C-${serial}`]);
  const board = area([0, 0x40, 0x0d, 0xd0], [manufacturer, `${name} board`, `B-${serial}`, "PN-1", ""]);
  const product = area([0], [manufacturer, name, "PN-2", "1.0", serial, "", ""]);
  const offsets = [chassis, board].reduce<number[]>((found, { length }) => [...found, found.at(-1)! + length / 8], [1]);
  return concat([summed(Uint8Array.of(1, 0, ...offsets, 0, 0, 0)), chassis, board, product]);
}

function area(head: readonly number[], texts: readonly string[]): Uint8Array {
  const fields = texts.flatMap((text) => [0xc0 | text.length, ...ascii(text)]);
  const length = Math.ceil((2 + head.length + fields.length + 2) / 8) * 8;
  const bytes = new Uint8Array(length);
  bytes.set([1, length / 8, ...head, ...fields, 0xc1]);
  return summed(bytes);
}

/** With a last byte that makes the sum 0. */
function summed(bytes: Uint8Array): Uint8Array {
  bytes[bytes.length - 1] = -bytes.subarray(0, -1).reduce((sum, byte) => sum + byte, 0) & 0xff;
  return bytes;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
