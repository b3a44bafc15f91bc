/** A connection to the journal's database: opened exclusively and checked, with its statements; and what SQLite's errors mean. */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readSync, statfsSync, writeSync } from "node:fs";
import { dirname } from "node:path";
// Node renames this class to Database and keeps the old name as an alias (DEP0210): it is constructed in this file only.
import type { StatementSync } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import type { FaultOptions, Retry } from "#std/fault.ts";
import { Fault } from "#std/fault.ts";

/** `SIDR`; sqlite.org/pragma.html#pragma_application_id. */
const APPLICATION = 0x53494452;
/** What we write and understand; a higher number is refused. */
const FORMAT = 1;
/** The WAL file is cut to this after it has grown larger. */
const WAL_BYTES = 16 * 1024 * 1024;
const REWRITE_BYTES = 1024 * 1024;
/** A disk with less than this is full: some file systems say so with an I/O error at fsync. */
const FULL_BYTES = 1024 * 1024;

const SCHEMA = `
  CREATE TABLE log (
    revision INTEGER PRIMARY KEY,
    previous INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    resource TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL
  ) STRICT;
  CREATE TABLE state (compacted INTEGER NOT NULL, recoveries INTEGER NOT NULL) STRICT;
  INSERT INTO state VALUES (0, 0);
  PRAGMA application_id = ${APPLICATION};
  PRAGMA user_version = ${FORMAT};
`;

const STATEMENTS = {
  position: "SELECT compacted, (SELECT ifnull(max(revision), 0) FROM log) AS newest FROM state",
  read: "SELECT revision, previous, deleted, resource, namespace, name, value FROM log WHERE revision > ? ORDER BY revision",
  has: "SELECT 1 FROM log WHERE revision = ?",
  insert: "INSERT INTO log (revision, previous, deleted, resource, namespace, name, value) VALUES (?, ?, ?, ?, ?, ?, ?)",
  sweep: "DELETE FROM log WHERE revision >= ? AND revision < ?",
  // What lies before the range has been looked at by an earlier compaction: only rows in it can supersede something new.
  forgetSuperseded: "DELETE FROM log WHERE revision IN (SELECT previous FROM log WHERE revision > ? AND revision <= ?)",
  forgetDeleted: "DELETE FROM log WHERE revision > ? AND revision <= ? AND deleted = 1",
  setCompacted: "UPDATE state SET compacted = ?",
  countRecovery: "UPDATE state SET recoveries = recoveries + 1",
} as const;

export type Connection = { readonly database: DatabaseSync } & Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;

/** Opens the database file, makes it if it is not there; throws SQLite's errors (see {@link describe}) and Fault `io.format`. */
export function connect(path: string): Connection {
  create(path);
  const database = new DatabaseSync(path);
  try {
    // Exclusive: no other process can open it, and the WAL's index lives in memory instead of a file of its own.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    const isNew = check(database, path);
    rewriteWal(`${path}-wal`);
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${WAL_BYTES}`);
    if (isNew) database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`);
    const statements = Object.entries(STATEMENTS).map(([name, sql]) => [name, database.prepare(sql)]);
    return { database, ...Object.fromEntries(statements) } as Connection;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Only made, never opened: closing any descriptor of a file drops all locks this process has on it (fcntl(2), POSIX locks). */
function create(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw error;
  }
  syncDirectory(dirname(path));
}

/** Makes new names in a directory survive a power loss. */
export function syncDirectory(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** True for a database without anything in it; Fault `io.format` for what is not ours or too new. */
function check(database: DatabaseSync, path: string): boolean {
  const number = (sql: string): number => Object.values(database.prepare(sql).get()!)[0] as number;
  const application = number("PRAGMA application_id");
  const format = number("PRAGMA user_version");
  if (application === 0 && number("SELECT count(*) FROM sqlite_schema") === 0) return true;
  if (application !== APPLICATION) throw fault("io.format", `${path} is a database of another program`, "never");
  if (format <= FORMAT) return false;
  throw fault(
    "io.format",
    `${path} has format ${format}, this program reads up to ${FORMAT}: it was written by a newer version`,
    "never",
  );
}

/** Whether a file begins as our databases do (sqlite.org/fileformat2.html §1.3: the application id is at offset 68). */
export function isJournal(path: string): boolean {
  const header = Buffer.alloc(72);
  const descriptor = openSync(path, "r");
  try {
    return readSync(descriptor, header) === header.length && header.readUInt32BE(68) === APPLICATION;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Makes durable what recovery may have read of the WAL: if an fsync failed in an earlier life, Linux has taken the pages for clean, and
 * they are seen although the disk does not have them. Nothing may be committed after such a hole, and nothing copied out of it.
 * The same bytes go to the same places, under the lock, before anything else is written.
 */
function rewriteWal(path: string): void {
  if (!existsSync(path)) return;
  const descriptor = openSync(path, "r+");
  try {
    const chunk = Buffer.allocUnsafe(REWRITE_BYTES);
    for (let at = 0; ;) {
      const length = readSync(descriptor, chunk, 0, chunk.length, at);
      if (length === 0) break;
      at += writeSync(descriptor, chunk, 0, length, at);
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const PRIMARY = 0xff;
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/**
 * What an error of SQLite or of the file system means for the journal in `directory`: a Fault `io.…`. `uncertain`: what failed may be
 * found done after all.
 */
export function describe(error: unknown, directory: string, uncertain = false): Fault {
  if (Fault.is(error)) return error;
  const { message, errcode = 0, code } = error as { message: string; errcode?: number; code?: string };
  const primary = errcode & PRIMARY;
  const more = { cause: error, facts: { uncertain } };
  if (primary === SQLITE_FULL || code === "ENOSPC" || isFull(directory)) {
    return fault(
      "io.no-space",
      `no space left on the disk of ${directory}: nothing was written; free some and try again`,
      "soon",
      more,
    );
  }
  if (primary === SQLITE_BUSY) return fault("io.locked", `${directory} is in use by another process`, "later", more);
  if (primary === SQLITE_CORRUPT || primary === SQLITE_NOTADB) {
    return fault("io.corrupt", `the journal in ${directory} is damaged (${message}): restore a backup`, "never", more);
  }
  return fault("io.failed", `the disk of ${directory} failed: ${message}`, "later", more);
}

function isFull(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize < FULL_BYTES;
  } catch {
    return false;
  }
}

function fault(code: string, message: string, retry: Retry, more: Pick<FaultOptions, "cause" | "facts"> = {}): Fault {
  return new Fault(code, message, { fault: "world", retry, ...more });
}
