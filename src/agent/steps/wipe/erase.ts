/** Erases one disk. Everything here blocks; it runs in a thread of its own. */
import { chooseMethods, leaves } from "#decide/wipe/methods.ts";
import type { WipeMethod } from "#decide/wipe/methods.ts";
import { isUniform, judge, labelPlaces, samplePlaces } from "#decide/wipe/places.ts";
import type { Extent } from "#decide/wipe/places.ts";
import type { Block } from "#io/block.ts";
import { Fault } from "#std/fault.ts";
import type { DiskIdentity, EraseJob, Erased } from "./job.ts";
import { METHODS } from "./methods.ts";
import { checkStopped, notErased } from "./ports.ts";
import type { ErasePorts } from "./ports.ts";
import { probe } from "./probe.ts";

/** Of a disk's whole, each in a part of its own. */
const SAMPLES = 256;
const FEW = 64;
/** Bytes that are read or written at once. */
const PIECE = 1024 * 1024;
const CLEARED = { discard: 4 * 1024 ** 3, zero: 256 * 1024 ** 2 } as const;

/** Faults as {@link EraseJob}'s doer says. */
export function erase(job: EraseJob, ports: ErasePorts): Erased {
  checkDisk(job, ports);
  const erased = job.mode === "fast" ? eraseLabels(job, ports) : eraseAll(job, ports);
  ports.block.forgetPartitions();
  return erased;
}

/** Names go by the order of discovery: a controller that was reset, or a disk that was put in, may have given them to others since the choice. */
function checkDisk({ disk: chosen }: EraseJob, { block, disk }: ErasePorts): void {
  const found = disk();
  const isSame =
    found?.serial === chosen.serial && found.wwid === chosen.wwid && found.bytes === chosen.bytes && block.bytes === chosen.bytes;
  if (isSame) return;
  const text = (each: DiskIdentity | undefined): string =>
    each === undefined ? "none" : `serial "${each.serial}", wwid "${each.wwid}", ${each.bytes} bytes`;
  throw notErased(`nothing was written to ${block.path}, which is another disk now: ${text(found)} instead of ${text(chosen)}`);
}

/** Tells the disk that it may forget everything, and zeroes what anything could be found by. */
function eraseLabels(job: EraseJob, ports: ErasePorts): Erased {
  const { block, tell } = ports;
  const notes: string[] = [];
  let method = "labels";
  tell({ state: "wiping", percent: 0, method: "discard" });
  try {
    clearAll(ports, "discard", "discard", 0, 90);
    method = "discard";
  } catch (error) {
    const fault = Fault.from(error);
    if (fault.code === "agent.stopped") throw fault;
    notes.push(
      fault.code === "io.unsupported"
        ? "it cannot discard: what lies between the labels is still there, with nothing that leads to it"
        : `discarding failed: ${fault.message}`,
    );
  }
  const places = labelPlaces(block.bytes, job.partitions, block.blockSize);
  tell({ state: "wiping", percent: 90, method });
  for (const place of places) zeroPlace(place, ports);
  block.flush();
  tell({ state: "verifying", percent: 95, method });
  checkPlaces(places, ports);
  if (method === "discard") notes.push(...discardNotes(job, ports));
  const mebibytes = Math.round(places.reduce((sum, { length }) => sum + length, 0) / 2 ** 20);
  return { method, verified: true, detail: [`${mebibytes} MiB of labels read back as zeros`, ...notes].join("; ") };
}

/** A disk need not forget what was discarded (ACS-4 §4.5, NVM §3.2.3.2): the record says what was seen of that. */
function discardNotes({ seed }: EraseJob, { block }: ErasePorts): string[] {
  const samples = samplePlaces(block.bytes, FEW, seed);
  const full = samples.filter(({ at, length }) => !isUniform(readOrEmpty(block, at, length), 0)).length;
  return full === 0 ? [] : [`${full} of ${samples.length} samples elsewhere (seed ${seed}) do not read as zeros yet`];
}

/** Tries what the disk can do until one thing stands up to reading back. */
function eraseAll(job: EraseJob, ports: ErasePorts): Erased {
  const { block, tell } = ports;
  const abilities = probe(job, ports);
  const { methods, notes } = chooseMethods(abilities.of);
  const all = [...abilities.notes, ...notes];
  const samples = samplePlaces(block.bytes, SAMPLES, job.seed);
  const before = samples.map(({ at, length }) => readOrEmpty(block, at, length));
  let last: Fault | undefined;
  for (const method of methods) {
    try {
      tell({ state: "wiping", percent: 0, method });
      apply(method, job, ports);
      tell({ state: "verifying", percent: 95, method });
      block.flush();
      check(samples, before, method, ports);
      const places = labelPlaces(block.bytes, job.partitions, block.blockSize);
      // What a key was thrown away of reads as noise, in which somebody might find a label.
      if (leaves(method) === "other") for (const place of places) zeroPlace(place, ports);
      block.flush();
      checkPlaces(places, ports);
      const sampled = leaves(method) === "zeros" ? "all zero" : "nothing of what was there";
      return { method, verified: true, detail: [`${samples.length} samples (seed ${job.seed}): ${sampled}`, ...all].join("; ") };
    } catch (error) {
      const fault = Fault.from(error);
      if (fault.code === "agent.stopped" || fault.code === "std.unexpected") throw fault;
      if (fault.code !== "io.unsupported") all.push(`${method} did not do: ${fault.message}`);
      last = fault;
    }
  }
  throw new Fault("agent.not-erased", all.join("; ") || last!.message, { fault: "world", retry: "later", cause: last });
}

function apply(method: WipeMethod, job: EraseJob, ports: ErasePorts): void {
  switch (method) {
    case "secure-discard":
      return clearAll(ports, "secure", method, 0, 95);
    case "discard-zeroes":
      return clearAll(ports, "discard", method, 0, 95);
    case "zero-out":
      return clearAll(ports, "zero", method, 0, 95);
    case "zeroes":
      return writeAll(method, ports);
    default:
      METHODS[method](job, ports);
  }
}

function clearAll(ports: ErasePorts, how: "discard" | "secure" | "zero", method: string, from: number, to: number): void {
  const { block, tell } = ports;
  const piece = how === "zero" ? CLEARED.zero : CLEARED.discard;
  for (let at = 0; at < block.bytes; at += piece) {
    checkStopped(ports);
    block.clear(how, at, Math.min(piece, block.bytes - at));
    tell({ state: "wiping", percent: Math.round(from + ((to - from) * at) / block.bytes), method });
  }
}

/** Bytes after which what was written has to be on the disk: a small machine has no memory for more. */
const FLUSH_EVERY = 64 * 1024 ** 2;

function writeAll(method: string, ports: ErasePorts): void {
  const { block, tell } = ports;
  const zeros = new Uint8Array(PIECE);
  for (let at = 0; at < block.bytes; at += PIECE) {
    checkStopped(ports);
    block.write(at, zeros.subarray(0, Math.min(PIECE, block.bytes - at)));
    if (at % FLUSH_EVERY !== 0) continue;
    block.flush();
    tell({ state: "wiping", percent: Math.round((95 * at) / block.bytes), method });
  }
  block.flush();
}

/** By the disk's own means where it has them, else byte by byte. */
function zeroPlace({ at, length }: Extent, ports: ErasePorts): void {
  const { block } = ports;
  checkStopped(ports);
  try {
    return block.clear("zero", at, length);
  } catch (error) {
    if (!Fault.is(error, "io.unsupported")) throw error;
  }
  for (let done = 0; done < length; done += PIECE) block.write(at + done, new Uint8Array(Math.min(PIECE, length - done)));
}

function checkPlaces(places: readonly Extent[], ports: ErasePorts): void {
  const { block } = ports;
  for (const { at, length } of places) {
    for (let done = 0; done < length; done += PIECE) {
      checkStopped(ports);
      const piece = block.read(at + done, Math.min(PIECE, length - done));
      if (!isUniform(piece, 0))
        throw notErased(`${block.path} does not read as zeros at byte ${at + done} after zeros were written`);
    }
  }
}

function check(samples: readonly Extent[], before: readonly Uint8Array[], method: WipeMethod, { block }: ErasePorts): void {
  for (const [i, { at, length }] of samples.entries()) {
    const finding = judge(before[i]!, block.read(at, length), leaves(method));
    if (finding === "still there") throw notErased(`what was at byte ${at} is still there`);
    if (finding === "not zero") throw notErased(`it does not read as zeros at byte ${at}`);
  }
}

/** A place that cannot be read, and is not to be relied on, counts as empty. */
function readOrEmpty(block: Block, at: number, length: number): Uint8Array {
  try {
    return block.read(at, length).slice();
  } catch {
    return new Uint8Array(length);
  }
}
