/** What the kernel knows of a process's listening sockets. */
import { readFile, readdir, readlink } from "node:fs/promises";

/** proc_pid_net(5): state of a socket that listens. */
const LISTENING = "0A";

/** TCP ports on which a process listens. */
export async function listeningPorts(pid: number): Promise<number[]> {
  const sockets = new Set<string>();
  for (const name of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${name}`).catch(() => "");
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) sockets.add(inode);
  }
  const tables = await Promise.all(["tcp", "tcp6"].map((table) => readFile(`/proc/${pid}/net/${table}`, "utf8")));
  const rows = tables.flatMap((table) => table.split("\n").slice(1)).map((line) => line.trim().split(/\s+/));
  return rows
    .filter(([, , , state, , , , , , inode]) => state === LISTENING && sockets.has(inode ?? ""))
    .map(([, local]) => Number.parseInt(local!.split(":")[1]!, 16));
}
