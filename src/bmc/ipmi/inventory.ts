/** What a BMC says of itself and its machine, over IPMI. */
import type { BmcInventory } from "#decide/power.ts";
import { Fault } from "#std/fault.ts";
import type { DeviceId } from "#wire/ipmi/app/device.ts";
import { getDeviceGuid, getSystemGuid } from "#wire/ipmi/app/device.ts";
import { readGuid } from "#wire/ipmi/app/guid.ts";
import { call } from "#wire/ipmi/command.ts";
import type { IpmiChannel } from "#wire/ipmi/packet.ts";
import { MAIN_FRU, readFru } from "#wire/ipmi/storage/fru.ts";
import { decodeFru } from "#wire/ipmi/storage/fru-area.ts";

/** `known`: the machine's UUID, when it is known otherwise. What the BMC does not tell is missing. */
export async function readInventory(
  channel: IpmiChannel,
  device: DeviceId,
  known: string | undefined,
  signal: AbortSignal,
): Promise<BmcInventory> {
  const fru = await optional(readFru(channel, MAIN_FRU, signal).then(decodeFru));
  const guid =
    (await optional(call(channel, getSystemGuid, undefined, signal))) ??
    (await optional(call(channel, getDeviceGuid, undefined, signal)));
  const { product, board, chassis } = fru ?? {};
  return present({
    manufacturer: product?.manufacturer || board?.manufacturer,
    model: product?.name || board?.product,
    serial: product?.serial || chassis?.serial || board?.serial,
    uuid: guid && readGuid(guid, known),
    firmwareVersion: device.firmwareVersion,
  });
}

/** Undefined when the BMC says no, or answers nonsense. */
export async function optional<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (Fault.is(error) && (error.facts["completion"] !== undefined || error.code === "ipmi.malformed")) return undefined;
    throw error;
  }
}

/** Without what is undefined or "". */
function present(fields: Readonly<Record<string, string | undefined>>): BmcInventory {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== ""));
}
