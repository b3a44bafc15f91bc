/** `sidero certificate`: what was erased on a machine, by whose signature, and whether that is good. */
import type { Command } from "commander";
import { canonicalJson, eraseRecord, parseSignature, signedText } from "#decide/wipe/record.ts";
import { eraseKey } from "#kube/erase-keys.ts";
import { Fault } from "#std/fault.ts";
import type { Json } from "#std/json.ts";
import { isObject } from "#std/json.ts";
import { certificateLines } from "./certificate-text.ts";
import { findServer } from "./server-search.ts";
import { type Given, type OpenTerminal, reachingTheApi, type Terminal, withTerminal } from "./terminal.ts";

export interface CertificatePorts {
  /** The text of a file. */
  readonly readFile: (path: string) => Promise<string>;
  /** Whether the signature (base 64) over the text was made with the other half of the key (PEM). */
  readonly verify: (publicKey: string, text: string, signature: string) => boolean;
}

/** What `-o json` prints, and `--verify` reads. */
export interface Certificate {
  readonly record: Json;
  readonly keyId: string;
  /** Base 64, over the line of `record` (`signedText`). */
  readonly signature: string;
}

const FORMATS = ["text", "json", "canonical"] as const;

export function addCertificateCommand(program: Command, open: OpenTerminal, ports: CertificatePorts): void {
  reachingTheApi(program.command("certificate"))
    .description("Print the erase record of a machine, once its signature has been found to be good.")
    .argument("[machine]", "Server or its beginning, host name, MAC or IP address")
    .option("-o, --output <FORMAT>", "text, json, or canonical: exactly the bytes that are signed", "text")
    .option("--key <FILE>", "public key (PEM) to verify with, instead of what the API has published")
    .option("--verify <FILE>", "verify what -o json printed, without asking anybody; needs --key")
    .action(async (machine: string | undefined, given: Given) => {
      const { output, key, verify } = given as Record<string, string | undefined>;
      const format = FORMATS.find((each) => each === output);
      if (format === undefined) throw usage("-o: it must be text, json or canonical");
      if (verify !== undefined) {
        if (key === undefined || machine !== undefined) throw usage("--verify needs --key, and no machine");
        return console.log((await verifyFile(verify, key, ports)).join("\n"));
      }
      if (machine === undefined) throw usage("which machine?");
      await withTerminal(open, given, (terminal) => certificate(machine, format, key, terminal, ports));
    });
}

/**
 * Rejects with the faults of {@link findServer}, `cli.not-found` for a machine that has no record or whose key is nowhere, and `cli.not-verified` for a record
 * that was not signed as it stands.
 */
export async function certificate(
  machine: string,
  format: (typeof FORMATS)[number],
  keyFile: string | undefined,
  { client, print, style }: Terminal,
  ports: CertificatePorts,
): Promise<void> {
  const server = await findServer(client, machine);
  const { name = "" } = server.metadata;
  const wipe = server.status?.wipe;
  const signed = wipe?.signature === undefined ? undefined : parseSignature(wipe.signature);
  if (wipe?.state !== "done" || signed === undefined) {
    const why =
      wipe === undefined
        ? "it was never wiped"
        : wipe.state === "done"
          ? "its last wipe was not signed"
          : `its last wipe is ${wipe.state}`;
    throw new Fault("cli.not-found", `${name} has no erase record: ${why}`, { fault: "caller", retry: "later" });
  }
  const record = eraseRecord(name, wipe);
  const key = keyFile === undefined ? await eraseKey(client, signed.keyId) : await ports.readFile(keyFile);
  if (key === undefined) {
    const message = `key ${signed.keyId} is not published: name it with --key`;
    throw new Fault("cli.not-found", message, { fault: "world", retry: "later" });
  }
  const whole: Certificate = { record, ...signed };
  check(whole, key, name, ports);
  if (format === "json") print(JSON.stringify(whole, undefined, 2));
  else if (format === "canonical") print(canonicalJson(record));
  else for (const line of certificateLines(name, wipe, signed, style)) print(line);
}

/** Lines for people when it is good; the faults of {@link certificate} when it is not. */
export async function verifyFile(path: string, keyFile: string, ports: CertificatePorts): Promise<string[]> {
  const found = parse(await ports.readFile(path));
  if (found === undefined) throw usage(`--verify: ${path} is not what "sidero certificate -o json" prints`);
  check(found, await ports.readFile(keyFile), path, ports);
  const { server, wipe, disks } = found.record as {
    server?: { name?: string };
    wipe?: { finishedAt?: string };
    disks?: unknown[];
  };
  const count = Array.isArray(disks) ? disks.length : 0;
  return [`good: ${server?.name ?? "?"}, ${count} disks, ${wipe?.finishedAt ?? "?"}, key ${found.keyId}`];
}

function parse(text: string): Certificate | undefined {
  try {
    const { record, keyId, signature } = JSON.parse(text) as Partial<Certificate>;
    if (!isObject(record) || typeof keyId !== "string" || typeof signature !== "string") return undefined;
    return { record, keyId, signature };
  } catch {
    return undefined;
  }
}

function check({ record, signature, keyId }: Certificate, key: string, what: string, { verify }: CertificatePorts): void {
  if (verify(key, signedText(record), signature)) return;
  const message = `${what}: the record is not what was signed with key ${keyId}: it was changed since, or the key is another one`;
  throw new Fault("cli.not-verified", message, { fault: "world", retry: "never" });
}

function usage(message: string): Fault {
  return new Fault("cli.usage", message, { fault: "caller", retry: "never" });
}
