/**
 * CPU time of a server with all the processes it ever starts, from the kernel's own books (cgroups, v1 or v2): children that have ended
 * are in them, which /proc forgets.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/** v2 alone, v2 beside v1, v1. */
const ROOTS = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup", "/sys/fs/cgroup/cpuacct"];

export class Account {
  readonly #folder: string;

  constructor(name: string) {
    const isV2 = (root: string): boolean => existsSync(join(root, "cgroup.controllers"));
    const root = ROOTS.find((each) => existsSync(join(each, "cpuacct.usage"))) ?? ROOTS.find(isV2);
    if (root === undefined) throw new Error("no cgroups here to count CPU time with");
    this.#folder = join(root, `sidero-bench-${process.pid}-${name}`);
    mkdirSync(this.#folder, { recursive: true });
  }

  /** What to run so that a command is in the books from its first moment, with whatever it starts. */
  command(command: readonly string[]): [program: string, args: string[]] {
    return ["sh", ["-c", 'echo $$ > "$0" && exec "$@"', join(this.#folder, "cgroup.procs"), ...command]];
  }

  /** Milliseconds so far. */
  get cpu(): number {
    const v1 = join(this.#folder, "cpuacct.usage");
    if (existsSync(v1)) return Number(readFileSync(v1, "utf8")) / 1e6;
    return Number(/usage_usec (\d+)/.exec(readFileSync(join(this.#folder, "cpu.stat"), "utf8"))![1]) / 1e3;
  }

  /** When all of its processes have ended. */
  close(): void {
    rmdirSync(this.#folder);
  }
}
