/**
 * The journal's rows in SQLite, synchronously: for the journal's worker thread. One connection holds the database exclusively, in WAL
 * mode with synchronous=FULL: when COMMIT returns, the WAL has been fsynced (sqlite.org/wal.html, sqlite.org/pragma.html).
 */
import { closeSync, existsSync, mkdtempSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { backup, type DatabaseSync } from "node:sqlite";
import type { Opened, Row } from "#io/journal.ts";
import { Fault } from "#std/fault.ts";
import type { Connection } from "./journal-connection.ts";
import { connect, describe, syncDirectory } from "./journal-connection.ts";
import type { Batch } from "./journal-message.ts";
import { unpack } from "./journal-message.ts";

export const JOURNAL_FILE = "journal.db";
/** Bytes of values after which {@link JournalDatabase.read} stops. */
const READ_BYTES = 1024 * 1024;
/** Revisions a compaction step looks at. */
const COMPACT_STEP = 1000;
/** Pages a backup copies while holding the connection. */
const BACKUP_PAGES = 64;
/** How often the first step of a backup may meet an open transaction: each time the odds are better than even. */
const BACKUP_STARTS = 200;

export class JournalDatabase {
  readonly #directory: string;
  #connection: Connection | undefined;
  /** First revision that may be left of failed commits: see {@link append}. */
  #unsettled: number | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  open(): Opened {
    return this.#attempt(() => {
      const { compacted, newest } = this.#position();
      return { revision: Math.max(newest, compacted), compacted };
    });
  }

  /** About a megabyte of rows later than `after`; each value has memory of its own, so that it can be transferred and kept. */
  read(after: number): Row[] {
    return this.#attempt(() => {
      const rows: Row[] = [];
      let bytes = 0;
      for (const record of this.#connect().read.iterate(after)) {
        const row = { ...record, deleted: record["deleted"] === 1 } as unknown as Row;
        rows.push(row);
        bytes += row.value.byteLength;
        if (bytes >= READ_BYTES) break;
      }
      return rows;
    });
  }

  /**
   * One transaction. When COMMIT fails its outcome is open: the WAL may hold the whole transaction, to be found by a later recovery,
   * although this connection does not see it. So something harmless is committed at once: it takes the lost commit's place in the WAL,
   * which makes the loss certain. If that fails too a fresh connection tries (the file may have been lost and come back): what that one
   * sees of the rows has been recovered, and is committed. If the disk does not let us find out, the fault says so in its fact
   * `uncertain`, and the next transaction that succeeds sweeps away whatever was left.
   */
  append(batch: Batch): void {
    const first = batch.rows[0]?.revision;
    if (first === undefined) return;
    try {
      this.#transaction(first, ({ insert }) => {
        for (const row of unpack(batch)) {
          insert.run(row.revision, row.previous, row.deleted ? 1 : 0, row.resource, row.namespace, row.name, row.value);
        }
      });
    } catch (error) {
      const outcome = this.#settle(first, batch.rows.at(-1)!.revision);
      if (outcome !== "kept") throw describe(error, this.#directory, outcome === "uncertain");
    }
  }

  /** Forgets a step's worth of what is superseded or deleted at or before `revision`; returns how far that went. */
  compact(revision: number): number {
    return this.#attempt(() => {
      const { compacted, newest } = this.#position();
      if (compacted >= revision) return compacted;
      const isLast = compacted + COMPACT_STEP >= newest;
      const target = isLast ? revision : Math.min(revision, compacted + COMPACT_STEP);
      this.#transaction(newest + 1, (connection) => {
        connection.forgetSuperseded.run(compacted, target);
        connection.forgetDeleted.run(compacted, target);
        connection.setCompacted.run(target);
      });
      return target;
    });
  }

  /** Copies page by page beside other work; `path` appears when the copy is whole and durable. Fault `io.exists` when it is there. */
  async backup(path: string): Promise<void> {
    let workshop: string | undefined;
    try {
      mustNotExist(path);
      workshop = mkdtempSync(`${path}.`);
      const copy = join(workshop, JOURNAL_FILE);
      closeSync(openSync(copy, "wx", 0o600));
      await copyTo(this.#connect().database, copy);
      mustNotExist(path);
      renameSync(copy, path);
      syncDirectory(dirname(path));
    } catch (error) {
      throw describe(error, dirname(path));
    } finally {
      if (workshop !== undefined) rmSync(workshop, { recursive: true });
    }
  }

  close(): void {
    this.#connection?.database.close();
    this.#connection = undefined;
  }

  #connect(): Connection {
    return (this.#connection ??= connect(join(this.#directory, JOURNAL_FILE)));
  }

  /** Runs `work` in a transaction that also removes what failed commits before revision `first` may have left. */
  #transaction(first: number, work: (connection: Connection) => void): void {
    const connection = this.#connect();
    const { database } = connection;
    database.exec("BEGIN IMMEDIATE");
    try {
      if (this.#unsettled !== undefined) connection.sweep.run(this.#unsettled, first);
      work(connection);
      database.exec("COMMIT");
    } catch (error) {
      rollBack(database);
      throw error;
    }
    this.#unsettled = undefined;
  }

  /** After a failed append of revisions `first` to `last`: makes its outcome certain, if the disk lets us. */
  #settle(first: number, last: number): "kept" | "lost" | "uncertain" {
    for (const reopen of [false, true]) {
      try {
        if (reopen) this.#reconnect();
        this.#transaction(first, ({ countRecovery }) => countRecovery.run());
        return this.#connect().has.get(last) === undefined ? "lost" : "kept";
      } catch {
        // The next try, or the append's own fault, tells enough.
      }
    }
    this.#unsettled = Math.min(this.#unsettled ?? first, first);
    return "uncertain";
  }

  #reconnect(): void {
    try {
      this.close();
    } finally {
      this.#connection = undefined;
    }
  }

  #position(): { compacted: number; newest: number } {
    return this.#connect().position.get() as { compacted: number; newest: number };
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw describe(error, this.#directory);
    }
  }
}

function mustNotExist(path: string): void {
  if (existsSync(path)) throw new Fault("io.exists", `${path} exists already`, { fault: "caller", retry: "never" });
}

/** SQLite has often done it itself when a commit fails; what it cannot undo now, it does not find committed later. */
function rollBack(database: Connection["database"]): void {
  try {
    if (database.isTransaction) database.exec("ROLLBACK");
  } catch {
    // The error that led here says more.
  }
}

/**
 * Node copies in a thread of its own. Where a step of it falls between our BEGIN and COMMIT, SQLite says busy; Node repeats that step,
 * but the first it takes for the last, and fails with what the target says: code 0, "not an error".
 */
async function copyTo(database: DatabaseSync, path: string): Promise<void> {
  for (let start = 1; ; start++) {
    try {
      await backup(database, path, { rate: BACKUP_PAGES });
      return;
    } catch (error) {
      if ((error as { errcode?: number }).errcode !== 0 || start === BACKUP_STARTS) throw error;
    }
  }
}
