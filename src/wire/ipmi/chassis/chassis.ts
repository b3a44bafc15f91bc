/** The machine's power and its light (IPMI 2.0 §28.1 to §28.5). */
import { command, done, nothing } from "../command.ts";
import { CHASSIS, NET_FN } from "../constants.ts";

export interface ChassisStatus {
  readonly isOn: boolean;
  readonly restorePolicy: "off" | "previous" | "on" | "unknown";
  readonly controlFault: boolean;
  readonly powerFault: boolean;
  readonly overload: boolean;
  readonly coolingFault: boolean;
  readonly driveFault: boolean;
  readonly intrusion: boolean;
  /** Undefined: the BMC does not tell. */
  readonly identify: "off" | "timed" | "on" | undefined;
}

const POLICIES = ["off", "previous", "on", "unknown"] as const;
const IDENTIFY = ["off", "timed", "on", undefined] as const;

/** §28.2 */
export const getChassisStatus = command<void, ChassisStatus>({
  name: "Get Chassis Status",
  netFn: NET_FN.chassis,
  command: CHASSIS.getStatus,
  ask: nothing,
  read: (reader) => {
    const power = reader.byte();
    reader.skip(1);
    const other = reader.byte();
    return {
      isOn: (power & 0x01) !== 0,
      restorePolicy: POLICIES[(power >> 5) & 0x03]!,
      controlFault: (power & 0x10) !== 0,
      powerFault: (power & 0x08) !== 0,
      overload: (power & 0x02) !== 0,
      coolingFault: (other & 0x08) !== 0,
      driveFault: (other & 0x04) !== 0,
      intrusion: (other & 0x01) !== 0,
      identify: (other & 0x40) !== 0 ? IDENTIFY[(other >> 4) & 0x03] : undefined,
    };
  },
});

/** §28.3 */
export const CONTROL = {
  powerDown: 0,
  powerUp: 1,
  powerCycle: 2,
  hardReset: 3,
  diagnosticInterrupt: 4,
  softShutdown: 5,
} as const;

export const chassisControl = command<number, void>({
  name: "Chassis Control",
  netFn: NET_FN.chassis,
  command: CHASSIS.control,
  ask: (control) => [control],
  read: done,
});

/** §28.5: for so many seconds (0 to 255; 0 is off), or until further notice. */
export const chassisIdentify = command<{ readonly seconds: number; readonly forever?: boolean }, void>({
  name: "Chassis Identify",
  netFn: NET_FN.chassis,
  command: CHASSIS.identify,
  // The second byte came with IPMI 2.0; what knows it not is asked without.
  ask: ({ seconds, forever }) => (forever === undefined ? [seconds] : [seconds, forever ? 1 : 0]),
  read: done,
});
