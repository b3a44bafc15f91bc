/** What a machine writes to its serial line: kept line by line with the time, waited for by pattern. */
import { createWriteStream } from "node:fs";

/** Lines that are kept for `until`; the file has them all. */
const KEPT = 20_000;

export interface Line {
  /** Seconds since the machine was switched on. */
  readonly at: number;
  readonly text: string;
}

export interface Serial {
  /** The log file. */
  readonly path: string;
  /** The machine is switched on: time starts anew, and `until` looks at nothing from before. */
  restart(): void;
  take(piece: Uint8Array): void;
  /** The first line, also of those already written, that matches; throws with the last lines after that many seconds. */
  until(pattern: RegExp, seconds: number): Promise<Line>;
  /** The last lines, for people. */
  tail(count?: number): string;
  end(): void;
}

interface Waiter {
  readonly pattern: RegExp;
  found(line: Line): void;
}

export function createSerial(name: string, path: string): Serial {
  const file = createWriteStream(path, { flags: "a" });
  const decoder = new TextDecoder();
  const waiters = new Set<Waiter>();
  let started = performance.now();
  let lines: Line[] = [];
  let rest = "";

  const now = (): number => (performance.now() - started) / 1000;
  const offer = (line: Line): void => {
    for (const waiter of waiters) if (waiter.pattern.test(line.text)) waiter.found(line);
  };
  const show = ({ at, text }: Line): string => `${at.toFixed(2).padStart(8)} ${text}`;
  const keep = (text: string): void => {
    const line = { at: now(), text };
    lines.push(line);
    if (lines.length > KEPT) lines.shift();
    file.write(`${show(line)}\n`);
    offer(line);
  };
  const tail = (count = 40): string => [...lines.slice(-count), { at: now(), text: plain(rest) }].map(show).join("\n");

  return {
    path,
    restart() {
      started = performance.now();
      lines = [];
      rest = "";
    },
    take(piece) {
      const pieces = `${rest}${decoder.decode(piece, { stream: true })}`.split("\n");
      rest = pieces.pop()!.slice(-KEPT);
      for (const text of pieces.map(plain)) if (text.trim() !== "") keep(text);
      // A prompt, or dots that go on, end no line.
      if (rest !== "") offer({ at: now(), text: plain(rest) });
    },
    until(pattern, seconds) {
      const seen = lines.find(({ text }) => pattern.test(text));
      if (seen !== undefined) return Promise.resolve(seen);
      const late = Error(`${name} has not written ${String(pattern)} to its serial line within ${seconds} s`);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiters.delete(waiter);
          late.message += `:\n${tail()}`;
          reject(late);
        }, seconds * 1000);
        const waiter: Waiter = {
          pattern,
          found(line) {
            clearTimeout(timer);
            waiters.delete(waiter);
            resolve(line);
          },
        };
        waiters.add(waiter);
      });
    },
    tail,
    end: () => file.end(),
  };
}

/** Without what moves the cursor or colours the text. */
function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what it is about
  return text.replace(/\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][0-9A-B]|\x1bc|[\x00-\x09\x0b-\x1f\x7f]/g, "");
}
