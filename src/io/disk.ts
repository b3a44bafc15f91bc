import { Fault } from "#std/fault.ts";

/** The door to small files: keys, certificates, configuration. Paths are absolute or relative to the process; `/` divides them. */
export interface Disk {
  /** The whole file, undefined when there is none. Fault `io.too-large`, before anything is read, for more than `limit` bytes. */
  read(path: string, limit?: number): Promise<Uint8Array | undefined>;
  /**
   * Replaces the file or makes it, with `mode` (e.g. 0o600): readers see the old content or the new, never a part, and the new
   * survives a power loss once this resolves.
   */
  writeAtomic(path: string, content: string | Uint8Array, mode: number): Promise<void>;
  /** Makes the directory and those above it; `mode` is for the ones made. Fine when it is there. */
  makeDirectory(path: string, mode: number): Promise<void>;
  /** Names in the directory, sorted; [] when there is no such directory. */
  list(path: string): Promise<string[]>;
}
// All reject with Fault `io.no-space` or `io.failed`, which name the path.

/** What both twins say of a file that is larger than the reader wants. */
export function tooLarge(path: string, size: number, limit: number): Fault {
  const message = `${path} has ${size} bytes, more than the ${limit} that may be read of it`;
  return new Fault("io.too-large", message, { fault: "world", retry: "never" });
}
