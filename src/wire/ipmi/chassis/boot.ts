/** What the machine starts from next (IPMI 2.0 §28.12, §28.13). */
import { command, done } from "../command.ts";
import { CHASSIS, NET_FN } from "../constants.ts";
import { Reader } from "../reader.ts";

/** §28.13, table 28-14 */
export const BOOT_PARAMETER = { setInProgress: 0, validClearing: 3, acknowledge: 4, flags: 5 } as const;
export const SET_IN_PROGRESS = { complete: 0, inProgress: 1, commit: 2 } as const;

/** Selectors of a boot device, bits 5 to 2 of the flags' second byte. */
export const BOOT_SELECTOR = {
  none: 0,
  pxe: 1,
  disk: 2,
  cd: 5,
  setup: 6,
  /** By the specification "remote"; Supermicro's UEFI takes it, and not 2, for the disk (as the whole byte: 0x24). */
  remoteDisk: 9,
} as const;

export interface BootFlags {
  /** False: the machine's firmware passes them over. */
  readonly isValid: boolean;
  /** False: for the next start only. */
  readonly persistent: boolean;
  readonly efi: boolean;
  /** As in BOOT_SELECTOR. */
  readonly device: number;
}

const COMPLETIONS = {
  0x80: ["unsupported", "it does not know the boot parameter"],
  0x81: ["busy", "somebody else is setting boot parameters"],
  0x82: ["refused", "the boot parameter can only be read"],
} as const;

/** §28.12 */
export const setBootOption = command<{ readonly parameter: number; readonly data: Iterable<number> }, void>({
  name: "Set System Boot Options",
  netFn: NET_FN.chassis,
  command: CHASSIS.setSystemBootOptions,
  ask: ({ parameter, data }) => [parameter, ...data],
  read: done,
  completions: COMPLETIONS,
});

export interface BootOption {
  readonly parameter: number;
  readonly isValid: boolean;
  readonly data: Uint8Array;
}

/** §28.13 */
export const getBootOption = command<number, BootOption>({
  name: "Get System Boot Options",
  netFn: NET_FN.chassis,
  command: CHASSIS.getSystemBootOptions,
  ask: (parameter) => [parameter, 0, 0],
  read: (reader) => {
    reader.skip(1);
    const selector = reader.byte();
    return { parameter: selector & 0x7f, isValid: (selector & 0x80) === 0, data: reader.rest() };
  },
  completions: COMPLETIONS,
});

/** Parameter 5. */
export function encodeBootFlags({ isValid, persistent, efi, device }: BootFlags): number[] {
  return [(isValid ? 0x80 : 0) | (persistent ? 0x40 : 0) | (efi ? 0x20 : 0), device << 2, 0, 0, 0];
}

/** Throws Fault `ipmi.malformed`. */
export function decodeBootFlags(data: Uint8Array): BootFlags {
  const reader = new Reader(data, "boot flags");
  const [flags, device] = [reader.byte(), reader.byte()];
  return {
    isValid: (flags & 0x80) !== 0,
    persistent: (flags & 0x40) !== 0,
    efi: (flags & 0x20) !== 0,
    device: (device >> 2) & 0x0f,
  };
}

/** Bits of parameter 3: what does *not* make the flags invalid. */
export const KEEP_VALID = { powerButton: 0x01, resetButton: 0x02, watchdog: 0x04, minute: 0x08, platformEvent: 0x10 } as const;
/** Parameter 4, mask and bits: the firmware has not yet acted on the flags (§28.13). */
export const NOT_ACKNOWLEDGED = [0x01, 0x01] as const;
