/** Where the machine starts from next (boot source override). */
import { type Clock, sleep } from "#io/clock.ts";
import { Fault } from "#std/fault.ts";
import type { BootOnce } from "#decide/power.ts";
import { isInEffect, type Override, overrideOf, patchOf, readBoot, type BootSettings } from "#wire/redfish/boot.ts";
import { type Document, section } from "#wire/redfish/document.ts";
import { readSystem } from "#wire/redfish/system.ts";
import { bmcFault } from "../fault.ts";
import type { ServiceMap } from "./map.ts";
import { insertMedia, slotIsVirtualCd } from "./media.ts";
import type { Read, Resources } from "./resources.ts";

/** Looks until a setting must show, and milliseconds between them. */
const LOOKS = 5;
const PAUSE = 1000;

interface Settings {
  /** Where it is read and written. */
  readonly path: string;
  readonly read: Read;
  readonly boot: BootSettings;
  /** Where the mode alone is written: it is another one from the next start on. */
  readonly modePath?: string;
}

/** Resolves when reading back shows it. Loads `boot.url` into the virtual drive first, where that is what to start from. */
export async function bootOnce(
  resources: Resources,
  map: ServiceMap,
  clock: Clock,
  boot: BootOnce,
  signal: AbortSignal,
): Promise<void> {
  if (boot.device === "cd" && boot.url !== undefined) await insertMedia(resources, map, clock, boot.url, signal);
  if (boot.device === "cd" && slotIsVirtualCd(map)) return startDellVirtualCd(resources, map, signal);
  let settings = await readSettings(resources, map, signal);
  let override = overrideOf(boot, settings.boot, map.quirks);
  if (override === undefined) {
    const { targets } = settings.boot;
    const known = targets.length === 0 ? "" : `: it knows ${targets.join(", ")}`;
    throw bmcFault("unsupported", `this machine cannot be started from ${boot.device} by ${boot.firmware}${known}`);
  }
  if (settings.modePath !== undefined && override.BootSourceOverrideMode !== undefined) {
    const { BootSourceOverrideMode: mode, ...others } = override;
    override = others;
    if (mode !== settings.boot.mode) await writeMode(resources, settings.modePath, mode, signal);
  }
  for (const again of [false, true]) {
    const patch = patchOf(override, settings.boot, map.quirks, again);
    if (patch !== undefined) settings = await write(resources, map, settings, patch, override, signal);
    settings = await awaitEffect(resources, map, clock, settings.path, override, signal);
    if (isInEffect(override, settings.boot, map.quirks)) return;
  }
  throw bmcFault("not-verified", `the BMC took ${told(override)}, and shows ${shown(settings.boot)}`);
}

/** The system's settings, or those it will have: where the vendor keeps these apart. */
async function readSettings(resources: Resources, map: ServiceMap, signal: AbortSignal): Promise<Settings> {
  const { futureState } = map.quirks;
  const read = await resources.get(map.system, signal);
  const { settings, boot } = readSystem(read.document);
  const path = settings ?? (futureState === undefined ? undefined : `${map.system}/${futureState}`);
  if (path === undefined) return { path: map.system, read, boot };
  const future = await readAt(resources, path, signal).catch((error: unknown) => {
    if (futureState === undefined && Fault.is(error, "bmc.refused")) return undefined;
    throw error;
  });
  // Dell and Lenovo keep the boot order there, and Dell the mode, and take the override in the system itself.
  if (future === undefined || (futureState === undefined && future.boot.target === undefined)) {
    const isModeThere = future !== undefined && "BootSourceOverrideMode" in section(future.read.document, "Boot");
    return { path: map.system, read, boot, ...(isModeThere ? { modePath: path } : {}) };
  }
  // What it allows may be said in one place only.
  const { targets, modes } = future.boot;
  return {
    ...future,
    boot: {
      ...future.boot,
      targets: targets.length > 0 ? targets : boot.targets,
      modes: modes.length > 0 ? modes : boot.modes,
      ...(future.boot.mode === undefined && boot.mode !== undefined ? { mode: boot.mode } : {}),
    },
  };
}

async function readAt(resources: Resources, path: string, signal: AbortSignal): Promise<Settings> {
  const read = await resources.get(path, signal);
  return { path, read, boot: readBoot(section(read.document, "Boot")) };
}

/** Writes where it is to be written; a service that wants it in its future state, and had not said so, says so now, and wants all of it. */
async function write(
  resources: Resources,
  map: ServiceMap,
  settings: Settings,
  patch: Document,
  override: Override,
  signal: AbortSignal,
): Promise<Settings> {
  try {
    await resources.patch(settings.path, { Boot: patch }, signal, settings.read);
    return settings;
  } catch (error) {
    if (!Fault.is(error) || error.facts["isForFutureState"] !== true || settings.path !== map.system) throw error;
    const future = await readAt(resources, `${map.system}/SD`, signal);
    const everything = patchOf(override, settings.boot, map.quirks, true) ?? patch;
    await resources.patch(future.path, { Boot: everything }, signal, future.read);
    return future;
  }
}

async function writeMode(resources: Resources, path: string, mode: string, signal: AbortSignal): Promise<void> {
  const read = await resources.get(path, signal);
  await resources.patch(path, { Boot: { BootSourceOverrideMode: mode } }, signal, read);
  const { boot } = await readAt(resources, path, signal);
  if (boot.mode !== mode) throw bmcFault("not-verified", `the BMC took the boot mode ${mode}, and shows ${boot.mode ?? "none"}`);
}

async function awaitEffect(
  resources: Resources,
  map: ServiceMap,
  clock: Clock,
  path: string,
  override: Override,
  signal: AbortSignal,
): Promise<Settings> {
  for (let look = 1; ; look++) {
    const settings = await readAt(resources, path, signal);
    if (look === LOOKS || isInEffect(override, settings.boot, map.quirks)) return settings;
    await sleep(clock, PAUSE, signal);
  }
}

/** Dell: a configuration profile that names the virtual drive for one start. */
async function startDellVirtualCd(resources: Resources, map: ServiceMap, signal: AbortSignal): Promise<void> {
  const target = map.controllers.map(({ controller }) => controller.dellImport).find((path) => path !== undefined);
  if (target === undefined)
    throw bmcFault("unsupported", "this iDRAC has no ImportSystemConfiguration to start a virtual CD with");
  const attribute = (name: string, value: string): string => `<Attribute Name="ServerBoot.1#${name}">${value}</Attribute>`;
  const settings = attribute("BootOnce", "Enabled") + attribute("FirstBootDevice", "VCD-DVD");
  const profile = `<SystemConfiguration><Component FQDD="iDRAC.Embedded.1">${settings}</Component></SystemConfiguration>`;
  await resources.post(target, { ShareParameters: { Target: "ALL" }, ImportBuffer: profile }, signal);
}

function told({
  BootSourceOverrideTarget: target,
  BootSourceOverrideEnabled: enabled,
  BootSourceOverrideMode: mode,
}: Override): string {
  return [target, enabled, mode].filter(Boolean).join("/");
}

function shown({ target, enabled, mode }: BootSettings): string {
  return [target ?? "no target", enabled, mode].filter(Boolean).join("/");
}
