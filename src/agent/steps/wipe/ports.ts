/** What the erasing of one disk stands on. */
import type { Block } from "#io/block.ts";
import { Fault } from "#std/fault.ts";
import type { DiskIdentity, EraseProgress } from "./job.ts";

export interface ErasePorts {
  readonly block: Block;
  /** Which disk the kernel calls by the name of the block, now that it is open and keeps the name. */
  readonly disk: () => DiskIdentity | undefined;
  readonly tell: (progress: EraseProgress) => void;
  /** Milliseconds, in which nothing else can be done in this thread. */
  readonly pause: (milliseconds: number) => void;
  readonly isStopped: () => boolean;
}

export function checkStopped({ isStopped }: Pick<ErasePorts, "isStopped">): void {
  if (isStopped()) throw new Fault("agent.stopped", "it was stopped", { fault: "caller", retry: "later" });
}

/** The disk does not do what it should, or what it did cannot be trusted. */
export function notErased(message: string): Fault {
  return new Fault("agent.not-erased", message, { fault: "world", retry: "later" });
}
