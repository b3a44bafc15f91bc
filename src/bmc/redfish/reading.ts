/** What the service says of its machine: what it is, how it is, what it can do. */
import type { BmcCapabilities, BmcInventory, Health, Sensor } from "#decide/power.ts";
import { Fault } from "#std/fault.ts";
import { devicesOf } from "#wire/redfish/boot.ts";
import { readMac } from "#wire/redfish/controller.ts";
import { link } from "#wire/redfish/document.ts";
import { readPowerSupplies, readSensor, readThermal, worst } from "#wire/redfish/health.ts";
import { actionsOf } from "#wire/redfish/reset.ts";
import { defined } from "#wire/redfish/root.ts";
import { readSecureBoot } from "#wire/redfish/secure-boot.ts";
import { readSystem } from "#wire/redfish/system.ts";
import type { ServiceMap } from "./map.ts";
import { hasMedia } from "./media.ts";
import type { Resources } from "./resources.ts";

/** What is missing is left out; what fails for another reason than that fails. */
async function optional<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    const isMissing = Fault.is(error, "bmc.refused") || Fault.is(error, "bmc.unsupported") || Fault.is(error, "bmc.malformed");
    if (isMissing) return undefined;
    throw error;
  }
}

export async function readCapabilities(resources: Resources, map: ServiceMap, signal: AbortSignal): Promise<BmcCapabilities> {
  const { document } = await resources.get(map.system, signal);
  const system = readSystem(document);
  const secure = system.secureBoot && (await optional(resources.get(system.secureBoot, signal)));
  return defined<BmcCapabilities>({
    protocol: "redfish",
    actions: map.reset === undefined ? [] : actionsOf(map.reset.allowed),
    bootDevices: devicesOf(system.boot, map.quirks),
    identify: system.light !== undefined,
    sensors: map.chassis.length > 0,
    // Consoles are behind other protocols of the controller, such as SSH.
    console: false,
    virtualMedia: (await optional(hasMedia(resources, map, signal))) ?? false,
    secureBoot: secure ? readSecureBoot(secure.document).isActive : undefined,
  });
}

export async function readInventory(resources: Resources, map: ServiceMap, signal: AbortSignal): Promise<BmcInventory> {
  const system = readSystem((await resources.get(map.system, signal)).document);
  const interfaces = system.interfaces && (await optional(resources.readAll(system.interfaces, signal)));
  const macs = (interfaces || []).map(({ document }) => readMac(document)).filter((mac) => mac !== undefined);
  return defined<BmcInventory>({
    manufacturer: system.manufacturer,
    model: system.model,
    serial: map.quirks.serial === "SKU" ? (system.sku ?? system.serial) : system.serial,
    uuid: system.uuid,
    firmwareVersion: map.identity.firmware,
    macs: macs.length === 0 ? undefined : [...new Set(macs)],
  });
}

export async function readHealth(
  resources: Resources,
  map: ServiceMap,
  signal: AbortSignal,
): Promise<{ readonly overall: Health; readonly sensors: readonly Sensor[] }> {
  const system = readSystem((await resources.get(map.system, signal)).document);
  const sensors: Sensor[] = [];
  for (const path of map.chassis) sensors.push(...(await readChassis(resources, path, signal)));
  // Its own word, as it knows which of its sensors matter; theirs where it has none.
  const overall = system.health === "unknown" ? worst(sensors.map(({ health }) => health)) : system.health;
  return { overall, sensors };
}

/** Thermal and Power are two requests; Sensors may be hundreds, and stand in where these are gone. */
async function readChassis(resources: Resources, path: string, signal: AbortSignal): Promise<Sensor[]> {
  const chassis = (await optional(resources.get(path, signal)))?.document;
  if (chassis === undefined) return [];
  const thermal = link(chassis, "Thermal");
  const power = link(chassis, "Power");
  if (thermal !== undefined || power !== undefined) {
    const heat = thermal && (await optional(resources.get(thermal, signal)));
    const supply = power && (await optional(resources.get(power, signal)));
    return [...(heat ? readThermal(heat.document) : []), ...(supply ? readPowerSupplies(supply.document) : [])];
  }
  const all = link(chassis, "Sensors");
  const found = all && (await optional(resources.readAll(all, signal)));
  return (found || []).map(({ document }) => readSensor(document)).filter((sensor) => sensor !== undefined);
}
