/**
 * Appends to a journal and compacts it, from a seed: `appender.ts <directory> <seed> <appends>`. What it tries and how that ends it writes to the
 * file `said`, which the shim has in its log among the disk's operations.
 */
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Journal, Row } from "#io/journal.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createJournal } from "#io/node/journal.ts";
import { Fault } from "#std/fault.ts";
import type { Said } from "./minutes.ts";
import { valueOf } from "./minutes.ts";

const [directory = "", seed = "0", appends = "0"] = process.argv.slice(2);
const entropy = new SeededEntropy(Number(seed));
const said = openSync(join(directory, "said"), "a");
/** Newest revision of each live object, as far as it is certain. */
const newest = new Map<string, number>();
let revision = 0;
let acknowledged = 0;

const journal = await open();
for (let i = 0; i < Number(appends); i++) {
  if (entropy.chance(0.05))
    await attempt({ do: "compact", revision: acknowledged - entropy.below(20) }, ({ revision }) => journal.compact(revision));
  const rows = Array.from({ length: 1 + entropy.below(entropy.chance(0.1) ? 60 : 6) }, row).filter(uniquely());
  const isKept = await attempt(
    { do: "append", rows: rows.map(({ value, ...rest }) => ({ ...rest, length: value.length })) },
    () => journal.append(rows),
  );
  if (!isKept) continue;
  acknowledged = revision;
  for (const { name, revision, deleted } of rows) {
    if (deleted) newest.delete(name);
    else newest.set(name, revision);
  }
}
await journal.close().catch(() => {});

/** The disk may be failing already. */
async function open(): Promise<Journal> {
  const journal = createJournal(directory);
  for (;;) {
    try {
      await journal.open();
      return journal;
    } catch (error) {
      if (!isDiskFault(error)) throw error;
    }
  }
}

function row(): Row {
  revision++;
  const name = `n${entropy.below(30)}`;
  const previous = newest.get(name) ?? 0;
  const value = valueOf(revision, entropy.below(entropy.chance(0.05) ? 40_000 : 5000));
  return {
    revision,
    resource: "/configmaps",
    namespace: "",
    name,
    value,
    deleted: previous > 0 && entropy.chance(0.2),
    previous,
  };
}

/** One row of an object in an append is enough, and keeps `previous` simple. */
function uniquely(): (row: Row) => boolean {
  const names = new Set<string>();
  return ({ name }) => !names.has(name) && names.add(name) !== undefined;
}

async function attempt<S extends Said>(what: S, work: (what: S) => Promise<void>): Promise<boolean> {
  say(what);
  try {
    await work(what);
    say({ do: "done" });
    return true;
  } catch (error) {
    if (!isDiskFault(error)) throw error;
    say({ do: "failed", uncertain: error.facts["uncertain"] === true });
    return false;
  }
}

function isDiskFault(error: unknown): error is Fault {
  return Fault.is(error, "io.failed") || Fault.is(error, "io.no-space");
}

function say(what: Said): void {
  writeSync(said, `${JSON.stringify(what)}\n`);
}
