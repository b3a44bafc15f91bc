/**
 * When a machine's log goes on in a new file, and which old files go, so that all logs together keep a budget. The noisiest machine pays:
 * a machine that floods its log takes no other machine's history away.
 */

export interface LogFile {
  readonly machine: string;
  /** Counts up with every file of the machine; the highest is the one that is written. */
  readonly number: number;
  readonly bytes: number;
}

export interface LogBudget {
  /** A file ends before it is longer, unless one single write is. */
  readonly file: number;
  /** All files of one machine. */
  readonly machine: number;
  /** All files of all machines. */
  readonly total: number;
}

export interface Rotation {
  /** The next write goes into a new file, with this number. */
  readonly into: number;
  /** Oldest first for each machine; never the file that is written. */
  readonly remove: readonly LogFile[];
}

/** Before `incoming` bytes are written to the log of `machine`. */
export function decideRotation(files: readonly LogFile[], machine: string, incoming: number, budget: LogBudget): Rotation {
  const logs = byMachine(files);
  const own = logs.get(machine) ?? [];
  const last = own.at(-1);
  const isFull = last === undefined || (last.bytes > 0 && last.bytes + incoming > budget.file);
  const into = isFull ? (last?.number ?? 0) + 1 : last.number;
  const written = { machine, number: into, bytes: (isFull ? 0 : last.bytes) + incoming };
  logs.set(machine, [...(isFull ? own : own.slice(0, -1)), written]);
  return { into, remove: excess(logs, budget) };
}

function excess(logs: ReadonlyMap<string, LogFile[]>, budget: LogBudget): LogFile[] {
  const removed: LogFile[] = [];
  const sizes = new Map([...logs].map(([machine, files]) => [machine, files.reduce((sum, { bytes }) => sum + bytes, 0)]));
  let total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);

  function removeOldest(machine: string): void {
    const file = logs.get(machine)!.shift()!;
    removed.push(file);
    sizes.set(machine, sizes.get(machine)! - file.bytes);
    total -= file.bytes;
  }

  for (const [machine, files] of logs) while (files.length > 1 && sizes.get(machine)! > budget.machine) removeOldest(machine);
  while (total > budget.total) {
    const noisiest = [...logs.keys()]
      .filter((machine) => logs.get(machine)!.length > 1)
      .reduce<string | undefined>(
        (most, each) => (most !== undefined && sizes.get(most)! >= sizes.get(each)! ? most : each),
        undefined,
      );
    if (noisiest === undefined) break;
    removeOldest(noisiest);
  }
  return removed;
}

function byMachine(files: readonly LogFile[]): Map<string, LogFile[]> {
  const logs = new Map<string, LogFile[]>();
  for (const file of files.toSorted((a, b) => a.number - b.number)) {
    const own = logs.get(file.machine);
    if (own === undefined) logs.set(file.machine, [file]);
    else own.push(file);
  }
  return logs;
}
