/** What is to be done to one disk, what is told meanwhile, and what came of it: plain values, which go to a thread and back. */
import type { Extent } from "#decide/wipe/places.ts";

/** What tells a disk from others; empty texts are not known. */
export interface DiskIdentity {
  readonly serial: string;
  readonly wwid: string;
  readonly bytes: number;
}

export interface EraseJob {
  /** `/dev/sda` */
  readonly path: string;
  /** Which one it is: `/dev/sda` may be another disk by the time it is opened. */
  readonly disk: DiskIdentity;
  readonly mode: "fast" | "full";
  readonly rotational: boolean;
  /** As the kernel found them. */
  readonly partitions: readonly Extent[];
  /** No other namespace of its NVMe controller is there. */
  readonly alone: boolean;
  /** Where samples are taken. */
  readonly seed: string;
}

export interface EraseProgress {
  readonly state: "wiping" | "verifying";
  readonly percent: number;
  readonly method: string;
  /** What should be known even if nothing more is heard. */
  readonly detail?: string;
}

export interface Erased {
  readonly method: string;
  readonly verified: boolean;
  readonly detail: string;
}

/**
 * Erases a disk in a thread of its own. Rejects with Faults of the disk (`io.*`), `agent.not-erased` when it could not be shown to be empty, and
 * `agent.stopped` soon after the signal, unless the disk itself cannot be stopped.
 */
export type EraseDisk = (job: EraseJob, tell: (progress: EraseProgress) => void, signal: AbortSignal) => Promise<Erased>;
