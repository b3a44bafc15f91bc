/**
 * `GET /sidero/backup`: a consistent copy of the journal of the running server, as a stream. For administrators, like everything
 * that is not health or version. The keys are not in it: they never travel.
 */
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { ApiRequest } from "#apiserver/request.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Journal } from "#io/journal.ts";
import type { Outgoing, Sink } from "#io/serve.ts";

export const BACKUP_PATH = "/sidero/backup";

export type BackupRoute = (request: ApiRequest) => Promise<Outgoing>;

/** The copy is made beside the journal, where there is room for it, and is gone when the stream ends. */
export function createBackupRoute(journal: Journal, directory: string, entropy: Entropy): BackupRoute {
  return async ({ signal }) => {
    const path = join(directory, `backup-${entropy.uuid()}.tmp`);
    await journal.backup(path);
    return {
      status: 200,
      headers: { "content-type": "application/octet-stream", "cache-control": "no-store" },
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
    // The client has gone away, and what it has is no whole backup: `sidero backup` compares the digest of what it got.
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
