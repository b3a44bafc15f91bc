/** A full disk, in earnest: a small tmpfs (which needs root). Writes fail clearly, reads go on, and with space everything works again. */
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createStore } from "#apiserver/store/mvcc.ts";
import type { Entry, Store } from "#apiserver/store/store.ts";
import { systemClock } from "#io/node/clock.ts";
import { createJournal } from "#io/node/journal.ts";
import { Fault } from "#std/fault.ts";
import { BALLAST, fill, grow, smallDisk } from "./small-disk.ts";

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

  await rm(join(directory, BALLAST));
  await grow(directory);
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
  await rm(join(directory, BALLAST));
  await keep("z-last");
  await store.close();
  store = await open();
  assert.deepEqual(names(store), kept);
});
