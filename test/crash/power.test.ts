/**
 * Power cuts and failing disks under the journal. An appender runs with the shim between SQLite and the kernel; from the shim's log the
 * disk is rebuilt as a power cut at any point may have left it: writes since the last fsync lost, torn or kept, in any combination.
 * `ROUNDS` runs (20 unless told), every second one on a disk that fails at some call.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { Row } from "#io/journal.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { JournalDatabase } from "#io/node/journal-database.ts";
import { Minutes } from "./minutes.ts";
import type { Operation } from "./trace.ts";
import { cutPower, parseTrace } from "./trace.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 20);
const SEED = Number(process.env["SEED"] ?? 1);
const APPENDS = 150;
const CUTS = 12;

const run = promisify(execFile);
let place: string;
let shim: string;

before(async () => {
  place = await mkdtemp(join(tmpdir(), "sidero-power-"));
  shim = join(place, "shim.so");
  await run("gcc", [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-O2",
    "-shared",
    "-fPIC",
    "-o",
    shim,
    new URL("./shim.c", import.meta.url).pathname,
  ]);
});

after(() => rm(place, { recursive: true }));

async function trace(seed: number, fail: string): Promise<Operation[]> {
  const directory = await mkdtemp(join(place, "run-"));
  const log = join(directory, "log");
  const appender = new URL("./appender.ts", import.meta.url).pathname;
  await run(process.execPath, [appender, directory, String(seed), String(APPENDS)], {
    env: { ...process.env, LD_PRELOAD: shim, SHIM_DIRECTORY: directory, SHIM_LOG: log, SHIM_FAIL: fail },
  });
  const operations = parseTrace(await readFile(log));
  await rm(directory, { recursive: true });
  return operations;
}

/** What the appender had said by the `count`-th operation. */
function minutesAt(operations: readonly Operation[], count: number): Minutes {
  const said = operations.slice(0, count).filter(({ kind, name }) => kind === "write" && name === "said");
  return new Minutes(
    Buffer.concat(said.map(({ data }) => data))
      .toString()
      .split("\n")
      .filter((line) => line !== ""),
  );
}

async function rebuild(files: ReadonlyMap<string, Buffer>): Promise<string> {
  const directory = await mkdtemp(join(place, "cut-"));
  for (const [name, content] of files) if (name !== "said") await writeFile(join(directory, name), content);
  return directory;
}

/** Opens what is left, checks it, writes to it, and checks it again. */
function examine(directory: string, minutes: Minutes): void {
  const journal = new JournalDatabase(directory);
  const opened = journal.open();
  const rows = readAll(journal);
  minutes.check(rows, opened);
  const revision = opened.revision + 1;
  const value = new ArrayBuffer(1);
  journal.append({
    rows: [{ revision, resource: "/x", namespace: "", name: "new", deleted: false, previous: 0, length: 1 }],
    slab: value,
  });
  assert.equal(readAll(journal).length, rows.length + 1);
  journal.close();
  const database = new DatabaseSync(join(directory, "journal.db"));
  assert.deepEqual({ ...database.prepare("PRAGMA integrity_check").get() }, { integrity_check: "ok" });
  database.close();
}

function readAll(journal: JournalDatabase): Row[] {
  const rows: Row[] = [];
  for (let more = journal.read(0); more.length > 0; more = journal.read(more.at(-1)!.revision)) rows.push(...more);
  return rows;
}

/** A failure the disk may have: at some call, for some calls; a full disk for a while; or a volume that is lost until it is opened again. */
function failure(entropy: SeededEntropy): string {
  const call = ["write", "sync", "truncate"][entropy.below(3)]!;
  const from = entropy.below(call === "write" ? 1500 : call === "sync" ? 170 : 4);
  const count = entropy.chance(0.5) ? 1 : 1 + entropy.below(call === "truncate" ? 3 : 40);
  const { EIO, ENOSPC } = constants.errno;
  if (entropy.chance(0.4)) return `${call.toUpperCase()}:${from}:${1 + entropy.below(6)}:${EIO}`;
  return `${call}:${from}:${count}:${call === "write" && entropy.chance(0.5) ? ENOSPC : EIO}`;
}

/** Volumes that are lost at an fsync and come back at once, or only for the second, third… fsync after that: all ways through recovery. */
const LOSSES = [1, 2, 3, 4, 5, 6].map((count) => `SYNC:40:${count}:${constants.errno.EIO}`);

for (let round = 0; round < ROUNDS; round++) {
  const seed = SEED + round;
  const entropy = new SeededEntropy(seed);
  const fail = round % 2 === 0 ? "" : (LOSSES[(round - 1) / 2] ?? failure(entropy));
  test(`seed ${seed}${fail === "" ? "" : `, failing ${fail}`}`, async (context) => {
    const operations = await trace(seed, fail);
    const failures = operations.flatMap(({ kind }, index) => (kind === "failed sync" ? [index] : []));
    const counts = [operations.length, ...Array.from({ length: CUTS }, () => entropy.below(operations.length))];
    // The moments after a failed fsync are the hardest.
    for (const index of failures.slice(0, CUTS)) counts.push(Math.min(operations.length, index + entropy.below(40)));
    for (const count of counts) {
      const directory = await rebuild(cutPower(operations, count, entropy));
      try {
        examine(directory, minutesAt(operations, count));
      } catch (error) {
        throw new Error(`power cut after operation ${count} of ${operations.length}`, { cause: error });
      }
      await rm(directory, { recursive: true });
    }
    const { done, failed } = minutesAt(operations, operations.length);
    assert.ok(done > APPENDS / 2, "it goes on when the disk works again");
    context.diagnostic(`${operations.length} operations, ${done} done, ${failed} failed`);
  });
}
