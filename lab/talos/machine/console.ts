/** What a machine says: to its serial line, by the kernel's console. */
import { Fault } from "#std/fault.ts";

export type Say = (text: string) => void;

export function createConsole(write: (line: string) => void): Say {
  return (text) => write(`[talos] ${text}\n`);
}

/** A problem in one line, for people. */
export function problemOf(error: unknown): string {
  return Fault.from(error).message.split("\n", 1)[0]!.slice(0, 500);
}
