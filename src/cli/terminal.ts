/** What commands that ask the API need: a client of it, a place to print, and the time. `main` opens it for one run of a command. */
import type { Command } from "commander";
import type { Client } from "#kube/client.ts";
import type { Style } from "./boot-text.ts";

export interface Terminal {
  readonly client: Client;
  /** One line, without its end. */
  readonly print: (line: string) => void;
  readonly style: Style;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

/** `kubeconfig`: a file; undefined: where kubectl would look. */
export type OpenTerminal = (kubeconfig: string | undefined) => Promise<{ readonly terminal: Terminal; close(): Promise<void> }>;

/** What commander hands to an action. */
export type Given = Record<string, string | true | undefined>;

/** Adds the option that says how the API is reached. */
export function reachingTheApi(command: Command): Command {
  return command.option(
    "--kubeconfig <FILE>",
    "how to reach the API (default: $KUBECONFIG, then DIR/kubeconfig of $SIDERO_DATA)",
  );
}

/** Runs `work` with a terminal that is closed afterwards. */
export async function withTerminal(open: OpenTerminal, given: Given, work: (terminal: Terminal) => Promise<void>): Promise<void> {
  const { terminal, close } = await open(given["kubeconfig"] as string | undefined);
  try {
    await work(terminal);
  } finally {
    await close();
  }
}
