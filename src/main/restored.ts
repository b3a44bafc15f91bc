/**
 * When a data directory was made from a backup: what the backup holds is of an earlier time. A machine that was to be wiped then may have been wiped
 * since, given to somebody and be running, and its order in the backup is still open.
 */
import { join } from "node:path";
import { timestamp } from "#io/clock.ts";
import { systemClock } from "#io/node/clock.ts";
import { disk } from "#io/node/disk.ts";

const FILE = "restored";
const LONGEST = 64;

export async function markRestored(directory: string): Promise<void> {
  await disk.writeAtomic(join(directory, FILE), `${timestamp(systemClock)}\n`, 0o600);
}

/** Milliseconds since 1970; undefined for an installation that no backup was restored to. */
export async function restoredAt(directory: string): Promise<number | undefined> {
  const bytes = await disk.read(join(directory, FILE), LONGEST);
  const time = bytes === undefined ? Number.NaN : Date.parse(Buffer.from(bytes).toString().trim());
  return Number.isNaN(time) ? undefined : time;
}
