/** What can be fuzzed: something that takes bytes from a network, and must answer or refuse whatever they are. */
import { Fault } from "#std/fault.ts";

export interface Parser {
  /** Folder of its corpus. */
  readonly name: string;
  /** Genuine inputs, besides those of the corpus. */
  readonly seeds: readonly Uint8Array[];
  /** Pieces that mean something to it. */
  readonly words: readonly Uint8Array[];
  /** The longest input there can be, in bytes. */
  readonly longest: number;
  /**
   * Parses, and does with what it parsed all that others do with it. Throws (or rejects) when something is wrong with the parser: a
   * refusal that is as it should be is none.
   */
  run(input: Uint8Array): void | Promise<void>;
}

export function latin(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** Calls `parse`; undefined when it refuses with a Fault that blames the sender. Everything else it throws is a find. */
export function read<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (Fault.is(error) && error.fault === "peer") return undefined;
    throw error;
  }
}
