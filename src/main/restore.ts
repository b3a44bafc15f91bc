/** `sidero restore`: a data directory from a backup. */
import { join } from "node:path";
import { disk } from "#io/node/disk.ts";
import { JOURNAL_FILE } from "#io/node/journal-database.ts";
import { restoreJournal } from "#io/node/journal-restore.ts";
import { markRestored } from "./restored.ts";
import { copyKey, digestIfThere, exists, KEYS, readManifest, refused } from "./backup-format.ts";

/** Returns a line to print. Rejects with Fault `cli.backup`; checks everything before it makes anything, and replaces nothing. */
export async function restore(source: string, directory: string): Promise<string> {
  const { files, made } = await readManifest(source);
  if (await exists(join(directory, JOURNAL_FILE)))
    throw refused(`${directory} holds a store already: restore into another directory`);
  const keys = Object.keys(files).filter((file) => file !== JOURNAL_FILE);
  for (const file of keys) {
    const present = await digestIfThere(join(directory, file));
    if (present !== undefined && present !== files[file]) throw refused(`${join(directory, file)} is of another installation`);
  }
  await disk.makeDirectory(join(directory, KEYS), 0o700);
  for (const file of keys) await copyKey(join(source, file), join(directory, file));
  await markRestored(directory);
  // Last, because a directory without a journal is not yet an installation.
  await restoreJournal(join(source, JOURNAL_FILE), directory);
  return `restored ${directory} from the backup of ${made}`;
}
