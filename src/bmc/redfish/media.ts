/** Virtual media: an image that the BMC shows its machine as a drive. */
import { type Clock, sleep } from "#io/clock.ts";
import { Fault } from "#std/fault.ts";
import { isLoaded, mediaOf, readSlot, type Slot, takesCd } from "#wire/redfish/media.ts";
import { readSystem } from "#wire/redfish/system.ts";
import { bmcFault } from "../fault.ts";
import type { ServiceMap } from "./map.ts";
import type { Resources } from "./resources.ts";

/** Attempts at one slot while the service fails, and milliseconds between them. */
const ATTEMPTS = 3;
const PAUSE = 3000;
/** Looks until media shows, a second apart. */
const LOOKS = 5;

/** Statuses that mean: not in this slot. */
const NOT_HERE = new Set([400, 404, 405, 501]);

/** Whether starting from the virtual drive goes by Dell's own way. */
export function slotIsVirtualCd({ quirks }: ServiceMap): boolean {
  return quirks.dellVirtualCd;
}

/**
 * Takes out what is in slots for CDs, puts `image` (a URL) into the first that takes it, and resolves when the service shows it. Faults
 * `bmc.unsupported` (no virtual media, or no slot that can be loaded), `bmc.refused` (no slot takes it), `bmc.not-verified`.
 */
export async function insertMedia(
  resources: Resources,
  map: ServiceMap,
  clock: Clock,
  image: string,
  signal: AbortSignal,
): Promise<void> {
  const slots = usable(await readSlots(resources, map, signal), map);
  if (slots.length === 0) throw bmcFault("unsupported", "this BMC has no virtual drive that an image can be put into");
  // Also what is not ours: a second drive with media would be found first.
  for (const slot of slots) if (isLoaded(slot, map.quirks)) await eject(resources, slot, signal);
  let refusal: unknown;
  for (const slot of slots) {
    try {
      await insert(resources, map, clock, slot, image, signal);
      return await verify(resources, map, clock, slot, signal);
    } catch (error) {
      if (!Fault.is(error) || !NOT_HERE.has(Number(error.facts["status"]))) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

export async function ejectMedia(resources: Resources, map: ServiceMap, signal: AbortSignal): Promise<void> {
  for (const slot of usable(await readSlots(resources, map, signal), map)) {
    if (isLoaded(slot, map.quirks)) await eject(resources, slot, signal);
  }
}

/** Whether the service has any virtual media. */
export async function hasMedia(resources: Resources, map: ServiceMap, signal: AbortSignal): Promise<boolean> {
  return usable(await readSlots(resources, map, signal), map).length > 0;
}

/** The collection is under the system since 2020, and under a controller before; one that fails is passed over. */
async function readSlots(resources: Resources, map: ServiceMap, signal: AbortSignal): Promise<Slot[]> {
  const { media } = readSystem((await resources.get(map.system, signal)).document);
  const places = [media, ...map.controllers.map(({ controller }) => controller.media)].filter((path) => path !== undefined);
  let failure: Error | undefined;
  for (const place of places) {
    try {
      const all = (await resources.readAll(place, signal)).map(({ path, document }) => readSlot(document, path));
      if (all.length > 0) return all;
    } catch (error) {
      signal.throwIfAborted();
      if (!Fault.is(error) || error.code === "bmc.unreachable" || error.code === "bmc.denied") throw error;
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
  return [];
}

function usable(slots: readonly Slot[], { quirks }: ServiceMap): Slot[] {
  return slots.filter(
    (slot) =>
      takesCd(slot) &&
      (quirks.mediaSlot === undefined || slot.id === quirks.mediaSlot) &&
      // RDOC and Remote slots of Lenovo are loaded by their own clients.
      (slot.insert !== undefined || (quirks.mediaByPatch && /^EXT\d/.test(slot.id))),
  );
}

async function insert(
  resources: Resources,
  map: ServiceMap,
  clock: Clock,
  slot: Slot,
  image: string,
  signal: AbortSignal,
): Promise<void> {
  const body = mediaOf(image, map.quirks);
  for (let attempt = 1; ; attempt++) {
    try {
      if (slot.insert !== undefined) await resources.post(slot.insert, body, signal);
      else await resources.patch(slot.path, body, signal, await resources.get(slot.path, signal));
      return;
    } catch (error) {
      if (!Fault.is(error) || Number(error.facts["status"]) < 500 || attempt === ATTEMPTS) throw error;
      await sleep(clock, PAUSE, signal);
    }
  }
}

async function eject(resources: Resources, slot: Slot, signal: AbortSignal): Promise<void> {
  try {
    if (slot.eject !== undefined) await resources.post(slot.eject, {}, signal);
    else await resources.patch(slot.path, { Image: null, Inserted: false }, signal, await resources.get(slot.path, signal));
  } catch (error) {
    // Taken out in the meantime; what is still in shows when the next image does not go in.
    if (!Fault.is(error, "bmc.refused")) throw error;
  }
}

async function verify(resources: Resources, map: ServiceMap, clock: Clock, slot: Slot, signal: AbortSignal): Promise<void> {
  for (let look = 1; ; look++) {
    const now = readSlot((await resources.get(slot.path, signal)).document, slot.path);
    if (isLoaded(now, map.quirks)) return;
    if (look === LOOKS) throw bmcFault("not-verified", `the BMC took the image, and shows virtual drive ${slot.id} as empty`);
    await sleep(clock, 1000, signal);
  }
}
