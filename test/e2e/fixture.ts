/** A site for a test: closed after it, and when the test failed its logs are kept and their last lines printed. */
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { availableParallelism, loadavg } from "node:os";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { TestContext } from "node:test";
import type { BootRecord } from "#kinds/metal/v1alpha2/boot-record.ts";
import { inside } from "../../lab/command.ts";
import type { Machine } from "../../lab/machine.ts";
import { bring } from "../../lab/peers.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { followServers, headline, isServerOf, momentOf, type Moment } from "../../lab/life.ts";
import { followRecords, isOf } from "../../lab/records.ts";
import type { Line } from "../../lab/serial.ts";
import { openSite, type Site, type SiteOptions } from "../../lab/site.ts";
import type { Watch } from "../../lab/watch.ts";
import { SIDERO, withoutPeer } from "../peers/locate.ts";

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
export function patience(seconds: number): number {
  const share = Math.max(1, loadavg()[0]! / availableParallelism());
  return 3000 * seconds * Math.min(share, 6);
}

/** What is written to a machine's serial line, in what takes so many seconds at leisure. */
export function written(machine: Machine, pattern: RegExp, seconds: number): Promise<Line> {
  return machine.serial.until(pattern, patience(seconds) / 1000);
}

/**
 * The first object that is looked for among those that `follow` shows. Throws with what was seen last, as `say` tells it, when that takes far
 * longer than the seconds that it takes at leisure.
 */
async function until<T>(
  follow: (see: (object: T) => void) => Watch,
  isIt: (object: T) => boolean,
  what: string,
  seconds: number,
  say: (seen: readonly T[]) => string,
): Promise<T> {
  const found = Promise.withResolvers<T>();
  const seen: T[] = [];
  const watching = follow((object) => {
    seen.push(object);
    if (isIt(object)) found.resolve(object);
  });
  const allowed = patience(seconds);
  const timer = globalThis.setTimeout(() => {
    found.reject(new Error(`no ${what} within ${Math.round(allowed / 1000)} s, but ${say(seen)}`));
  }, allowed);
  try {
    return await found.promise;
  } finally {
    clearTimeout(timer);
    await watching.stop();
  }
}

/** The record of a machine's present boot, as soon as it is what is looked for. */
export function recorded(
  { sidero }: Site,
  machine: Machine,
  what: string,
  seconds: number,
  isIt: (record: BootRecord) => boolean,
): Promise<BootRecord> {
  return until(
    (see: (record: BootRecord) => void) => followRecords(sidero, (record) => isOf(record, machine) && see(record)),
    isIt,
    `record of ${what} of ${machine.description.name}`,
    seconds,
    (seen) => JSON.stringify(seen.at(-1), undefined, 1),
  );
}

/** A machine's Server, as soon as it is what is looked for. */
export function served(
  { sidero }: Site,
  machine: Machine,
  what: string,
  seconds: number,
  isIt: (server: Server, moment: Moment) => boolean,
): Promise<Server> {
  return until(
    (see: (server: Server) => void) => followServers(sidero, (server) => isServerOf(server, machine) && see(server)),
    (server) => isIt(server, momentOf(server)),
    `${what} of ${machine.description.name}`,
    seconds,
    (seen) => `${historyOf(seen).join("\n")}\n${JSON.stringify(seen.at(-1)?.status, undefined, 1)}`,
  );
}

/** What a Server went through, each thing once. */
export function historyOf(servers: readonly Server[]): string[] {
  const lines = servers.map((server) => headline(momentOf(server)));
  return lines.filter((line, index) => line !== lines[index - 1]);
}

/** A machine's serial line as `sidero console` shows it, by its BMC. */
export interface Console {
  text(): string;
  type(text: string): void;
  /** Resolves when it has closed. */
  readonly closed: Promise<void>;
}

/** Resolves when it is open. */
export async function openConsole(context: TestContext, { sidero, network }: Site, { description }: Machine): Promise<Console> {
  const args = ["console", description.uuid!, "--kubeconfig", sidero.kubeconfig];
  const child = spawn(...inside(network.namespace, SIDERO, args), { stdio: ["pipe", "pipe", "inherit"] });
  context.after(() => child.kill("SIGKILL"));
  let text = "";
  child.stdout.on("data", (piece: Buffer) => (text += piece.toString("latin1")));
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  while (!text.includes("ends it")) {
    if (child.exitCode !== null) throw new Error(`sidero console has ended: ${text}`);
    await setTimeout(20);
  }
  return { text: () => text, type: (keys) => void child.stdin.write(keys), closed };
}

/** What `sidero timeline` prints of a machine. */
export function timeline({ sidero }: Site, machine: Machine): Promise<string> {
  return sidero.run("timeline", machine.description.uuid!, "--kubeconfig", sidero.kubeconfig);
}
