/** `sidero sim`: the simulated machines of a checkout, against a Sidero that runs. They are no part of the product and are looked for beside it. */
import { existsSync } from "node:fs";
import { Fault } from "#std/fault.ts";
import type { Client } from "#kube/client.ts";
import { openTerminal } from "./terminal.ts";

export interface SimFlags {
  readonly machines: string;
  readonly endpoint: string;
  readonly seed: string;
  readonly speed: string;
  /** False: nobody tells Sidero of the BMCs. */
  readonly introduce: boolean;
  readonly kubeconfig?: string;
}

interface LiveModule {
  readonly runLive: (options: {
    readonly machines: number;
    readonly seed: number;
    readonly endpoint: string;
    readonly speed: number;
    readonly client?: Client;
    readonly signal: AbortSignal;
    readonly print: (line: string) => void;
  }) => Promise<void>;
}

const FILE = new URL("../../sim/live/live.ts", import.meta.url);
const MOST_MACHINES = 10_000;

/** Until a signal ends it. */
export async function sim(flags: SimFlags, data: string): Promise<void> {
  const machines = wholeNumber("machines", flags.machines, 1, MOST_MACHINES);
  const seed = wholeNumber("seed", flags.seed, 0, 2 ** 31);
  const speed = wholeNumber("speed", flags.speed, 1, 1000);
  if (!/^[\w.-]+:\d{1,5}$/.test(flags.endpoint)) throw usage("endpoint", `"${flags.endpoint}" is not HOST:PORT`);
  if (!existsSync(FILE)) throw usage("sim", "the simulation is part of the checkout only");
  const api = flags.introduce ? await openTerminal(data, flags.kubeconfig) : undefined;
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());
  const { runLive } = (await import(FILE.href)) as LiveModule;
  try {
    const print = (line: string): void => console.log(line);
    const client = api && { client: api.terminal.client };
    await runLive({ machines, seed, speed, endpoint: flags.endpoint, ...client, signal: stop.signal, print });
  } finally {
    await api?.close();
  }
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw usage(name, `"${text}" is not a number from ${least} to ${most}`);
  return value;
}

function usage(name: string, problem: string): Fault {
  return new Fault("cli.usage", `--${name}: ${problem}`, { fault: "caller", retry: "never" });
}
