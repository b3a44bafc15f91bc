/** What the machine starts from next, over IPMI, verified by reading back (IPMI 2.0 §28.12, §28.13). */
import type { BootDevice, BootOnce } from "#decide/power.ts";
import { Fault } from "#std/fault.ts";
import {
  BOOT_PARAMETER,
  BOOT_SELECTOR,
  decodeBootFlags,
  encodeBootFlags,
  getBootOption,
  KEEP_VALID,
  NOT_ACKNOWLEDGED,
  SET_IN_PROGRESS,
  setBootOption,
} from "#wire/ipmi/chassis/boot.ts";
import type { BootFlags } from "#wire/ipmi/chassis/boot.ts";
import { call } from "#wire/ipmi/command.ts";
import type { IpmiChannel } from "#wire/ipmi/packet.ts";

export const SELECTORS: Readonly<Partial<Record<BootDevice, number>>> = {
  pxe: BOOT_SELECTOR.pxe,
  disk: BOOT_SELECTOR.disk,
  cd: BOOT_SELECTOR.cd,
};
/** Enterprise numbers of Supermicro, whose UEFI starts from disk by another selector. */
const SUPERMICRO: readonly number[] = [10876, 47488];

/**
 * How a BMC tells what it was told. `whole`: as the specification has it. `device-only`: it keeps the device and says that its flags are not
 * valid. `never`: it cannot be asked. With the last two, only the machine's start shows whether it took it.
 */
export type ReadBack = "whole" | "device-only" | "never";

/** Resolves when reading back shows it, with how. Rejects with Fault `bmc.unsupported` or `bmc.not-verified`. */
export async function setBootOnce(
  channel: IpmiChannel,
  { device, firmware }: BootOnce,
  manufacturer: number,
  signal: AbortSignal,
): Promise<ReadBack> {
  const selector = SELECTORS[device];
  if (selector === undefined) {
    throw new Fault("bmc.unsupported", `IPMI knows no boot device "${device}"`, { fault: "peer", retry: "never" });
  }
  const efi = firmware === "uefi";
  const isOther = device === "disk" && efi && SUPERMICRO.includes(manufacturer);
  const wanted: BootFlags = { isValid: true, persistent: false, efi, device: isOther ? BOOT_SELECTOR.remoteDisk : selector };
  await write(channel, wanted, signal);
  return verify(wanted, await read(channel, signal));
}

async function write(channel: IpmiChannel, flags: BootFlags, signal: AbortSignal): Promise<void> {
  const set = (parameter: number, ...data: number[]): Promise<void> => call(channel, setBootOption, { parameter, data }, signal);
  const trySet = (parameter: number, ...data: number[]): Promise<boolean> => succeeds(set(parameter, ...data));
  const { setInProgress, validClearing, acknowledge } = BOOT_PARAMETER;
  // Somebody began and never ended; nobody else can be at it for long.
  if (!(await trySet(setInProgress, SET_IN_PROGRESS.inProgress))) {
    await trySet(setInProgress, SET_IN_PROGRESS.complete);
    await trySet(setInProgress, SET_IN_PROGRESS.inProgress);
  }
  try {
    // Else the flags are gone when the machine's power does not change within a minute.
    await trySet(validClearing, KEEP_VALID.minute);
    await trySet(acknowledge, ...NOT_ACKNOWLEDGED);
    await set(BOOT_PARAMETER.flags, ...encodeBootFlags(flags));
  } finally {
    // Not every BMC knows "commit", and some not even that setting has a beginning.
    await trySet(setInProgress, SET_IN_PROGRESS.commit);
    await trySet(setInProgress, SET_IN_PROGRESS.complete);
  }
}

/** False when the BMC says no; all else is thrown on. */
async function succeeds(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return false;
  }
}

function isRefusal(error: unknown): boolean {
  return Fault.is(error) && error.facts["completion"] !== undefined;
}

/** Undefined when the BMC cannot be asked. */
async function read(channel: IpmiChannel, signal: AbortSignal): Promise<BootFlags | undefined> {
  try {
    const option = await call(channel, getBootOption, BOOT_PARAMETER.flags, signal);
    const flags = decodeBootFlags(option.data);
    return { ...flags, isValid: flags.isValid && option.isValid };
  } catch (error) {
    if (Fault.is(error, "ipmi.unsupported") || Fault.is(error, "ipmi.denied")) return undefined;
    throw error;
  }
}

function verify(wanted: BootFlags, found: BootFlags | undefined): ReadBack {
  if (found === undefined) return "never";
  if (found.device === wanted.device) {
    if (!found.isValid) return "device-only";
    if (!found.persistent && found.efi === wanted.efi) return "whole";
  }
  const message = `the BMC was told ${describe(wanted)}, and reads back ${describe(found)}`;
  throw new Fault("bmc.not-verified", message, { fault: "peer", retry: "soon", facts: { wanted, found } });
}

function describe({ isValid, persistent, efi, device }: BootFlags): string {
  if (!isValid && device === BOOT_SELECTOR.none) return "nothing to boot from";
  return `boot device ${device}, ${efi ? "UEFI" : "BIOS"}, ${persistent ? "for good" : "once"}${isValid ? "" : ", not valid"}`;
}
