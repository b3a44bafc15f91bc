/** What sensors say (IPMI 2.0 §35). */
import { command } from "../command.ts";
import { NET_FN, SENSOR } from "../constants.ts";

export interface SensorReading {
  /** As it came; `conversion.ts` makes a number of it. */
  readonly raw: number;
  /** False: `raw` means nothing. */
  readonly isAvailable: boolean;
  /** Threshold sensors: bit 0 to 5: at or below lower non-critical, critical, non-recoverable; at or above upper ones. Others: the states that hold. */
  readonly states: number;
}

/** §35.14 */
export const getSensorReading = command<number, SensorReading>({
  name: "Get Sensor Reading",
  netFn: NET_FN.sensor,
  command: SENSOR.getSensorReading,
  ask: (sensor) => [sensor],
  read: (reader) => {
    const [raw, flags] = [reader.byte(), reader.byte()];
    const low = reader.left > 0 ? reader.byte() : 0;
    const high = reader.left > 0 ? reader.byte() & 0x7f : 0;
    // Unavailable, or not scanned.
    return { raw, isAvailable: (flags & 0x20) === 0 && (flags & 0x40) !== 0, states: low | (high << 8) };
  },
});

export const THRESHOLD_NAMES = [
  "lowerNonCritical",
  "lowerCritical",
  "lowerNonRecoverable",
  "upperNonCritical",
  "upperCritical",
  "upperNonRecoverable",
] as const;

/** As they came; those that cannot be read are missing. */
export type RawThresholds = Readonly<Partial<Record<(typeof THRESHOLD_NAMES)[number], number>>>;

/** §35.9 */
export const getSensorThresholds = command<number, RawThresholds>({
  name: "Get Sensor Thresholds",
  netFn: NET_FN.sensor,
  command: SENSOR.getSensorThresholds,
  ask: (sensor) => [sensor],
  read: (reader) => {
    const readable = reader.byte();
    const values = reader.bytes(6);
    return Object.fromEntries(
      THRESHOLD_NAMES.map((name, i) => [name, values[i]!] as const).filter((_, i) => readable & (1 << i)),
    );
  },
});
