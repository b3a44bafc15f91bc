/** What Talos needs of the machine that it runs on. */
import type { Argument } from "#agent/steps/command-line.ts";
import type { Clock } from "#io/clock.ts";

/** One start of the machine, until its power goes or it reboots. */
export interface BodyLife extends Clock {
  readonly alive: boolean;
  sleep(delay: number): Promise<void>;
  live<T>(result: Promise<T>): Promise<T>;
  onEnd(end: () => void): () => void;
}

export interface Body {
  readonly uuid: string;
  readonly serial: string;
  readonly mac: string;
  readonly life: BodyLife;
  /** Without a prefix. */
  readonly address: string;
  readonly line: readonly Argument[];
  /** Of the kernel that runs: `v1.13.0`. */
  readonly version: string;
  readonly disk: SystemDisk;
  /** Undefined for anything but an answer with 200. */
  fetch(url: URL): Promise<Uint8Array | undefined>;
  tell(what: string): void;
  /** Says on its screen that it runs as configured. */
  running(): void;
  reboot(): void;
  powerOff(): void;
}

export interface SystemDisk {
  /** What has been installed and not been erased since. */
  readonly installed: Installation | undefined;
  /** On the disk at this path, or on whichever there is; false: there is no such disk. */
  install(installation: Installation, path: string | undefined): boolean;
  /** Everything that Talos wrote. */
  erase(): void;
}

/** What Talos keeps on a disk. */
export interface Installation {
  version: string;
  /** As it was acquired. */
  config: string;
  /** Installed at the next start. */
  staged: string | undefined;
  /** Of the etcd whose data are there. */
  member: string | undefined;
  /** Called when the disk is erased, by whoever. */
  onErased: () => void;
}
