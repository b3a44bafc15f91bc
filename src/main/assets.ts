/** The asset store of a data directory, and what fills it. */
import { join } from "node:path";
import { Downloads } from "#controllers/environment/downloads.ts";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import { openBlobs } from "#io/node/blobs.ts";
import { createDownloads } from "#io/node/download.ts";
import type { AssetPorts } from "./controllers.ts";

export interface OpenAssets extends AssetPorts {
  /** Stops downloads; their drafts stay. */
  close(): Promise<void>;
}

export interface AssetOptions {
  /** The data directory. */
  readonly directory: string;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

export async function openAssets({ directory, clock, entropy, log }: AssetOptions): Promise<OpenAssets> {
  const blobs = await openBlobs({ directory: join(directory, "assets"), log });
  const { download, close } = createDownloads();
  const downloads = new Downloads({ blobs, download, clock, entropy, log });
  return {
    blobs,
    downloads,
    async close() {
      await downloads.close();
      await close();
      await blobs.close();
    },
  };
}
