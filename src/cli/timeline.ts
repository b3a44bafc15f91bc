/** `sidero timeline`: the boots of a machine, as they were seen. */
import type { Command } from "commander";
import { stringify } from "yaml";
import { BootRecord, MACHINE_LABEL } from "#kinds/metal/v1alpha2/boot-record.ts";
import { isExpired } from "#kube/status.ts";
import { Fault } from "#std/fault.ts";
import { findBoots } from "./boot-search.ts";
import { bootLines, machineLines, outlookLines, sightingLine } from "./boot-text.ts";
import { type Given, type OpenTerminal, reachingTheApi, type Terminal, withTerminal } from "./terminal.ts";

export interface TimelineOptions {
  readonly output?: "text" | "json" | "yaml";
  /** 1 is the newest, 2 the one before it. */
  readonly boot?: number;
  readonly all?: boolean;
  /** Goes on with what is seen from now on, until the signal. */
  readonly follow?: boolean;
}

export function addTimelineCommand(program: Command, open: OpenTerminal): void {
  reachingTheApi(program.command("timeline"))
    .description("Show what was seen of a machine, boot by boot, and what it waits for.")
    .argument("<machine>", "Server, UUID or its beginning, host name, MAC or IP address")
    .option("-o, --output <FORMAT>", "text, json or yaml", "text")
    .option("--boot <N>", "only the Nth boot, 1 being the newest (the default)")
    .option("--all", "all boots that are kept, oldest first")
    .option("-f, --follow", "go on with what is seen from now on")
    .action(async (machine: string, given: Given) => {
      const options = optionsOf(given);
      await withTerminal(open, given, (terminal) => timeline(machine, options, terminal));
    });
}

function optionsOf({ output, boot, all, follow }: Given): TimelineOptions {
  if (output !== "text" && output !== "json" && output !== "yaml") throw usage("-o: it must be text, json or yaml");
  if (boot !== undefined && !/^[1-9]\d?$/.test(String(boot))) throw usage("--boot: it must be a number from 1 on");
  if (follow === true && (output !== "text" || boot !== undefined)) throw usage("--follow is about the newest boot, as text");
  return { output, ...(boot === undefined ? {} : { boot: Number(boot) }), all: all === true, follow: follow === true };
}

/** Rejects with the faults of {@link findBoots}, `cli.usage` for a boot that is not there, and those of the API. */
export async function timeline(machine: string, options: TimelineOptions, terminal: Terminal): Promise<void> {
  const records = await findBoots(terminal.client, machine);
  const { boot = 1, all = false, output = "text" } = options;
  if (boot > records.length) throw usage(`--boot ${boot}: ${records.length} boots of ${machine} are on record`);
  const chosen = all ? records : [records.at(-boot)!];
  const { print, style, now } = terminal;
  if (output !== "text") {
    const list = { apiVersion: BootRecord.apiVersion, kind: BootRecord.listKind, metadata: {}, items: chosen };
    print(output === "json" ? JSON.stringify(list, undefined, 2) : stringify(list, { version: "1.1", lineWidth: 0 }).trimEnd());
    return;
  }
  for (const line of machineLines(records.at(-1)!, style)) print(line);
  for (const record of chosen) {
    print("");
    const back = records.length - records.indexOf(record);
    for (const line of bootLines(record, titleOf(back, records.length), now(), style)) print(line);
  }
  if (options.follow === true) await follow(records.at(-1)!, terminal);
}

function titleOf(back: number, count: number): string {
  if (count === 1) return "Boot";
  return back === 1 ? `Newest of ${count} boots` : `Boot ${back} of ${count}, newest first`;
}

/** Prints each sighting once, as it comes; repetitions of one that has been printed are not shown. */
async function follow(last: BootRecord, { client, print, style, now, signal }: Terminal): Promise<void> {
  const labelSelector = `${MACHINE_LABEL}=${last.spec.machine}`;
  const shown = new Map([[last.metadata.name!, last]]);
  const show = (record: BootRecord): void => {
    const { name = "" } = record.metadata;
    const before = shown.get(name);
    if (before === undefined && Date.parse(record.status?.startedAt ?? "") < Date.parse(last.status?.startedAt ?? "")) return;
    shown.set(name, record);
    const sightings = record.status?.sightings ?? [];
    if (before === undefined && sightings.length > 0) print("");
    const known = new Set(before?.status?.sightings?.map(({ time, what, text }) => `${time} ${what} ${text}`));
    for (const [i, sighting] of sightings.entries()) {
      if (known.has(`${sighting.time} ${sighting.what} ${sighting.text}`)) continue;
      print(sightingLine(sighting, sightings[0]!, sightings[i - 1], style));
    }
    const outlook = ({ status }: BootRecord): string | undefined => status?.waitingFor?.what ?? status?.next ?? status?.endedAt;
    if (before === undefined || outlook(before) !== outlook(record))
      for (const line of outlookLines(record, now(), style)) print(line);
  };
  const isOver = (): boolean => signal?.aborted === true;
  for (let resourceVersion = ""; !isOver();) {
    try {
      if (resourceVersion === "") {
        const { items, metadata } = await client.for(BootRecord).listAll({ labelSelector, ...(signal && { signal }) });
        for (const record of items) show(record);
        resourceVersion = metadata.resourceVersion ?? "";
      }
      for await (const event of client.for(BootRecord).watch({ labelSelector, resourceVersion, ...(signal && { signal }) })) {
        resourceVersion = event.type === "BOOKMARK" ? event.resourceVersion : (event.object.metadata.resourceVersion ?? "");
        if (event.type === "ADDED" || event.type === "MODIFIED") show(event.object);
      }
    } catch (error) {
      if (isOver()) return;
      if (!isExpired(error)) throw error;
      resourceVersion = "";
    }
  }
}

function usage(message: string): Fault {
  return new Fault("cli.usage", message, { fault: "caller", retry: "never" });
}
