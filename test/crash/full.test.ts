/** A full disk, in earnest: a small tmpfs (which needs root). Writes fail clearly, reads go on, and with space everything works again. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, rmdir, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { promisify } from "node:util";
import { createStore } from "#apiserver/store/mvcc.ts";
import type { Entry, Store } from "#apiserver/store/store.ts";
import { systemClock } from "#io/node/clock.ts";
import { createJournal } from "#io/node/journal.ts";
import { Fault } from "#std/fault.ts";

const run = promisify(execFile);

/** A disk of 8 MiB; unmounted after the test, when `close` has closed what is open on it. */
async function smallDisk(context: TestContext, close: () => Promise<void>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "sidero-full-"));
  await run("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", directory]);
  context.after(async () => {
    await close();
    await run("umount", [directory]);
    await rmdir(directory);
  });
  return directory;
}

/** Takes all the space there is. */
async function fill(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  await writeFile(join(directory, "ballast"), Buffer.alloc(bavail * bsize));
}

function create(store: Store, name: string): Promise<Entry> {
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { padding: "x".repeat(3000) } };
  return store.write({ resource: "/configmaps", namespace: "default", name }, undefined, object);
}

function isFull(fault: unknown): boolean {
  assert.ok(Fault.is(fault, "io.no-space"), String(fault));
  assert.match(fault.message, /^no space left on the disk of .*: nothing was written; free some and try again$/);
  return true;
}

function names(store: Store): string[] {
  return store.list({ resource: "/configmaps" }).entries.map((entry) => entry.name);
}

test("a full disk is a clear error, and recovers", async (context) => {
  const directory = await smallDisk(context, () => store.close());
  const open = (): Promise<Store> => createStore({ journal: createJournal(join(directory, "data")), clock: systemClock });
  let store = await open();
  const kept: string[] = [];
  const keep = async (name: string): Promise<void> => {
    await create(store, name);
    kept.push(name);
  };

  await assert.rejects(async () => {
    for (let i = 1000; ; i++) await keep(`until-full-${i}`);
  }, isFull);
  assert.ok(kept.length > 500, `${kept.length} objects fit`);
  // What little is left may still take a small write; this takes it all.
  await fill(directory);
  const burst = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => create(store, `burst-${i}`)));
  for (const outcome of burst) assert.ok(outcome.status === "rejected" && isFull(outcome.reason));
  assert.deepEqual(names(store), kept);

  await rm(join(directory, "ballast"));
  await run("mount", ["-o", "remount,size=32m", directory]);
  const before = store.revision;
  await keep("with-space");
  assert.ok(store.revision > before + 50, "revisions of failed writes are not used again");

  await fill(directory);
  await store.close();
  store = await open();
  assert.deepEqual(names(store), kept, "a full disk can be read");
  await assert.rejects(async () => {
    for (let i = 1000; ; i++) await keep(`x-full-again-${i}`);
  }, isFull);
  await rm(join(directory, "ballast"));
  await keep("z-last");
  await store.close();
  store = await open();
  assert.deepEqual(names(store), kept);
});
