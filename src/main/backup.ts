/**
 * `sidero backup` and `sidero restore`: a backup is a directory with the journal, the keys, and a manifest of their digests, so that a
 * restored installation is the same one to its clients. A server that is running makes the journal's copy itself.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { HttpResponse } from "#io/http.ts";
import { disk } from "#io/node/disk.ts";
import { createHttpClient } from "#io/node/http-client.ts";
import { JOURNAL_FILE } from "#io/node/journal-database.ts";
import { restoreJournal } from "#io/node/journal-restore.ts";
import { createJournal } from "#io/node/journal.ts";
import { readKubeconfig } from "#io/node/kubeconfig.ts";
import { readWhole } from "#kube/body.ts";
import { isStatus } from "#kube/exchange.ts";
import { Fault } from "#std/fault.ts";
import { isObject } from "#std/json.ts";
import { BACKUP_PATH } from "./backup-route.ts";
import { VERSION } from "./version.ts";

const FORMAT = "sidero-backup/1";
const MANIFEST = "backup.json";
const KEYS = "pki";
/** Bytes of a refusal that are read. */
const LONGEST_REFUSAL = 64 * 1024;

interface Manifest {
  readonly format: string;
  readonly sidero: string;
  /** RFC 3339. */
  readonly made: string;
  /** SHA-256, hex, by path in the backup. */
  readonly files: Readonly<Record<string, string>>;
}

/** Returns a line to print. Rejects with Fault `cli.backup`; a backup that failed leaves nothing behind. */
export async function backup(directory: string, target: string): Promise<string> {
  if (!(await exists(join(directory, JOURNAL_FILE)))) throw refused(`${directory} holds no store: nothing to back up`);
  await mkdir(target, { mode: 0o700 }).catch((cause: unknown) => {
    throw refused(`${target}: ${(cause as Error).message}`, cause);
  });
  try {
    await copyJournal(directory, join(target, JOURNAL_FILE));
    await copyKeys(directory, target);
    const files = Object.fromEntries(
      await Promise.all((await filesOf(target)).map(async (file) => [file, await digestOf(join(target, file))])),
    );
    const manifest: Manifest = { format: FORMAT, sidero: VERSION, made: new Date().toISOString(), files };
    await disk.writeAtomic(join(target, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`, 0o600);
    return `backed up ${directory} to ${target} (${Object.keys(files).length} files)`;
  } catch (error) {
    await rm(target, { recursive: true, force: true });
    throw error;
  }
}

/** Returns a line to print. Rejects with Fault `cli.backup`; checks every digest before it makes anything, and replaces nothing. */
export async function restore(source: string, directory: string): Promise<string> {
  const { files, made } = await manifestOf(source);
  for (const [file, digest] of Object.entries(files)) {
    const found = await digestOf(join(source, file)).catch(() => undefined);
    if (found !== digest)
      throw refused(`${join(source, file)} ${found === undefined ? "is missing" : "is not what was backed up"}`);
  }
  if (await exists(join(directory, JOURNAL_FILE)))
    throw refused(`${directory} holds a store already: restore into another directory`);
  const keys = Object.keys(files).filter((file) => file !== JOURNAL_FILE);
  for (const file of keys) {
    const present = await digestOf(join(directory, file)).catch(() => undefined);
    if (present !== undefined && present !== files[file]) throw refused(`${join(directory, file)} is of another installation`);
  }
  await disk.makeDirectory(join(directory, KEYS), 0o700);
  for (const file of keys) await copyKey(join(source, file), join(directory, file));
  // Last, because a directory without a journal is not yet an installation.
  await restoreJournal(join(source, JOURNAL_FILE), directory);
  return `restored ${directory} from the backup of ${made}`;
}

/** Straight from the file when nobody has it open, else by the server that has. */
async function copyJournal(directory: string, target: string): Promise<void> {
  const journal = createJournal(directory);
  try {
    await journal.open();
    await journal.backup(target);
  } catch (error) {
    if (!Fault.is(error, "io.locked")) throw error;
    await download(directory, target);
  } finally {
    await journal.close();
  }
}

async function download(directory: string, target: string): Promise<void> {
  const path = join(directory, "kubeconfig");
  if (!(await exists(path))) throw refused(`${directory} is in use by a Sidero without an API listener: stop it to back up`);
  const transport = createHttpClient((await readKubeconfig({ path })).client);
  try {
    const response = await transport.request({ method: "GET", target: BACKUP_PATH });
    if (response.status !== 200) throw refused(`the server that has ${directory} open refuses: ${await refusalOf(response)}`);
    await pipeline(response.body, createWriteStream(target, { mode: 0o600, flush: true }));
    const { size } = await stat(target);
    if (String(size) !== response.headers["content-length"]) throw refused(`the copy of the journal in ${directory} broke off`);
  } catch (cause) {
    if (!Fault.is(cause, "io.unreachable")) throw cause;
    throw refused(`${directory} is in use by a Sidero that does not answer (${cause.message}): stop it to back up`, cause);
  } finally {
    await transport.close();
  }
}

async function copyKeys(directory: string, target: string): Promise<void> {
  await disk.makeDirectory(join(target, KEYS), 0o700);
  for (const file of await disk.list(join(directory, KEYS))) await copyKey(join(directory, KEYS, file), join(target, KEYS, file));
}

/** Durably, and for its owner only. */
async function copyKey(from: string, to: string): Promise<void> {
  const bytes = await disk.read(from);
  if (bytes === undefined) throw refused(`${from} has gone away`);
  await disk.writeAtomic(to, bytes, 0o600);
}

/** What a Status says, or whatever else was answered. */
async function refusalOf(response: HttpResponse): Promise<string> {
  const text = Buffer.from(await readWhole(response.body, LONGEST_REFUSAL)).toString();
  const answer = parse(text);
  return isStatus(answer) && answer.message !== undefined ? answer.message : `HTTP ${response.status}`;
}

async function manifestOf(source: string): Promise<Manifest> {
  const bytes = await disk.read(join(source, MANIFEST));
  if (bytes === undefined) throw refused(`${source} is not a backup: it has no ${MANIFEST}`);
  const manifest: unknown = parse(Buffer.from(bytes).toString());
  if (!isObject(manifest) || manifest["format"] !== FORMAT || !isObject(manifest["files"])) {
    throw refused(`${join(source, MANIFEST)} is not one of ${FORMAT}`);
  }
  const files = Object.keys(manifest["files"]);
  const strange = files.find((file) => !/^(journal\.db|pki\/[\w.-]+)$/.test(file) || file.includes(".."));
  if (strange !== undefined || !files.includes(JOURNAL_FILE))
    throw refused(`${join(source, MANIFEST)} names "${strange ?? "no journal"}"`);
  return manifest as unknown as Manifest;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Paths below the backup, the manifest's own left out. */
async function filesOf(target: string): Promise<string[]> {
  return [JOURNAL_FILE, ...(await disk.list(join(target, KEYS))).map((file) => `${KEYS}/${file}`)];
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function refused(message: string, cause?: unknown): Fault {
  return new Fault("cli.backup", message, { fault: "caller", retry: "never", ...(cause === undefined ? {} : { cause }) });
}
