/**
 * Disks of a simulated machine are erased by our own code, which blocks. So it is run at once on a copy, and what it did there is then done to the disk
 * in the time that it takes, and only as long as the machine lives.
 */
import { erase } from "#agent/steps/wipe/erase.ts";
import type { EraseDisk, EraseProgress } from "#agent/steps/wipe/job.ts";
import type { Block } from "#io/block.ts";
import { blockFault } from "#io/block.ts";
import { Fault } from "#std/fault.ts";
import type { SimDisk } from "./disk.ts";
import { serialOf, wwidOf } from "./hardware.ts";
import type { Life } from "./life.ts";
import type { DiskModel } from "./model.ts";

type Deed =
  | { readonly zero: number; readonly length: number }
  | { readonly write: number; readonly bytes: Uint8Array }
  | { readonly tell: EraseProgress }
  | { readonly pause: number };

/** Milliseconds to write a whole disk, and to have it discarded. */
const WHOLE: Readonly<Record<DiskModel["kind"], number>> = { nvme: 15_000, ssd: 60_000, hdd: 600_000 };
const DISCARD = 2_000;
/** Parts of a whole disk that are written at once: a machine may die in the middle, and an order may be withdrawn. */
const PARTS = 128;

/** `serial`: the machine's. */
export function eraserOf(disks: readonly SimDisk[], life: Life, serial: string): EraseDisk {
  return async (job, tell, signal) => {
    const disk = disks.find(({ name }) => job.path === `/dev/${name}`);
    if (disk === undefined) throw blockFault(job.path, "open it", "ENOENT");
    if (disk.fails) throw blockFault(job.path, "open it", "EIO");
    const deeds: Deed[] = [];
    const record = (deed: Deed): void => void deeds.push(deed);
    const block = blockOf(job.path, disk.copy(), record);
    const own = serialOf(serial, disk.name);
    const identity = { serial: own, wwid: wwidOf(own), bytes: disk.model.size };
    const tries = {
      block,
      disk: () => identity,
      tell: (progress: EraseProgress) => record({ tell: progress }),
      isStopped: () => false,
    };
    const outcome = attempt(() => erase(job, { ...tries, pause: (pause) => record({ pause }) }));
    for (const deed of deeds) {
      if (signal.aborted) throw new Fault("agent.stopped", "it was stopped", { fault: "caller", retry: "later" });
      if (disk.fails) throw blockFault(job.path, "write", "EIO");
      if ("tell" in deed) tell(deed.tell);
      else await carryOut(deed, disk, life, signal);
    }
    if ("failed" in outcome) throw outcome.failed;
    return outcome.result;
  };
}

async function carryOut(deed: Exclude<Deed, { tell: unknown }>, disk: SimDisk, life: Life, signal: AbortSignal): Promise<void> {
  if ("pause" in deed) return await life.sleep(deed.pause);
  const { kind, size, haste = 1 } = disk.model;
  if ("write" in deed) {
    await life.sleep((WHOLE[kind] * deed.bytes.length) / size / haste);
    return disk.write(deed.write, deed.bytes);
  }
  const whole = kind === "hdd" ? WHOLE.hdd : DISCARD;
  const piece = Math.max(4096, size / PARTS);
  for (let done = 0; done < deed.length; done += piece) {
    const length = Math.min(piece, deed.length - done);
    await life.sleep((whole * length) / size / haste);
    if (signal.aborted) return;
    disk.zero(deed.zero + done, length);
  }
}

/** What the copy sees, and everything that changes it as a deed. Spinning disks cannot discard. */
function blockOf(path: string, disk: SimDisk, record: (deed: Deed) => void): Block {
  const { kind, size } = disk.model;
  return {
    path,
    bytes: size,
    blockSize: 512,
    read: (at, length) => disk.read(at, length),
    write: (write, bytes) => {
      disk.write(write, bytes);
      record({ write, bytes: bytes.slice() });
    },
    clear: (how, zero, length) => {
      if (how !== "zero" && (kind === "hdd" || how === "secure")) throw blockFault(path, how, "EOPNOTSUPP", zero);
      disk.zero(zero, length);
      record({ zero, length });
    },
    flush: () => {},
    nvme: () => {
      throw blockFault(path, "send an NVMe command", "ENOTTY");
    },
    namespace: () => 1,
    scsi: () => {
      throw blockFault(path, "send a SCSI command", "ENOTTY");
    },
    forgetPartitions: () => true,
    close: () => {},
  };
}

function attempt<T>(work: () => T): { readonly result: T } | { readonly failed: unknown } {
  try {
    return { result: work() };
  } catch (failed) {
    return { failed };
  }
}
