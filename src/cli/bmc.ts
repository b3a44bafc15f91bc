/** `sidero bmc` and `sidero console`: a machine's BMC, asked directly from the machine that runs the command. */
import type { Command } from "commander";
import type { BmcCapabilities, BmcInventory, Health, PowerState, Sensor } from "#decide/power.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Client } from "#kube/client.ts";
import { Fault } from "#std/fault.ts";
import { bmcLines } from "./bmc-text.ts";
import type { BmcLook } from "./bmc-text.ts";
import { Escape } from "./escape.ts";
import { findServer } from "./server-search.ts";
import { type Given, type OpenTerminal, reachingTheApi, type Terminal, withTerminal } from "./terminal.ts";

/** A Server's BMC, with its credentials read. Every method rejects with the faults of BMCs. */
export interface OpenedBmc {
  /** For people. */
  readonly address: string;
  power(signal: AbortSignal): Promise<PowerState>;
  capabilities(signal: AbortSignal): Promise<BmcCapabilities>;
  inventory(signal: AbortSignal): Promise<BmcInventory>;
  health(signal: AbortSignal): Promise<{ readonly overall: Health; readonly sensors: readonly Sensor[] }>;
  console(signal: AbortSignal): Promise<BmcConsole>;
  close(): Promise<void>;
}

export interface BmcConsole {
  readonly output: AsyncIterable<Uint8Array>;
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Rejects with Fault `cli.no-bmc` when the Server has none that can be used. */
export type OpenBmc = (server: Server, client: Client) => Promise<OpenedBmc>;

/** The screen and the keys of a person, byte by byte. */
export interface RawTerminal {
  readonly keys: AsyncIterable<Uint8Array>;
  show(bytes: Uint8Array): void;
  /** Gives the terminal back as it was. */
  close(): void;
}

/** Milliseconds for each thing that is asked of a BMC. */
const PATIENCE = 180_000;

export interface BmcDoors {
  readonly openBmc: OpenBmc;
  readonly openRaw: () => Promise<RawTerminal>;
}

export function addBmcCommands(program: Command, open: OpenTerminal, { openBmc, openRaw }: BmcDoors): void {
  const machine = "Server or its beginning, host name, MAC or IP address, or NAMESPACE/NAME of a MetalMachine";
  reachingTheApi(program.command("bmc"))
    .description("Ask a machine's BMC for its power, inventory and sensors, now and directly.")
    .argument("<machine>", machine)
    .action((name: string, given: Given) => withTerminal(open, given, (terminal) => showBmc(name, terminal, openBmc)));
  reachingTheApi(program.command("console"))
    .description("Open a machine's serial console through its BMC. ~. at the beginning of a line ends it.")
    .argument("<machine>", machine)
    .action((name: string, given: Given) =>
      withTerminal(open, given, (terminal) => runConsole(name, terminal, openBmc, openRaw)),
    );
}

/** What cannot be read is said where it would stand; rejects when nothing could. */
export async function showBmc(name: string, { client, print, style }: Terminal, openBmc: OpenBmc): Promise<void> {
  const server = await findServer(client, name);
  const bmc = await openBmc(server, client);
  try {
    // One call at a time: that is what a BMC can bear.
    const power = await attempt((signal) => bmc.power(signal));
    // Who does not answer, or let us in, does not do so the next time.
    if (power instanceof Fault && (power.code === "bmc.unreachable" || power.code === "bmc.denied")) throw power;
    const inventory = await attempt((signal) => bmc.inventory(signal));
    const capabilities = await attempt((signal) => bmc.capabilities(signal));
    const health = await attempt((signal) => bmc.health(signal));
    const look: BmcLook = { address: bmc.address, power, inventory, capabilities, health };
    for (const line of bmcLines(server, look, style)) print(line);
  } finally {
    await bmc.close();
  }
}

async function attempt<T>(read: (signal: AbortSignal) => Promise<T>): Promise<T | Fault> {
  try {
    return await read(AbortSignal.timeout(PATIENCE));
  } catch (error) {
    return Fault.from(error);
  }
}

/** Until the machine's side ends, or `~.` is typed. */
export async function runConsole(
  name: string,
  { client, print }: Terminal,
  openBmc: OpenBmc,
  openRaw: BmcDoors["openRaw"],
): Promise<void> {
  const server = await findServer(client, name);
  const bmc = await openBmc(server, client);
  try {
    const console = await bmc.console(AbortSignal.timeout(PATIENCE));
    print(`[console of ${server.metadata.name} by ${bmc.address}: ~. ends it, ~? says more]`);
    const terminal = await openRaw();
    try {
      await Promise.race([listen(console, terminal), speak(console, terminal)]);
    } finally {
      terminal.close();
      await console.close();
    }
    print("[console closed]");
  } finally {
    await bmc.close();
  }
}

async function listen(console: BmcConsole, terminal: RawTerminal): Promise<void> {
  for await (const bytes of console.output) terminal.show(bytes);
}

const HELP = "\r\n[~. ends the console, ~~ is a tilde; both at the beginning of a line]\r\n";

async function speak(console: BmcConsole, terminal: RawTerminal): Promise<void> {
  const escape = new Escape();
  for await (const bytes of terminal.keys) {
    const { send, ends, asksForHelp } = escape.take(bytes);
    if (asksForHelp) terminal.show(new TextEncoder().encode(HELP));
    if (send.length > 0) await console.write(send);
    if (ends) return;
  }
}
