/** The journal's thread: one request after the other; only a backup runs beside the others. */
import { parentPort } from "node:worker_threads";
import { Fault } from "#std/fault.ts";
import { JournalDatabase } from "./journal-database.ts";
import type { Answer, Answers, Request } from "./journal-message.ts";
import { plainFault } from "./journal-message.ts";

const port = parentPort!;
let database: JournalDatabase | undefined;

port.on("message", ({ id, request }: { id: number; request: Request }) => void answer(id, request));

async function answer(id: number, request: Request): Promise<void> {
  try {
    // Not awaited unless it must be: requests are done in the order they come.
    const result = handle(request);
    const value = result instanceof Promise ? await result : result;
    const transfer = request.do === "read" ? (value as Answers["read"]).map((row) => row.value.buffer as ArrayBuffer) : [];
    port.postMessage({ id, value } satisfies Answer, transfer);
  } catch (error) {
    port.postMessage({ id, fault: plainFault(Fault.from(error)) } satisfies Answer);
  }
}

function handle(request: Request): Answers[keyof Answers] | Promise<void> {
  switch (request.do) {
    case "open":
      database = new JournalDatabase(request.directory);
      return database.open();
    case "read":
      return opened().read(request.after);
    case "append":
      return opened().append(request.batch);
    case "compact":
      return opened().compact(request.revision);
    case "backup":
      return opened().backup(request.path);
    case "close":
      return database?.close();
  }
}

function opened(): JournalDatabase {
  if (database === undefined) throw new Fault("io.closed", "the journal has not been opened", { fault: "ours", retry: "never" });
  return database;
}
