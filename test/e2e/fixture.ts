/** A site for a test: closed after it, and when the test failed its logs are kept and their last lines printed. */
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { BootRecord } from "#kinds/metal/v1alpha2/boot-record.ts";
import type { Machine } from "../../lab/machine.ts";
import { bring } from "../../lab/peers.ts";
import { isOf } from "../../lab/records.ts";
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

/** The record of a machine's present boot, as soon as it is what is looked for; throws after so many seconds with the last one. */
export async function recorded(
  { sidero }: Site,
  machine: Machine,
  what: string,
  seconds: number,
  isIt: (record: BootRecord) => boolean,
): Promise<BootRecord> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const { items } = JSON.parse(await sidero.kubectl("get", "bootrecords", "-o", "json")) as { items: BootRecord[] };
    const found = items.filter((record) => isOf(record, machine));
    const hit = found.find(isIt);
    if (hit !== undefined) return hit;
    if (performance.now() > deadline) {
      throw new Error(
        `${machine.description.name}: no record of ${what} within ${seconds} s, but ${JSON.stringify(found, undefined, 1)}`,
      );
    }
    await setTimeout(250);
  }
}

/** What `sidero timeline` prints of a machine. */
export function timeline({ sidero }: Site, machine: Machine): Promise<string> {
  return sidero.run("timeline", machine.description.uuid!, "--kubeconfig", sidero.kubeconfig);
}
