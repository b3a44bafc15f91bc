/**
 * A backup: a directory with the journal, the keys, and a manifest of their digests, so that a restored installation is the same one to
 * its clients.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { disk } from "#io/node/disk.ts";
import { JOURNAL_FILE } from "#io/node/journal-database.ts";
import { Fault } from "#std/fault.ts";
import { isObject } from "#std/json.ts";
import { VERSION } from "./version.ts";

const FORMAT = "sidero-backup/1";
const MANIFEST = "backup.json";
/** Folder of the keys, in a backup as in a data directory. */
export const KEYS = "pki";

export interface Manifest {
  readonly format: string;
  readonly sidero: string;
  /** RFC 3339. */
  readonly made: string;
  /** SHA-256, hex, by path in the backup. */
  readonly files: Readonly<Record<string, string>>;
}

/** Describes what lies in a backup that is otherwise complete, and thereby completes it. */
export async function writeManifest(backup: string): Promise<Manifest> {
  const keys = (await disk.list(join(backup, KEYS))).map((file) => `${KEYS}/${file}`);
  const files: Record<string, string> = {};
  for (const file of [JOURNAL_FILE, ...keys]) files[file] = await digestOf(join(backup, file));
  const manifest = { format: FORMAT, sidero: VERSION, made: new Date().toISOString(), files };
  await disk.writeAtomic(join(backup, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`, 0o600);
  return manifest;
}

/** The manifest of a whole backup: Fault `cli.backup` when it is not one, names files elsewhere, or not what lies there. */
export async function readManifest(backup: string): Promise<Manifest> {
  const path = join(backup, MANIFEST);
  const bytes = await disk.read(path);
  if (bytes === undefined) throw refused(`${backup} is not a backup: it has no ${MANIFEST}`);
  const manifest = parseObject(Buffer.from(bytes).toString());
  if (manifest?.["format"] !== FORMAT || !isObject(manifest["files"])) throw refused(`${path} is not one of ${FORMAT}`);
  const files = Object.keys(manifest["files"]);
  const strange = files.find((file) => file !== JOURNAL_FILE && !/^pki\/\w[\w.-]*$/.test(file));
  if (strange !== undefined || !files.includes(JOURNAL_FILE)) throw refused(`${path} names "${strange ?? "no journal"}"`);
  for (const [file, digest] of Object.entries(manifest["files"])) {
    const found = await digestIfThere(join(backup, file));
    if (found !== digest)
      throw refused(`${join(backup, file)} ${found === undefined ? "is missing" : "is not what was backed up"}`);
  }
  return manifest as unknown as Manifest;
}

/** Durably, and for its owner only. */
export async function copyKey(from: string, to: string): Promise<void> {
  const bytes = await disk.read(from);
  if (bytes === undefined) throw refused(`${from} has gone away`);
  await disk.writeAtomic(to, bytes, 0o600);
}

/** Undefined when there is no such file. */
export async function digestIfThere(path: string): Promise<string | undefined> {
  return (await exists(path)) ? digestOf(path) : undefined;
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Undefined for anything but a JSON object. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function refused(message: string, cause?: unknown): Fault {
  return new Fault("cli.backup", message, { fault: "caller", retry: "never", ...(cause === undefined ? {} : { cause }) });
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
