/** kill -9 under load: `ROUNDS` times on one directory (20 unless told), each time a little further into its life. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { createStore } from "#apiserver/store/mvcc.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { systemClock } from "#io/node/clock.ts";
import { createJournal } from "#io/node/journal.ts";
import { Ledger } from "./ledger.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 20);
const SEED = Number(process.env["SEED"] ?? 1);

/** Runs a writer until it has said `lines` lines, kills it, and notes everything it has said. */
async function killAfter(lines: number, directory: string, first: number, ledger: Ledger): Promise<void> {
  const writer = new URL("./writer.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [writer, directory, String(first)], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<NodeJS.Signals | null>((resolve) => child.on("exit", (_code, signal) => resolve(signal)));
  let said = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    ledger.note(line);
    if (++said === lines) child.kill("SIGKILL");
  }
  assert.equal(await exited, "SIGKILL");
}

test(`nothing acknowledged is lost to kill -9 in ${ROUNDS} rounds`, async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "sidero-kill-"));
  context.after(() => rm(directory, { recursive: true }));
  const entropy = new SeededEntropy(SEED);
  const ledger = new Ledger();
  for (let round = 0; round < ROUNDS; round++) {
    // Some die while they are opening the journal, most under load.
    await killAfter(1 + entropy.below(entropy.chance(0.2) ? 60 : 3000), directory, round * 1_000_000, ledger);
    const store = await createStore({ journal: createJournal(directory), clock: systemClock });
    ledger.check(store);
    await store.close();
  }
  context.diagnostic(`${ledger.acknowledged} revisions`);
});
