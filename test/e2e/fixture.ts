/** A site for a test: closed after it, and when the test failed its logs are kept and their last lines printed. */
import { rm } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import type { TestContext } from "node:test";
import type { BootRecord } from "#kinds/metal/v1alpha2/boot-record.ts";
import type { Machine } from "../../lab/machine.ts";
import { bring } from "../../lab/peers.ts";
import { followRecords, isOf } from "../../lab/records.ts";
import type { Line } from "../../lab/serial.ts";
import { openSite, type Site, type SiteOptions } from "../../lab/site.ts";
import { withoutPeer } from "../peers/locate.ts";

/** For node:test's `skip`. */
export const skip: string | false = withoutPeer("lab", "kubectl");

const RESULTS = fileURLToPath(new URL("../../test-results/e2e/", import.meta.url));

export async function siteFor(
  context: TestContext,
  name: string,
  options: Pick<SiteOptions, "machines" | "dhcp" | "flags">,
): Promise<Site> {
  const logs = `${RESULTS}${name}`;
  await rm(logs, { recursive: true, force: true });
  const site = await openSite({ ...options, ...bring(), logs });
  context.after(async () => {
    if (!context.passed) {
      for (const { description, serial } of site.machines) console.error(`${description.name}: ${serial.path}\n${serial.tail()}`);
      console.error(`${site.sidero.path}\n${site.sidero.child.log().slice(-8000)}`);
    }
    await site.close();
    if (context.passed) await rm(logs, { recursive: true });
  });
  return site;
}

/**
 * Milliseconds that may pass where so many seconds do at leisure: three times as much, and more when others keep this machine's
 * processors busy, which is what an emulated machine is made of.
 */
function patience(seconds: number): number {
  const share = Math.max(1, loadavg()[0]! / availableParallelism());
  return 3000 * seconds * Math.min(share, 6);
}

/** What is written to a machine's serial line, in what takes so many seconds at leisure. */
export function written(machine: Machine, pattern: RegExp, seconds: number): Promise<Line> {
  return machine.serial.until(pattern, patience(seconds) / 1000);
}

/**
 * The record of a machine's present boot, as soon as it is what is looked for. Throws with the last one seen when that takes far
 * longer than the seconds that it takes at leisure.
 */
export async function recorded(
  { sidero }: Site,
  machine: Machine,
  what: string,
  seconds: number,
  isIt: (record: BootRecord) => boolean,
): Promise<BootRecord> {
  const found = Promise.withResolvers<BootRecord>();
  const seen = new Map<string, BootRecord>();
  const records = followRecords(sidero, (record) => {
    if (!isOf(record, machine)) return;
    seen.set(record.metadata.name ?? "", record);
    if (isIt(record)) found.resolve(record);
  });
  const allowed = patience(seconds);
  const timer = setTimeout(() => {
    const last = JSON.stringify([...seen.values()], undefined, 1);
    found.reject(
      new Error(`${machine.description.name}: no record of ${what} within ${Math.round(allowed / 1000)} s, but ${last}`),
    );
  }, allowed);
  try {
    return await found.promise;
  } finally {
    clearTimeout(timer);
    await records.stop();
  }
}

/** What `sidero timeline` prints of a machine. */
export function timeline({ sidero }: Site, machine: Machine): Promise<string> {
  return sidero.run("timeline", machine.description.uuid!, "--kubeconfig", sidero.kubeconfig);
}
