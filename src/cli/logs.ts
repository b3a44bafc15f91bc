/** `sidero logs`: what a machine has said by SideroLink, of its kernel and of its services. */
import type { Command } from "commander";
import { Fault } from "#std/fault.ts";
import { isObject, type Json, type JsonObject } from "#std/json.ts";
import type { Style } from "./boot-text.ts";
import { findServer } from "./server-search.ts";
import { type Given, type OpenTerminal, reachingTheApi, type Terminal, withTerminal } from "./terminal.ts";

/** The body of an answer of the API, as it comes. */
export type OpenStream = (kubeconfig: string | undefined, target: string) => AsyncIterable<Uint8Array>;

export interface LogsOptions {
  readonly follow: boolean;
  /** Absent: all there are. */
  readonly lines?: number;
  /** Lines of JSON as they are. */
  readonly json: boolean;
}

const LINES = "1000";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function addLogsCommand(program: Command, open: OpenTerminal, stream: OpenStream): void {
  reachingTheApi(program.command("logs"))
    .description(
      "Print what a machine has said by SideroLink: the log of its kernel, and of services that are told to send theirs.",
    )
    .argument(
      "<machine>",
      "Server or its beginning, host name, MAC or IP address, or NAMESPACE/NAME of a MetalMachine; UUID of a machine that has no Server",
    )
    .option("-f, --follow", "go on with what comes")
    .option("--lines <N>", "how many of those there are, the last ones; or all", LINES)
    .option("--json", "print lines of JSON as they are kept")
    .action((machine: string, given: Given) =>
      withTerminal(open, given, (terminal) =>
        logs(machine, optionsOf(given), terminal, (target) => stream(given["kubeconfig"] as string | undefined, target)),
      ),
    );
}

function optionsOf({ follow, json, lines }: Given): LogsOptions {
  const text = String(lines);
  if (text !== "all" && !/^\d{1,6}$/.test(text)) {
    throw new Fault("cli.usage", `--lines: "${text}" is neither a number nor all`, { fault: "caller", retry: "never" });
  }
  return { follow: follow === true, json: json === true, ...(text === "all" ? {} : { lines: Number(text) }) };
}

/** Rejects with the faults of {@link findServer}, and those of the API. */
export async function logs(
  machine: string,
  { follow, json, lines }: LogsOptions,
  { client, print, style }: Terminal,
  stream: (target: string) => AsyncIterable<Uint8Array>,
): Promise<void> {
  const name = await nameOf(client, machine);
  const query = new URLSearchParams({ ...(lines !== undefined && { lines: String(lines) }), ...(follow && { follow: "true" }) });
  let printed = 0;
  for await (const line of linesOf(stream(`/sidero/logs/${name}?${query.toString()}`))) {
    print(json ? line : logText(line, style));
    printed++;
  }
  if (printed > 0 || lines === 0) return;
  throw new Fault("cli.not-found", `${name} has sent no log by SideroLink`, { fault: "world", retry: "later" });
}

async function nameOf(client: Terminal["client"], machine: string): Promise<string> {
  try {
    return (await findServer(client, machine)).metadata.name!;
  } catch (error) {
    if (Fault.is(error, "cli.not-found") && UUID.test(machine.toLowerCase())) return machine.toLowerCase();
    throw error;
  }
}

/** One that the stream breaks off in is left out. */
async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines.filter((line) => line !== "");
  }
}

/** `2026-01-02T03:04:05.678Z kern warning  text`: when by the machine's clock, of whom, how bad if it is, and what. */
export function logText(line: string, style: Style): string {
  const record = parse(line);
  if (record === undefined) return printable(line);
  const text = (key: string): string => (typeof record[key] === "string" ? printable(record[key]) : "");
  const time = (text("talos-time") || text("received")).replace(/(\.\d{3})\d+/, "$1");
  const level = text("talos-level");
  const isBad = /^(emerg|alert|crit|err|error|fatal|panic)/.test(level);
  const isWarning = level.startsWith("warn");
  const head = [time, text("talos-service") || text("facility") || "-", ...(isBad || isWarning ? [level] : [])].join(" ");
  const whole = `${head}  ${text("msg")}`;
  return isBad ? style("red", whole) : isWarning ? style("yellow", whole) : whole;
}

function parse(line: string): JsonObject | undefined {
  try {
    const value = JSON.parse(line) as Json;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A machine writes into its log what it likes; it does not steer the terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) => (character === "\t" ? character : "\ufffd"));
}
