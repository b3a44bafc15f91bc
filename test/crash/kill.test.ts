/** kill -9 under load: `ROUNDS` times on one directory (20 unless told), each time a little further into its life. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { createStore } from "#apiserver/store/mvcc.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { systemClock } from "#io/node/clock.ts";
import { createJournal } from "#io/node/journal.ts";
import { Ledger } from "./ledger.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 20);
const SEED = Number(process.env["SEED"] ?? 1);

/** Runs a writer until it has said about `bytes` bytes, kills it, and notes everything it has said. */
async function killAfter(bytes: number, directory: string, first: number, ledger: Ledger): Promise<void> {
  const writer = new URL("./writer.ts", import.meta.url).pathname;
  // To a file, not to a pipe, which may be full when the writer has something to say.
  await using said = await open(join(directory, "said"), "w+");
  const child = spawn(process.execPath, [writer, directory, String(first)], { stdio: ["ignore", said.fd, "inherit"] });
  let isOver = false;
  const exited = new Promise<NodeJS.Signals | null>((resolve) => child.on("exit", (_code, signal) => resolve(signal)));
  void exited.then(() => (isOver = true));
  while (!isOver && (await said.stat()).size < bytes) await setTimeout(2);
  child.kill("SIGKILL");
  assert.equal(await exited, "SIGKILL");
  const { buffer, bytesRead } = await said.read({ buffer: Buffer.alloc((await said.stat()).size), position: 0 });
  for (const line of buffer.toString("utf8", 0, bytesRead).split("\n")) if (line !== "") ledger.note(line);
}

test(`nothing acknowledged is lost to kill -9 in ${ROUNDS} rounds`, async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "sidero-kill-"));
  context.after(() => rm(directory, { recursive: true }));
  const entropy = new SeededEntropy(SEED);
  const ledger = new Ledger();
  for (let round = 0; round < ROUNDS; round++) {
    // Some die as soon as they begin, most under load.
    await killAfter(entropy.below(entropy.chance(0.2) ? 4000 : 200_000), directory, round * 1_000_000, ledger);
    const store = await createStore({ journal: createJournal(directory), clock: systemClock });
    try {
      ledger.check(store);
    } finally {
      await store.close();
    }
  }
  context.diagnostic(`${ledger.acknowledged} revisions`);
});
