/** The agent's log: lines on the console, and kept in order, within bounds, until the server has them. */
import type { Clock } from "#io/clock.ts";
import type { Facts, Log } from "#io/log.ts";

export interface AgentLog extends Log {
  /** Lines from number `from` on that are still there, at most `most`; `first` is the number of the first one. */
  since(from: number, most: number): { readonly first: number; readonly lines: readonly string[] };
  /** Number of the line that comes next. */
  readonly next: number;
}

/** What is kept, in lines and characters of one line: 2 MiB at most. */
const LINES = 4096;
const LINE = 512;

/** `print` shows one line on the console. */
export function createAgentLog(clock: Clock, print: (line: string) => void): AgentLog {
  const lines: string[] = [];
  let next = 0;
  const write = (level: string, message: string, facts: Facts): void => {
    const known = Object.entries(facts).map(
      ([name, value]) => ` ${name}=${value instanceof Error ? value.message : String(value)}`,
    );
    for (const text of `${message}${known.join("")}`.split("\n")) {
      const line = `${new Date(clock.now()).toISOString().slice(11, 23)} ${level} ${text}`.slice(0, LINE);
      lines.push(line);
      next++;
      if (lines.length > LINES) lines.shift();
      print(line);
    }
  };
  const wrap = (bound: Facts): Log => {
    const at = (level: string) => (message: string, facts?: Facts) => write(level, message, { ...bound, ...facts });
    return {
      error: at("error"),
      warn: at("warn "),
      info: at("info "),
      debug() {},
      with: (facts) => wrap({ ...bound, ...facts }),
    };
  };
  return {
    ...wrap({}),
    since: (from, most) => {
      const first = Math.max(from, next - lines.length);
      return { first, lines: lines.slice(lines.length - (next - first)).slice(0, most) };
    },
    get next() {
      return next;
    },
  };
}
