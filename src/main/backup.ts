/** `sidero backup`: a consistent copy of a data directory. A server that is running makes the journal's copy itself. */
import { createWriteStream } from "node:fs";
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { HttpResponse } from "#io/http.ts";
import { disk } from "#io/node/disk.ts";
import { createHttpClient } from "#io/node/http-client.ts";
import { JOURNAL_FILE } from "#io/node/journal-database.ts";
import { createJournal } from "#io/node/journal.ts";
import { readKubeconfig } from "#io/node/kubeconfig.ts";
import { readWhole } from "#kube/body.ts";
import { isStatus } from "#kube/exchange.ts";
import { Fault } from "#std/fault.ts";
import { copyKey, exists, KEYS, parseObject, refused, writeManifest } from "./backup-format.ts";
import { BACKUP_PATH } from "./backup-route.ts";

/** Bytes of a refusal that are read. */
const LONGEST_REFUSAL = 64 * 1024;

/** Returns a line to print. Rejects with Fault `cli.backup`; a backup that failed leaves nothing behind. */
export async function backup(directory: string, target: string): Promise<string> {
  if (!(await exists(join(directory, JOURNAL_FILE)))) throw refused(`${directory} holds no store: nothing to back up`);
  await mkdir(target, { mode: 0o700 }).catch((cause: unknown) => {
    throw refused(`${target}: ${(cause as Error).message}`, cause);
  });
  try {
    await copyJournal(directory, join(target, JOURNAL_FILE));
    await copyKeys(directory, target);
    const { files } = await writeManifest(target);
    return `backed up ${directory} to ${target} (${Object.keys(files).length} files)`;
  } catch (error) {
    await rm(target, { recursive: true, force: true });
    throw error;
  }
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
    // A kubeconfig may be of an earlier life, and its port somebody else's by now.
    if (!Fault.is(cause, "io.unreachable") && !Fault.is(cause, "io.untrusted")) throw cause;
    throw refused(`${directory} is in use by a Sidero that does not answer (${cause.message}): stop it to back up`, cause);
  } finally {
    await transport.close();
  }
}

async function copyKeys(directory: string, target: string): Promise<void> {
  await disk.makeDirectory(join(target, KEYS), 0o700);
  for (const file of await disk.list(join(directory, KEYS))) await copyKey(join(directory, KEYS, file), join(target, KEYS, file));
}

/** What a Status says, or whatever else was answered. */
async function refusalOf(response: HttpResponse): Promise<string> {
  const text = Buffer.from(await readWhole(response.body, LONGEST_REFUSAL)).toString();
  const answer = parseObject(text);
  return isStatus(answer) && answer.message !== undefined ? answer.message : `HTTP ${response.status}`;
}
