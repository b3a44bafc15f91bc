/**
 * `GET /sidero/backup`: a consistent copy of the journal of the running server, as a stream. For administrators, like everything
 * that is not health or version. The keys are not in it: they never travel.
 */
import { createReadStream } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ApiRequest } from "#apiserver/request.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Journal } from "#io/journal.ts";
import type { Outgoing, Sink } from "#io/serve.ts";

export const BACKUP_PATH = "/sidero/backup";

export type BackupRoute = (request: ApiRequest) => Promise<Outgoing>;

/** Begins the names of copies under way. */
const DRAFT = "backup-";

/**
 * The copy is made beside the journal, where there is room for it, and is gone when the stream ends; copies that were under way when
 * an earlier process died are removed first.
 */
export async function createBackupRoute(journal: Journal, directory: string, entropy: Entropy): Promise<BackupRoute> {
  for (const name of await readdir(directory)) {
    if (name.startsWith(DRAFT)) await rm(join(directory, name), { recursive: true, force: true });
  }
  return async ({ signal }) => {
    const path = join(directory, `${DRAFT}${entropy.uuid()}`);
    await journal.backup(path);
    const { size } = await stat(path);
    return {
      status: 200,
      // With its length a copy that breaks off can be told from a whole one.
      headers: { "content-type": "application/octet-stream", "content-length": String(size), "cache-control": "no-store" },
      body: { open: (sink) => void send(path, sink, signal) },
    };
  };
}

async function send(path: string, sink: Sink, signal: AbortSignal): Promise<void> {
  try {
    for await (const piece of createReadStream(path, { signal }) as AsyncIterable<Buffer>) {
      sink.write(piece);
      if (sink.full) await drained(sink, signal);
    }
    sink.end();
  } catch {
    // The client has gone away, or the disk has failed: then the client gets less than it was promised.
    sink.end();
  } finally {
    await rm(path, { force: true });
  }
}

function drained(sink: Sink, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    sink.onDrain(resolve);
  });
}
