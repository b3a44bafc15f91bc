/** The BMC itself (IPMI 2.0 §20). */
import { command, done, nothing } from "../command.ts";
import { APP, NET_FN } from "../constants.ts";

export interface DeviceId {
  readonly id: number;
  readonly revision: number;
  readonly hasDeviceSdrs: boolean;
  /** False while it starts or its firmware is being updated. */
  readonly isAvailable: boolean;
  /** `2.61` */
  readonly firmwareVersion: string;
  /** `2.0` */
  readonly ipmiVersion: string;
  /** What it also is. */
  readonly supports: {
    readonly chassis: boolean;
    readonly fruInventory: boolean;
    readonly sel: boolean;
    readonly sdrRepository: boolean;
    readonly sensors: boolean;
  };
  /** IANA enterprise number. */
  readonly manufacturer: number;
  readonly product: number;
}

/** §20.1 */
export const getDeviceId = command<void, DeviceId>({
  name: "Get Device ID",
  netFn: NET_FN.app,
  command: APP.getDeviceId,
  ask: nothing,
  read: (reader) => {
    const id = reader.byte();
    const revision = reader.byte();
    const major = reader.byte();
    const minor = reader.byte();
    const version = reader.byte();
    const support = reader.byte();
    return {
      id,
      revision: revision & 0x0f,
      hasDeviceSdrs: (revision & 0x80) !== 0,
      isAvailable: (major & 0x80) === 0,
      // The minor number is packed decimal.
      firmwareVersion: `${major & 0x7f}.${minor.toString(16).padStart(2, "0")}`,
      ipmiVersion: `${version & 0x0f}.${version >> 4}`,
      supports: {
        chassis: (support & 0x80) !== 0,
        fruInventory: (support & 0x08) !== 0,
        sel: (support & 0x04) !== 0,
        sdrRepository: (support & 0x02) !== 0,
        sensors: (support & 0x01) !== 0,
      },
      manufacturer: reader.uint(3) & 0xfffff,
      product: reader.uint(2),
    };
  },
});

/** §20.2. Ends every session. */
export const coldReset = command<void, void>({
  name: "Cold Reset",
  netFn: NET_FN.app,
  command: APP.coldReset,
  ask: nothing,
  read: done,
});

/** §20.8; sixteen bytes as they came, whose order BMCs do not agree about. */
export const getDeviceGuid = command<void, Uint8Array>({
  name: "Get Device GUID",
  netFn: NET_FN.app,
  command: APP.getDeviceGuid,
  ask: nothing,
  read: (reader) => reader.bytes(16),
});

/** §22.14: the machine's, which should be the UUID of its SMBIOS; sixteen bytes as they came. */
export const getSystemGuid = command<void, Uint8Array>({
  name: "Get System GUID",
  netFn: NET_FN.app,
  command: APP.getSystemGuid,
  ask: nothing,
  read: (reader) => reader.bytes(16),
});
