/** Taking a system off its disk: the partitions that are named, or all of it. */
import { open } from "node:fs/promises";
import type { Host } from "./host.ts";
import { EPHEMERAL, must, sizeOf } from "./volumes.ts";

const MEBIBYTE = 1024 * 1024;
const MOUNTED: Readonly<Record<string, string>> = { STATE: "/run/state", EPHEMERAL };

/** `leave`: what a graceful reset does first. Throws when there is nothing installed, or no such partition. */
export async function resetSystem(host: Host, labels: readonly string[], leave?: () => Promise<void>): Promise<void> {
  const { volumes, machine, say } = host;
  if (volumes === undefined) return;
  await leave?.();
  const paths = labels.map((label) => {
    const path = volumes.partitions.get(label);
    if (path === undefined) throw new Error(`there is no partition ${label}`);
    return path;
  });
  for (const label of labels.length > 0 ? labels : Object.keys(MOUNTED)) {
    const target = MOUNTED[label];
    // What still writes there would write over the wiped partition.
    if (target !== undefined) await machine.run("umount", ["-l", target]);
  }
  for (const path of labels.length > 0 ? paths : [volumes.disk]) {
    say(`wiping ${path}`);
    await machine.run("/run/busybox", ["blkdiscard", path]);
    await zeroEnds(path, await sizeOf(machine, path));
  }
  await must(machine, "sync");
}

/** Disks need not forget what they are told to discard: where tables and labels are is written over. */
async function zeroEnds(path: string, bytes: number): Promise<void> {
  const handle = await open(path, "r+");
  try {
    const zeros = Buffer.alloc(Math.min(MEBIBYTE, bytes));
    await handle.write(zeros, 0, zeros.length, 0);
    await handle.write(zeros, 0, zeros.length, bytes - zeros.length);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
