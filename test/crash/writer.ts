/**
 * Writes to a store under load until it is killed: `writer.ts <directory> <first number>`. Each of its writers owns one object and says on
 * stdout what it is about to do and what has been acknowledged, one JSON array a line, see {@link Line}.
 */
import { writeSync } from "node:fs";
import { createStore } from "#apiserver/store/mvcc.ts";
import { createJournal } from "#io/node/journal.ts";
import { systemClock } from "#io/node/clock.ts";
import type { Step } from "./ledger.ts";
import { keyOf, WRITERS } from "./ledger.ts";

const [directory = "", first = "0"] = process.argv.slice(2);
const store = await createStore({ journal: createJournal(directory), clock: systemClock, historyAge: 500, historyEvents: 5000 });
/** Sizes vary so that rows share pages, fill them and spill over. */
const PADDING = "x".repeat(9000);

async function write(name: string): Promise<never> {
  const key = keyOf(name);
  for (let number = Number(first); ; number++) {
    const head = store.head(key);
    const removes = head !== undefined && number % 7 === 3;
    const step: Step = { name, number, removes };
    say("intends", step, 0);
    const object = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, uid: name },
      data: { number: String(number), padding: PADDING.slice(0, (number * 997) % PADDING.length) },
    };
    const entry = await (removes ? store.remove(key, head, object) : store.write(key, head, object));
    say("acknowledged", step, entry.revision);
  }
}

/** At once and in order: what has been said counts, also when this process is killed before its next line. */
function say(what: "intends" | "acknowledged", step: Step, revision: number): void {
  writeSync(1, `${JSON.stringify([what, step, revision])}\n`);
}

await Promise.all(Array.from({ length: WRITERS }, (_, index) => write(`w${index}`)));
