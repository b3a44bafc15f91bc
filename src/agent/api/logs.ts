/** What agents have logged: the newest of it, in memory, by machine. */
export interface LoggedLine {
  /** Milliseconds since 1970, when it came here. */
  readonly at: number;
  /** The boot it is of. */
  readonly boot: string;
  readonly text: string;
}

export interface AgentLogs {
  /** `machine` is its Server's name, or the boot's id until it has one. */
  append(machine: string, lines: readonly LoggedLine[]): void;
  /** What was logged before a boot's machine had a name. */
  rename(from: string, to: string): void;
  /** Oldest first; what no longer fits is gone. */
  logsOf(machine: string): readonly LoggedLine[];
}

export interface AgentLogsOptions {
  /** Bytes kept of one machine. */
  readonly perMachine?: number;
  /** Bytes kept of all machines together; those silent for longest are forgotten first. */
  readonly inAll?: number;
}

interface Ring {
  lines: LoggedLine[];
  /** Lines before it have been dropped. */
  first: number;
  bytes: number;
}

/** What a line takes in memory beside its text, about. */
const OVERHEAD = 64;
/** Dropped lines that may lie at the front of a ring. */
const SPENT = 1024;

export function createAgentLogs({ perMachine = 256 * 1024, inAll = 64 * 1024 * 1024 }: AgentLogsOptions = {}): AgentLogs {
  /** In the order in which they last grew. */
  const rings = new Map<string, Ring>();
  let total = 0;

  function trim(ring: Ring): void {
    while (ring.bytes > perMachine) {
      const size = sizeOf(ring.lines[ring.first++]!);
      ring.bytes -= size;
      total -= size;
    }
    if (ring.first >= SPENT) {
      ring.lines = ring.lines.slice(ring.first);
      ring.first = 0;
    }
  }

  function append(machine: string, lines: readonly LoggedLine[]): void {
    const ring = rings.get(machine) ?? { lines: [], first: 0, bytes: 0 };
    rings.delete(machine);
    rings.set(machine, ring);
    for (const line of lines) {
      const size = sizeOf(line);
      ring.lines.push(line);
      ring.bytes += size;
      total += size;
      trim(ring);
    }
    for (const [silent, { bytes }] of rings) {
      if (total <= inAll || silent === machine) break;
      rings.delete(silent);
      total -= bytes;
    }
  }

  const logsOf = (machine: string): readonly LoggedLine[] => {
    const ring = rings.get(machine);
    return ring === undefined ? [] : ring.lines.slice(ring.first);
  };

  return {
    append,
    logsOf,
    rename(from, to) {
      const lines = logsOf(from);
      if (lines.length === 0) return;
      total -= rings.get(from)!.bytes;
      rings.delete(from);
      append(to, lines);
    },
  };
}

/** JavaScript keeps two bytes a character at worst. */
function sizeOf({ text }: LoggedLine): number {
  return 2 * text.length + OVERHEAD;
}
