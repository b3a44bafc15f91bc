/** `sidero why`: where a machine is, what it waits for, and what can be done about it. */
import type { Command } from "commander";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Fault } from "#std/fault.ts";
import { findBoots } from "./boot-search.ts";
import { bootLines, machineLines } from "./boot-text.ts";
import { findServer } from "./server-search.ts";
import { type Given, type OpenTerminal, reachingTheApi, type Terminal, withTerminal } from "./terminal.ts";
import { whyLines } from "./why-text.ts";

export function addWhyCommand(program: Command, open: OpenTerminal): void {
  reachingTheApi(program.command("why"))
    .description("Say where a machine is, what it waits for, until when, and what you can do.")
    .argument("<machine>", "Server or its beginning, host name, MAC or IP address, or NAMESPACE/NAME of a MetalMachine")
    .action((machine: string, given: Given) => withTerminal(open, given, (terminal) => why(machine, terminal)));
  reachingTheApi(program.command("waiting"))
    .description("List the Servers that wait, longest first: for what, since when, and what you can do.")
    .action((given: Given) => withTerminal(open, given, waiting));
}

/** Rejects with the faults of {@link findServer}, and those of the API. */
export async function why(machine: string, { client, print, style, now }: Terminal): Promise<void> {
  let server: Server;
  try {
    server = await findServer(client, machine);
  } catch (error) {
    if (!Fault.is(error, "cli.not-found")) throw error;
    // Nobody's Server yet: what was seen of its boots says how far it is.
    const records = await findBoots(client, machine).catch(() => Promise.reject(error));
    for (const line of machineLines(records.at(-1)!, style)) print(line);
    for (const line of bootLines(records.at(-1)!, "Newest boot", now(), style)) print(line);
    return;
  }
  const records = await findBoots(client, server.metadata.name!).catch(() => []);
  for (const line of whyLines(server, records.at(-1), now(), style)) print(line);
}

/** One line for each Server that waits. */
export async function waiting({ client, print, style, now }: Terminal): Promise<void> {
  const { items } = await client.for(Server).listAll({ limit: 500 });
  const waits = items
    .flatMap((server) => (server.status?.waiting === undefined ? [] : [{ server, wait: server.status.waiting }]))
    .toSorted((a, b) => Date.parse(a.wait.since) - Date.parse(b.wait.since));
  if (waits.length === 0) print(`none of ${items.length} Servers waits for anything`);
  for (const { server, wait } of waits) {
    const isLate = wait.deadline !== undefined && Date.parse(wait.deadline) < now();
    const head = `${server.metadata.name}  ${server.status?.phase}  waits for ${wait.waitingFor}, since ${wait.since.slice(0, 19)}Z`;
    print(isLate ? style("red", head) : head);
    if (wait.remedy !== undefined) print(`    you can ${wait.remedy}`);
  }
}
