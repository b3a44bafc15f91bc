/** A disk in memory, with whatever is wrong with it and whatever it answers. */
import { Fault } from "#std/fault.ts";
import type { Block, NvmeCommand, ScsiAnswer, ScsiCommand } from "../block.ts";
import { blockFault } from "../block.ts";

export interface MemoryBlockOptions {
  readonly bytes: number;
  readonly blockSize?: number;
  readonly path?: string;
  /** What it can do: all three if absent. */
  readonly clears?: readonly ("discard" | "secure" | "zero")[];
  /** What a discarded block reads as: zeros if absent. `nothing`: as before. */
  readonly discarded?: number | "nothing";
  /** Where writing or reading fails, in bytes. */
  readonly bad?: { readonly at: number; readonly length: number; readonly when: "read" | "write" };
  /** Answers admin commands; a number is the status of a refusal. Absent: it is no NVMe disk. */
  readonly nvme?: (command: NvmeCommand, disk: MemoryBlock) => Uint8Array | number;
  readonly scsi?: (command: ScsiCommand, disk: MemoryBlock) => Partial<ScsiAnswer>;
}

export interface MemoryBlock extends Block {
  readonly content: Uint8Array;
  /** What was called, such as `clear zero 0 4096`. */
  readonly calls: string[];
  closed: boolean;
}

export function createMemoryBlock(options: MemoryBlockOptions): MemoryBlock {
  const { bytes, blockSize = 512, path = "/dev/memory", clears = ["discard", "secure", "zero"], discarded = 0, bad } = options;
  const content = new Uint8Array(bytes);
  const calls: string[] = [];
  const checkRange = (what: string, at: number, length: number, when: "read" | "write"): void => {
    const isAligned = at % blockSize === 0 && length % blockSize === 0 && at >= 0;
    if (!isAligned || at + length > bytes) throw blockFault(path, what, "EINVAL", at);
    if (bad?.when === when && at < bad.at + bad.length && bad.at < at + length) throw blockFault(path, what, "EIO", at);
  };
  const disk: MemoryBlock = {
    path,
    bytes,
    blockSize,
    content,
    calls,
    closed: false,
    read(at, length) {
      checkRange("read", at, length, "read");
      return content.slice(at, at + length);
    },
    write(at, written) {
      checkRange("write", at, written.length, "write");
      calls.push(`write ${at} ${written.length}`);
      content.set(written, at);
    },
    clear(how, at, length) {
      if (!clears.includes(how)) throw blockFault(path, how, "EOPNOTSUPP", at);
      checkRange(how, at, length, "write");
      calls.push(`clear ${how} ${at} ${length}`);
      if (how === "zero") content.fill(0, at, at + length);
      else if (discarded !== "nothing") content.fill(discarded, at, at + length);
    },
    flush: () => void calls.push("flush"),
    nvme(command) {
      if (options.nvme === undefined) throw blockFault(path, "send an NVMe command", "ENOTTY");
      calls.push(`nvme 0x${command.opcode.toString(16)} ${command.dwords.map((dword) => dword.toString(16)).join(" ")}`);
      const answer = options.nvme(command, disk);
      if (typeof answer !== "number") return answer;
      const message = `${path}: the controller refused command 0x${command.opcode.toString(16)}: status 0x${answer.toString(16)}`;
      throw new Fault("io.refused", message, { fault: "world", retry: "later", facts: { status: answer } });
    },
    namespace: () => 1,
    scsi(command) {
      if (options.scsi === undefined) throw blockFault(path, "send a SCSI command", "ENOTTY");
      calls.push(`scsi ${Array.from(command.cdb, (byte) => byte.toString(16).padStart(2, "0")).join(" ")}`);
      return { status: 0, sense: new Uint8Array(), data: new Uint8Array(command.length ?? 0), ...options.scsi(command, disk) };
    },
    forgetPartitions: () => true,
    close: () => void (disk.closed = true),
  };
  return disk;
}
