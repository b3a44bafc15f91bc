/** FRU inventory, sensor records and the event log (IPMI 2.0 §31, §33, §34), and what sensors give (§35). */
import { COMPLETION, PRIVILEGE, SENSOR, STORAGE } from "#wire/ipmi/constants.ts";
import { leastFirst } from "#wire/ipmi/reader.ts";
import type { SimulatedIpmi } from "../bmc.ts";
import { fruOf } from "../model.ts";
import type { SimulatedSensor } from "../model.ts";
import { Refusal } from "./handler.ts";
import type { Answer, Caller, Handlers } from "./handler.ts";

const VERSION = 0x51;
const LAST = 0xffff;
const ERASED = 0x01;
/** What fits into an answer over the system interface. */
const LARGEST_PIECE = 0x40;
const SEL_RECORD = 16;

export const storageHandlers: Handlers = {
  [STORAGE.getFruInventoryAreaInfo]: {
    level: PRIVILEGE.user,
    least: 1,
    handle: (data, { bmc }) => [...leastFirst(fru(bmc, data[0]!).length, 2), 0],
  },
  [STORAGE.readFruData]: {
    level: PRIVILEGE.user,
    least: 4,
    handle: (data, { bmc }) => {
      if (data[3]! > LARGEST_PIECE) throw new Refusal(COMPLETION.lengthLimit);
      const offset = data[1]! | (data[2]! << 8);
      const piece = fru(bmc, data[0]!).subarray(offset, offset + data[3]!);
      if (piece.length === 0) throw new Refusal(COMPLETION.outOfRange);
      return [piece.length, ...piece];
    },
  },
  [STORAGE.getSdrRepositoryInfo]: {
    level: PRIVILEGE.user,
    handle: (_, { bmc }) => [VERSION, ...leastFirst(bmc.model.records.length, 2), 0xff, 0xff, 1, 0, 0, 0, 1, 0, 0, 0, 0x22],
  },
  [STORAGE.reserveSdrRepository]: { level: PRIVILEGE.user, handle: (_, { bmc }) => leastFirst(bmc.reserve(), 2) },
  [STORAGE.getSdr]: { level: PRIVILEGE.user, least: 6, handle: getSdr },
  [STORAGE.getSelInfo]: {
    level: PRIVILEGE.user,
    handle: (_, { bmc }) => [VERSION, ...leastFirst(bmc.sel.length, 2), 0xff, 0x3f, ...time(bmc), 0, 0, 0, 0, 0x02],
  },
  [STORAGE.getSelAllocationInfo]: { level: PRIVILEGE.user, handle: () => [0, 4, SEL_RECORD, 0, 0, 4, 0, 4, 1] },
  [STORAGE.reserveSel]: { level: PRIVILEGE.user, handle: (_, { bmc }) => leastFirst(bmc.reserve(), 2) },
  [STORAGE.getSelEntry]: { level: PRIVILEGE.user, least: 6, handle: getSel },
  [STORAGE.clearSel]: {
    level: PRIVILEGE.operator,
    least: 6,
    handle: (data, { bmc }) => {
      if ((data[0]! | (data[1]! << 8)) !== bmc.reservation) throw new Refusal(COMPLETION.reservationCancelled);
      if (String.fromCharCode(...data.subarray(2, 5)) !== "CLR") throw new Refusal(COMPLETION.invalidField);
      if (data[5] === 0xaa) bmc.sel.length = 0;
      return [ERASED];
    },
  },
  [STORAGE.getSelTime]: { level: PRIVILEGE.user, handle: (_, { bmc }) => time(bmc) },
};

export const sensorHandlers: Handlers = {
  [SENSOR.getDeviceSdrInfo]: { level: PRIVILEGE.user, handle: (_, { bmc }) => [bmc.model.sensors.length, 0x01] },
  [SENSOR.reserveDeviceSdrRepository]: { level: PRIVILEGE.user, handle: (_, { bmc }) => leastFirst(bmc.reserve(), 2) },
  [SENSOR.getDeviceSdr]: { level: PRIVILEGE.user, least: 6, handle: getSdr },
  [SENSOR.getSensorThresholds]: {
    level: PRIVILEGE.user,
    least: 1,
    handle: (data, { bmc }) => {
      const { analog } = sensor(bmc, data[0]!);
      if (analog === undefined) throw new Refusal(COMPLETION.illegalForSensor);
      return [0x1a, 0, analog.lowerCritical, 0, analog.upperNonCritical, analog.upperCritical, 0];
    },
  },
  [SENSOR.getSensorHysteresis]: { level: PRIVILEGE.user, least: 1, handle: () => [0, 0] },
  [SENSOR.getSensorEventEnable]: { level: PRIVILEGE.user, least: 1, handle: () => [0xc0] },
  [SENSOR.getSensorReading]: { level: PRIVILEGE.user, least: 1, handle: getReading },
};

function fru(bmc: SimulatedIpmi, device: number): Uint8Array {
  if (device !== 0 || bmc.product === undefined) throw new Refusal(COMPLETION.notPresent);
  return fruOf(bmc.product);
}

function time({ clock }: SimulatedIpmi): number[] {
  return leastFirst(Math.floor(clock.now() / 1000), 4);
}

function getSdr(data: Uint8Array, { bmc }: Caller): Answer {
  const [reservation, number, offset, count] = [data[0]! | (data[1]! << 8), data[2]! | (data[3]! << 8), data[4]!, data[5]!];
  const { records } = bmc.model;
  const index = number === LAST ? records.length - 1 : number === 0 ? 0 : number - 1;
  const record = records[index];
  if (record === undefined) throw new Refusal(COMPLETION.notPresent);
  if (offset > 0 && reservation !== bmc.reservation) throw new Refusal(COMPLETION.reservationCancelled);
  const wanted = count === 0xff ? record.length - offset : count;
  if (wanted > LARGEST_PIECE) throw new Refusal(COMPLETION.cannotReturnBytes);
  const next = index + 1 < records.length ? index + 2 : LAST;
  return [...leastFirst(next, 2), ...record.subarray(offset, offset + wanted)];
}

function getSel(data: Uint8Array, { bmc: { sel } }: Caller): Answer {
  const number = data[2]! | (data[3]! << 8);
  const index = number === 0 ? 0 : number === LAST ? sel.length - 1 : number - 1;
  const entry = sel[index];
  if (entry === undefined) throw new Refusal(COMPLETION.notPresent);
  const next = index + 1 < sel.length ? index + 2 : LAST;
  const wanted = data[5] === 0xff ? SEL_RECORD : data[5]!;
  return [...leastFirst(next, 2), ...entry.subarray(data[4], data[4]! + wanted)];
}

function sensor(bmc: SimulatedIpmi, number: number): SimulatedSensor {
  const found = bmc.model.sensors.find((candidate) => candidate.number === number);
  if (found === undefined) throw new Refusal(COMPLETION.notPresent);
  return found;
}

/** §35.14: scanning is on; bit 5 says that there is nothing to read. */
function getReading(data: Uint8Array, { bmc }: Caller): Answer {
  const { number, usual, analog } = sensor(bmc, data[0]!);
  const asked = bmc.chassis.reading?.(number);
  if (asked === null) return [0, 0xe0, 0xc0];
  const raw = asked ?? usual;
  if (analog === undefined) return [0, 0xc0, raw & 0xff, 0x80 | (raw >> 8)];
  const states =
    (raw <= analog.lowerCritical ? 0x02 : 0) |
    (raw >= analog.upperNonCritical ? 0x08 : 0) |
    (raw >= analog.upperCritical ? 0x10 : 0);
  return [raw, 0xc0, 0xc0 | states];
}
