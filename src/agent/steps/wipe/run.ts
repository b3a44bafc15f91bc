/** The disks of one machine are erased: which, how many at a time, and what becomes of each. */
import { create } from "@bufbuild/protobuf";
import { chooseDisks } from "#decide/wipe/disks.ts";
import type { BlockDevice, DiskPolicy } from "#decide/wipe/disks.ts";
import type { Machine } from "#io/machine.ts";
import { StorageType } from "#proto/api_pb.js";
import type { HardwareInformation, StorageDevice } from "#proto/api_pb.js";
import { DiskState, DiskWipeSchema } from "#proto/sidero/agent/v1/machine_pb.js";
import type { DiskWipe } from "#proto/sidero/agent/v1/machine_pb.js";
import { toLatin1 } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import type { Road } from "../road.ts";
import { holderText, partitionExtents, takeApart } from "./holders.ts";
import type { EraseDisk } from "./job.ts";

export interface RunOptions {
  readonly machine: Machine;
  readonly road: Road;
  readonly eraseDisk: EraseDisk;
  readonly removeMapping: (name: string) => Promise<boolean>;
  /** Text that nobody has used before. */
  readonly seed: () => string;
}

export interface WipePlan {
  readonly mode: "fast" | "full";
  readonly policy: DiskPolicy;
  /** At a time. */
  readonly parallel: number;
}

/** A disk under way; `state` and the rest change. */
interface Target {
  readonly device: BlockDevice & { readonly rotational: boolean };
  readonly report: DiskWipe;
}

const TYPES: Readonly<Record<number, string>> = {
  [StorageType.SSD]: "SSD",
  [StorageType.HDD]: "HDD",
  [StorageType.NVMe]: "NVMe",
  [StorageType.SD]: "SD",
};

/** The disks as the agent reported them: what is decided on is what is on record. */
function devicesOf(hardware: HardwareInformation): Target["device"][] {
  return (hardware.storage?.devices ?? []).map((device: StorageDevice) => ({
    name: device.name,
    model: device.model,
    serial: device.serial,
    wwid: device.wwid,
    bytes: Number(device.size),
    type: TYPES[device.type] ?? "Unknown",
    transport: device.transport,
    removable: device.removable,
    readOnly: device.readOnly,
    rotational: device.rotational === true,
  }));
}

/**
 * Erases what the plan says, and calls `changed` with the state of all disks whenever something has changed (the first time before anything is
 * written). Resolves to how they ended; rejects only when stopped by the signal.
 */
export async function wipeDisks(
  options: RunOptions,
  plan: WipePlan,
  hardware: HardwareInformation,
  changed: (disks: readonly DiskWipe[], isNews: boolean) => void,
  signal: AbortSignal,
): Promise<readonly DiskWipe[]> {
  const devices = devicesOf(hardware);
  const targets = chooseDisks(devices, plan.policy).map(({ device, skipped }): Target => {
    const { name, model = "", serial = "", wwid = "", bytes } = device;
    const state = skipped === undefined ? DiskState.PENDING : DiskState.SKIPPED;
    return {
      device,
      report: create(DiskWipeSchema, { name, model, serial, wwid, bytes: BigInt(bytes), state, detail: skipped ?? "" }),
    };
  });
  const reports = targets.map(({ report }) => report);
  changed(reports, true);
  const waiting = targets.filter(({ report }) => report.state === DiskState.PENDING);
  const work = async (): Promise<void> => {
    for (let target = waiting.shift(); target !== undefined && !signal.aborted; target = waiting.shift()) {
      await wipeOne(options, plan, target, devices, (isNews) => changed(reports, isNews), signal);
    }
  };
  await Promise.all(Array.from({ length: await roomFor(options.machine, plan.parallel) }, work));
  signal.throwIfAborted();
  return reports;
}

/** What a thread takes with what it writes, about, in KiB. */
const THREAD = 40 * 1024;

/** A machine that has little memory erases fewer disks at a time: one that has none left erases none. */
async function roomFor(machine: Machine, parallel: number): Promise<number> {
  const text = toLatin1((await machine.read("/proc/meminfo")) ?? new Uint8Array());
  const available = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
  return Math.max(1, Math.min(parallel, Math.floor(available / THREAD)));
}

async function wipeOne(
  { machine, road, eraseDisk, removeMapping, seed }: RunOptions,
  { mode }: WipePlan,
  { device, report }: Target,
  devices: readonly BlockDevice[],
  changed: (isNews: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  const { name, rotational } = device;
  const ending = road.begin(`wipe ${name}`);
  report.state = DiskState.WIPING;
  changed(true);
  const notes: string[] = [];
  try {
    const stopped = await takeApart(machine, name, removeMapping);
    if (stopped.length > 0) notes.push(`took apart ${stopped.join(", ")}`);
    const partitions = await partitionExtents(machine, name);
    const controller = /^(nvme\d+)n/.exec(name)?.[1];
    const alone = controller === undefined || devices.filter((other) => other.name.startsWith(`${controller}n`)).length === 1;
    const path = `/dev/${name.replaceAll("!", "/")}`;
    const { serial = "", wwid = "", bytes } = device;
    const job = { path, disk: { serial, wwid, bytes }, mode, rotational, partitions, alone, seed: seed() };
    const erased = await eraseDisk(
      job,
      ({ state, percent, method, detail }) => {
        const next = state === "wiping" ? DiskState.WIPING : DiskState.VERIFYING;
        const isNews = report.state !== next || report.method !== method || (detail !== undefined && report.detail !== detail);
        Object.assign(report, { state: next, percent, method, ...(detail === undefined ? {} : { detail }) });
        changed(isNews);
      },
      signal,
    );
    const detail = [...notes, erased.detail].join("; ");
    Object.assign(report, { state: DiskState.DONE, percent: 100, method: erased.method, verified: erased.verified, detail });
    ending.done(`${labelOf(report)}: ${erased.method}; ${detail}`);
  } catch (error) {
    const fault = Fault.from(error);
    const problem = fault.code === "io.busy" ? `in use by ${await holderText(machine, name)}` : fault.message;
    Object.assign(report, { state: DiskState.FAILED, detail: [...notes, problem].join("; ") });
    ending.failed(`${labelOf(report)}: ${report.detail}`);
  }
  changed(true);
}

function labelOf({ model, serial, bytes }: DiskWipe): string {
  const gigabytes = `${(Number(bytes) / 1e9).toFixed(1)} GB`;
  return [model, serial, gigabytes].filter(Boolean).join(", ");
}
