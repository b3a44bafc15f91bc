/** What a process and its children use, read from /proc (proc_pid_stat(5), proc_pid_status(5)). */
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

export interface Usage {
  /** Milliseconds of CPU time, all threads, user and system. */
  readonly cpu: number;
  /** Bytes in memory. */
  readonly resident: number;
}

const TICK = 1000 / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** Of all the processes and whatever they have started. */
export function usageOf(pids: readonly number[]): Usage {
  const parents = parentsOfAll();
  const tree = new Set(pids);
  for (let size = 0; size !== tree.size;) {
    size = tree.size;
    for (const [pid, parent] of parents) if (tree.has(parent)) tree.add(pid);
  }
  let [cpu, resident] = [0, 0];
  for (const pid of tree) {
    const fields = statOf(pid);
    if (fields === undefined) continue;
    cpu += (Number(fields[11]) + Number(fields[12])) * TICK;
    resident += residentOf(pid);
  }
  return { cpu, resident };
}

function parentsOfAll(): Map<number, number> {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    const fields = /^\d+$/.test(entry) ? statOf(Number(entry)) : undefined;
    if (fields !== undefined) parents.set(Number(entry), Number(fields[1]));
  }
  return parents;
}

/** The fields after the name, which may hold spaces: state, ppid, … Undefined when the process has ended. */
function statOf(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

function residentOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1] ?? "0";
  return Number(kilobytes) * 1024;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
