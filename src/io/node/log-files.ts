/** Logs of machines in a directory: `<machine>/<number>.jsonl`. */
import { appendFile, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "#std/fault.ts";
import type { LogFiles, LogFileSize } from "../log-files.ts";

const MACHINE = /^[a-z0-9][-.a-z0-9]*$/;
const FILE = /^([1-9]\d{0,14})\.jsonl$/;
/** Logs may quote what is nobody else's business. */
const MODE = { directory: 0o700, file: 0o600 };

export function openLogFiles(directory: string): LogFiles {
  const folder = (machine: string): string => {
    if (!MACHINE.test(machine))
      throw new Fault("io.failed", `"${machine}" is no name of a machine`, { fault: "caller", retry: "never" });
    return join(directory, machine);
  };
  const path = (machine: string, number: number): string => join(folder(machine), `${number}.jsonl`);
  return {
    list: () => attempt("list", directory, () => listAll(directory)),
    append: async (machine, number, bytes) => {
      const file = path(machine, number);
      await attempt("write", file, async () => {
        try {
          await appendFile(file, bytes, { mode: MODE.file });
        } catch (error) {
          if (!isAbsent(error)) throw error;
          await mkdir(folder(machine), { recursive: true, mode: MODE.directory });
          await appendFile(file, bytes, { mode: MODE.file });
        }
      });
    },
    read: async (machine, number, from, length) => {
      const file = path(machine, number);
      return attempt("read", file, () => readPart(file, from, length));
    },
    remove: async (machine, number) => {
      const file = path(machine, number);
      await attempt("remove", file, () => rm(file, { force: true }));
    },
  };
}

async function listAll(directory: string): Promise<LogFileSize[]> {
  const found: LogFileSize[] = [];
  for (const machine of await readdir(directory).catch(emptyIfAbsent)) {
    if (!MACHINE.test(machine)) continue;
    for (const name of await readdir(join(directory, machine)).catch(emptyIfAbsent)) {
      const number = Number(FILE.exec(name)?.[1] ?? 0);
      if (number === 0) continue;
      found.push({ machine, number, bytes: (await stat(join(directory, machine, name))).size });
    }
  }
  return found;
}

async function readPart(file: string, from: number, length: number): Promise<Uint8Array> {
  const handle = await open(file, "r").catch((error: unknown) => (isAbsent(error) ? undefined : Promise.reject(error)));
  if (handle === undefined) return new Uint8Array();
  try {
    const buffer = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(buffer, filled, length - filled, from + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    await handle.close();
  }
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}

function emptyIfAbsent(error: unknown): string[] {
  if (isAbsent(error)) return [];
  throw error;
}

async function attempt<T>(what: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (Fault.is(cause)) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const isFull = code === "ENOSPC" || code === "EDQUOT";
    const why = isFull ? "no space left" : message;
    throw new Fault(isFull ? "io.no-space" : "io.failed", `cannot ${what} ${path}: ${why}`, {
      fault: "world",
      retry: "later",
      cause,
    });
  }
}
