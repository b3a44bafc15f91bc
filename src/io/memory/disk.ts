/** The disk door without a disk. */
import { Fault } from "#std/fault.ts";
import { tooLarge } from "../disk.ts";
import type { Disk } from "../disk.ts";

export interface MemoryFile {
  readonly content: Uint8Array;
  readonly mode: number;
}

export interface MemoryDisk extends Disk {
  /** By path. Tests look in here, and break things. */
  readonly files: Map<string, MemoryFile>;
}

export function createMemoryDisk(): MemoryDisk {
  const files = new Map<string, MemoryFile>();
  const directories = new Set(["", "."]);
  return {
    files,
    read: async (path, limit = Number.POSITIVE_INFINITY) => {
      const content = files.get(path)?.content;
      if (content !== undefined && content.length > limit) throw tooLarge(path, content.length, limit);
      return content?.slice();
    },
    writeAtomic: async (path, content, mode) => {
      const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
      if (!directories.has(parent)) {
        throw new Fault("io.failed", `cannot write ${path}: no such directory`, { fault: "world", retry: "later" });
      }
      files.set(path, { content: typeof content === "string" ? Buffer.from(content) : content.slice(), mode });
    },
    makeDirectory: async (path) => {
      for (let at = path; at !== "" && at !== "."; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) directories.add(at);
    },
    list: async (path) => {
      const inside = (entry: string): string[] =>
        entry.startsWith(`${path}/`) ? [entry.slice(path.length + 1).split("/")[0]!] : [];
      return [...new Set([...files.keys(), ...directories].flatMap(inside))].toSorted();
    },
  };
}
