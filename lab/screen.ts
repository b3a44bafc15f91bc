/** Lines that change in place at the bottom of a terminal, under lines that stay. Where there is no terminal, only the latter. */
import { stripVTControlCharacters } from "node:util";

const UP = (lines: number): string => `\x1b[${lines}A\r\x1b[J`;

export interface Screen {
  /** Lines in place come and go; without them, tell by `print` what happens. */
  readonly isLive: boolean;
  print(text: string): void;
  /** What stands at the bottom from now on. */
  show(lines: readonly string[]): void;
}

export function createScreen(output: NodeJS.WriteStream): Screen {
  let bottom: readonly string[] = [];
  const isLive = output.isTTY;

  const draw = (above: string, below: readonly string[]): void => {
    const erase = bottom.length === 0 ? "" : UP(bottom.length);
    // A line that is broken in two could not be taken back.
    bottom = below.map((line) => cut(line, output.columns - 1));
    output.write(`${erase}${above}${bottom.map((line) => `${line}\n`).join("")}`);
  };
  return {
    isLive,
    print: (text) => draw(`${text}\n`, bottom),
    show: (lines) => void (isLive && draw("", lines)),
  };
}

/** At most so many columns; a line that is too long loses its colours. */
function cut(line: string, columns: number): string {
  const text = stripVTControlCharacters(line);
  return text.length <= columns ? line : `${text.slice(0, columns - 1)}…`;
}
