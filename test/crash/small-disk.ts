/** A disk that is easily filled: a tmpfs of 8 MiB, which needs root. */
import { execFile } from "node:child_process";
import { appendFile, mkdtemp, rmdir, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The file that {@link fill} makes; without it there is space again. */
export const BALLAST = "ballast";

/** Unmounted after the test, when `close` has closed what is open on it. */
export async function smallDisk(
  context: { after(action: () => Promise<void>): void },
  close: () => Promise<void | undefined>,
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "sidero-full-"));
  await run("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", directory]);
  context.after(async () => {
    await close();
    await run("umount", [directory]);
    await rmdir(directory);
  });
  return directory;
}

/** Takes all the space there is, but for some bytes. */
export async function fill(directory: string, spare: number = 0): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  await appendFile(join(directory, BALLAST), Buffer.alloc(bavail * bsize - spare)).catch((error: NodeJS.ErrnoException) => {
    // Somebody was faster: it is full all the same.
    if (error.code !== "ENOSPC") throw error;
  });
}

/** Makes it four times as large. */
export async function grow(directory: string): Promise<void> {
  await run("mount", ["-o", "remount,size=32m", directory]);
}
