import { constants, copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "#std/fault.ts";
import { describe, isJournal, syncDirectory } from "./journal-connection.ts";
import { JOURNAL_FILE } from "./journal-database.ts";
import { createJournal } from "./journal.ts";

/** More revisions than can have been given out between a backup and its restoration; the number etcd's documentation recommends. */
const BUMP = 1_000_000_000;

/**
 * Makes a journal in `directory` from a file that {@link Journal.backup} has written; Fault `io.exists` when there is one already.
 * Clients may know revisions later than the backup, so the restored journal starts well after them, with its history compacted: they
 * are told to list again instead of missing what happens now.
 */
export async function restoreJournal(backup: string, directory: string): Promise<void> {
  let workshop: string | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (readdirSync(directory).some((name) => name.startsWith(JOURNAL_FILE))) {
      throw new Fault("io.exists", `${directory} has a journal already: restore into an empty directory`, {
        fault: "caller",
        retry: "never",
      });
    }
    if (!isJournal(backup))
      throw new Fault("io.format", `${backup} is not a backup of a journal`, { fault: "caller", retry: "never" });
    workshop = mkdtempSync(join(directory, "restoring-"));
    copyFileSync(backup, join(workshop, JOURNAL_FILE), constants.COPYFILE_FICLONE);
    await renumber(workshop);
    renameSync(join(workshop, JOURNAL_FILE), join(directory, JOURNAL_FILE));
    syncDirectory(directory);
  } catch (error) {
    throw describe(error, directory);
  } finally {
    if (workshop !== undefined) rmSync(workshop, { recursive: true });
  }
}

/** Also reads everything, so that a damaged backup does not become a journal. */
async function renumber(directory: string): Promise<void> {
  const journal = createJournal(directory);
  try {
    const { revision } = await journal.open();
    await journal.read(() => {});
    await journal.compact(revision + BUMP);
  } finally {
    await journal.close();
  }
}
