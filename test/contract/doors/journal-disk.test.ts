import assert from "node:assert/strict";
import { mkdir, mkdtemp, open, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { Journal, Row } from "#io/journal.ts";
import { Fault } from "#std/fault.ts";
import { restoreJournal } from "#io/node/journal-restore.ts";
import { createJournal } from "#io/node/journal.ts";

async function place(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "sidero-journal-"));
  context.after(() => rm(directory, { recursive: true }));
  return directory;
}

async function opened(context: TestContext, directory: string): Promise<Journal> {
  const journal = createJournal(directory);
  context.after(() => journal.close());
  await journal.open();
  return journal;
}

function row(revision: number, size = 100): Row {
  const value = new Uint8Array(size).fill(revision);
  return { revision, resource: "/secrets", namespace: "default", name: `n${revision}`, value, deleted: false, previous: 0 };
}

async function refused(context: TestContext, directory: string, code: string, message: RegExp): Promise<void> {
  const journal = createJournal(directory);
  context.after(() => journal.close());
  await assert.rejects(journal.open(), (fault) => {
    assert.ok(Fault.is(fault, code), String(fault));
    assert.match(fault.message, message);
    return true;
  });
}

async function revisions(journal: Journal): Promise<number[]> {
  const found: number[] = [];
  await journal.read((rows) => found.push(...rows.map((each) => each.revision)));
  return found;
}

test("nobody else may read the files", async (context) => {
  const directory = join(await place(context), "data", "deep");
  const journal = await opened(context, directory);
  await journal.append([row(1)]);
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  for (const file of await readdir(directory)) assert.equal((await stat(join(directory, file))).mode & 0o077, 0, file);
});

test("a directory belongs to one journal at a time", async (context) => {
  const directory = await place(context);
  const journal = await opened(context, directory);
  await refused(context, directory, "io.locked", /is in use by another process/);
  await journal.append([row(1)]);
  await journal.close();
  assert.deepEqual(await revisions(await opened(context, directory)), [1]);
});

test("a journal of a newer format is refused, and left as it is", async (context) => {
  const directory = await place(context);
  const journal = await opened(context, directory);
  await journal.close();
  const path = join(directory, "journal.db");
  const database = new DatabaseSync(path);
  database.exec("PRAGMA user_version = 2");
  database.close();
  const before = await readFile(path);
  await refused(context, directory, "io.format", /has format 2, this program reads up to 1: it was written by a newer version/);
  assert.deepEqual(await readFile(path), before);
});

test("what is not a journal is refused", async (context) => {
  const foreign = await place(context);
  const database = new DatabaseSync(join(foreign, "journal.db"));
  database.exec("CREATE TABLE t (a)");
  database.close();
  await refused(context, foreign, "io.format", /is a database of another program/);

  const text = await place(context);
  await writeFile(join(text, "journal.db"), "not a database ".repeat(1000));
  await refused(context, text, "io.corrupt", /is damaged/);

  const file = join(await place(context), "file");
  await writeFile(file, "");
  await refused(context, file, "io.failed", /ENOTDIR|EEXIST/);
});

test("a file whose making was interrupted is made anew", async (context) => {
  const directory = await place(context);
  await writeFile(join(directory, "journal.db"), "");
  const journal = await opened(context, directory);
  await journal.append([row(1)]);
  assert.deepEqual(await revisions(journal), [1]);
});

test("a damaged page is told, not read as something else", async (context) => {
  const directory = await place(context);
  const journal = await opened(context, directory);
  await journal.append(Array.from({ length: 100 }, (_, i) => row(i + 1, 1000)));
  await journal.close();
  const file = await open(join(directory, "journal.db"), "r+");
  await file.write(new Uint8Array(40_000).fill(0xff), 0, 40_000, 20_000);
  await file.close();
  const damaged = createJournal(directory);
  context.after(() => damaged.close());
  await assert.rejects(
    damaged.open().then(() => damaged.read(() => {})),
    (fault) => Fault.is(fault, "io.corrupt"),
  );
});

test("a backup made under load is whole, and as of one moment", async (context) => {
  const directory = await place(context);
  const journal = await opened(context, directory);
  await journal.append(Array.from({ length: 2000 }, (_, i) => row(i + 1, 3000)));
  let next = 2001;
  let done = false;
  const writer = (async () => {
    for (; !done; next++) await journal.append([row(next)]);
  })();
  const target = join(directory, "copy");
  await mkdir(target);
  await journal.backup(join(target, "journal.db"));
  done = true;
  await writer;
  assert.ok(next > 2001, "writers went on");
  assert.deepEqual(await readdir(target), ["journal.db"]);
  assert.equal((await stat(join(target, "journal.db"))).mode & 0o777, 0o600);
  const copy = await revisions(await opened(context, target));
  assert.ok(copy.length >= 2000 && copy.length < next);
  assert.deepEqual(
    copy,
    Array.from(copy, (_, i) => i + 1),
  );
});

test("a backup may begin in the middle of a commit", async (context) => {
  const journal = await opened(context, await place(context));
  await journal.append(Array.from({ length: 100 }, (_, i) => row(i + 1, 3000)));
  let next = 101;
  let done = false;
  const writer = (async () => {
    for (; !done; next++) await journal.append([row(next)]);
  })();
  const target = await place(context);
  // Before it was dealt with, one in four failed.
  for (let copy = 0; copy < 25; copy++) await journal.backup(join(target, `copy${copy}`));
  done = true;
  await writer;
});

test("a backup overwrites nothing, and leaves nothing behind when it fails", async (context) => {
  const directory = await place(context);
  const journal = await opened(context, directory);
  const target = join(directory, "copy");
  await writeFile(target, "precious");
  await assert.rejects(journal.backup(target), (fault) => Fault.is(fault, "io.exists"));
  assert.equal(await readFile(target, "utf8"), "precious");
  assert.deepEqual(
    (await readdir(directory)).filter((name) => name.startsWith("copy")),
    ["copy"],
  );
  await assert.rejects(journal.backup(join(directory, "none", "copy")), (fault) => Fault.is(fault, "io.failed"));
});

test("a restored backup holds its objects, and never gives out a revision that was given out after it was made", async (context) => {
  const directory = await place(context);
  const journal = await opened(context, directory);
  await journal.append([
    row(1),
    row(2),
    { ...row(3), name: "n1", previous: 1 },
    { ...row(4), name: "n2", previous: 2, deleted: true },
  ]);
  const backup = join(directory, "backup");
  await journal.backup(backup);
  await journal.append([row(5)]);
  const target = join(directory, "restored");
  await restoreJournal(backup, target);
  assert.deepEqual(await readdir(target), ["journal.db"]);
  const restored = createJournal(target);
  context.after(() => restored.close());
  const { revision, compacted } = await restored.open();
  assert.ok(revision > 1_000_000 && compacted === revision);
  assert.deepEqual(await revisions(restored), [3]);
  await assert.rejects(restoreJournal(backup, target), (fault) => Fault.is(fault, "io.exists"));
  const file = await open(backup, "r+");
  await file.write(new Uint8Array(8000).fill(0xff), 0, 8000, 4096);
  await assert.rejects(restoreJournal(backup, join(directory, "other")), (fault) => Fault.is(fault, "io.corrupt"));
  await file.truncate(1);
  await file.close();
  await assert.rejects(restoreJournal(backup, join(directory, "other")), (fault) => Fault.is(fault, "io.format"));
  assert.deepEqual(await readdir(join(directory, "other")), []);
});

test("requests before opening, and after closing, are refused", async (context) => {
  const directory = await place(context);
  const journal = createJournal(directory);
  await assert.rejects(journal.append([row(1)]), (fault) => Fault.is(fault, "io.closed"));
  await journal.close();
  await assert.rejects(journal.open(), (fault) => Fault.is(fault, "io.closed"));
});
