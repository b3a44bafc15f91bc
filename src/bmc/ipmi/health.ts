/** How the machine is, by its sensors, over IPMI. */
import type { Health, Sensor } from "#decide/power.ts";
import { toLatin1 } from "#std/bytes.ts";
import type { DeviceId } from "#wire/ipmi/app/device.ts";
import { getChassisStatus } from "#wire/ipmi/chassis/chassis.ts";
import type { ChassisStatus } from "#wire/ipmi/chassis/chassis.ts";
import { call } from "#wire/ipmi/command.ts";
import type { IpmiChannel } from "#wire/ipmi/packet.ts";
import { convert } from "#wire/ipmi/sensor/conversion.ts";
import { decodeRecord } from "#wire/ipmi/sensor/record.ts";
import type { SensorRecord } from "#wire/ipmi/sensor/record.ts";
import { getSensorReading } from "#wire/ipmi/sensor/sensor.ts";
import type { SensorReading } from "#wire/ipmi/sensor/sensor.ts";
import { stateOf, thresholdHealth } from "#wire/ipmi/sensor/state.ts";
import { getSdrInfo, readSdrs } from "#wire/ipmi/storage/sdr.ts";
import { optional } from "./inventory.ts";

/** Records read at most: large machines have some hundreds. */
const RECORDS = 512;
const BMC_ADDRESS = 0x20;
const THRESHOLD = 0x01;
/** Records of different machines that are kept at most. */
const CATALOG = 20_000;

/** The sensors of one BMC, and the state of its repository when they were read. */
export interface SensorList {
  readonly version: string;
  readonly sensors: readonly SensorRecord[];
}

/** Machines of one model have the same records: they are kept once for all of them. */
export class SensorCatalog {
  readonly #records = new Map<string, SensorRecord | undefined>();

  /** Undefined for what is no sensor of the BMC's own. */
  of(bytes: Uint8Array): SensorRecord | undefined {
    // The first two bytes are its number in the repository.
    const key = toLatin1(bytes.subarray(2));
    if (this.#records.has(key)) return this.#records.get(key);
    const decoded = decodeRecord(bytes);
    const isOurs = (decoded.kind === "full" || decoded.kind === "compact") && decoded.owner === BMC_ADDRESS;
    if (this.#records.size >= CATALOG) this.#records.clear();
    this.#records.set(key, isOurs ? decoded : undefined);
    return isOurs ? decoded : undefined;
  }
}

/** `known`: what was read before; read again when the repository has changed. */
export async function readSensorList(
  channel: IpmiChannel,
  device: DeviceId,
  catalog: SensorCatalog,
  known: SensorList | undefined,
  signal: AbortSignal,
): Promise<SensorList> {
  const { supports, hasDeviceSdrs, firmwareVersion } = device;
  if (!supports.sdrRepository && !hasDeviceSdrs) return { version: "", sensors: [] };
  const info = supports.sdrRepository ? await optional(call(channel, getSdrInfo, undefined, signal)) : undefined;
  const version = info === undefined ? firmwareVersion : `${firmwareVersion} ${info.records} ${info.added} ${info.erased}`;
  if (known?.version === version) return known;
  const records = await readSdrs(channel, supports.sdrRepository ? "repository" : "device", RECORDS, signal);
  return { version, sensors: records.map((record) => catalog.of(record)).filter((sensor) => sensor !== undefined) };
}

export async function readHealth(
  channel: IpmiChannel,
  { sensors }: SensorList,
  signal: AbortSignal,
): Promise<{ readonly overall: Health; readonly sensors: readonly Sensor[] }> {
  const chassis = await call(channel, getChassisStatus, undefined, signal);
  const found: Sensor[] = [];
  for (const record of sensors) {
    const request = { ...getSensorReading.encode(record.number), lun: record.lun };
    const response = await channel.request(request, signal);
    const reading = await optional(Promise.resolve().then(() => getSensorReading.decode(response)));
    found.push(sensorOf(record, reading));
  }
  const healths = [chassisHealth(chassis), ...found.map(({ health }) => health)];
  return { overall: worst(healths), sensors: found };
}

function sensorOf(record: SensorRecord, reading: SensorReading | undefined): Sensor {
  const { name, unit, factors, eventType, type } = record;
  if (reading === undefined || !reading.isAvailable) return { name, health: "unknown", text: "no reading" };
  if (eventType !== THRESHOLD) {
    const state = stateOf(eventType, type, reading.states);
    return {
      name,
      health: state?.health ?? "ok",
      text: state?.text ?? `states 0x${reading.states.toString(16).padStart(4, "0")}`,
    };
  }
  const value = factors && convert(reading.raw, factors);
  const health = thresholdHealth(reading.states);
  if (value === undefined) return { name, health, text: `reading 0x${reading.raw.toString(16).padStart(2, "0")}` };
  return { name, health, value, ...(unit === undefined ? {} : { unit }) };
}

function chassisHealth({ powerFault, overload, coolingFault, driveFault, controlFault }: ChassisStatus): Health {
  if (powerFault || overload || coolingFault || driveFault) return "critical";
  return controlFault ? "warning" : "ok";
}

const ORDER: readonly Health[] = ["critical", "warning", "ok", "unknown"];

function worst(healths: readonly Health[]): Health {
  return ORDER.find((health) => healths.includes(health)) ?? "unknown";
}
