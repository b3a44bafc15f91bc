/** The disk door on the file system. */
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Fault } from "#std/fault.ts";
import { tooLarge } from "../disk.ts";
import type { Disk } from "../disk.ts";

export const disk: Disk = {
  read: (path, limit) => attempt("read", path, () => unlessAbsent(readWithin(path, limit), undefined)),
  writeAtomic: (path, content, mode) => attempt("write", path, () => replace(path, content, mode)),
  makeDirectory: (path, mode) => attempt("make directory", path, async () => void (await mkdir(path, { recursive: true, mode }))),
  list: (path) => attempt("list", path, async () => (await unlessAbsent(readdir(path), [])).toSorted()),
};

async function readWithin(path: string, limit = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > limit) throw tooLarge(path, size, limit);
  return readFile(path);
}

async function replace(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const draft = `${path}.draft`;
  // A draft that a crash left behind may have another mode, or be a link to somewhere else.
  await rm(draft, { force: true });
  const file = await open(draft, "wx", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function unlessAbsent<T>(result: Promise<T>, absent: T extends unknown[] ? T : undefined): Promise<T | typeof absent> {
  try {
    return await result;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return absent;
    throw error;
  }
}

async function attempt<T>(what: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (Fault.is(cause)) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const full = code === "ENOSPC" || code === "EDQUOT";
    throw new Fault(full ? "io.no-space" : "io.failed", `cannot ${what} ${path}: ${full ? "no space left" : message}`, {
      fault: "world",
      retry: "later",
      cause,
    });
  }
}
