/** What runs in a machine that boots the stand-in: as much of Talos' machined as can be seen from outside. */
import { argumentOf, parseCommandLine } from "#agent/steps/command-line.ts";
import type { Argument } from "#agent/steps/command-line.ts";
import { loadDrivers } from "#agent/steps/drivers.ts";
import { networkPlan } from "#agent/steps/network/plan.ts";
import { bringUp } from "#agent/steps/network/up.ts";
import { systemClock as clock } from "#io/node/clock.ts";
import { machine } from "#io/node/machine.ts";
import type { Log } from "#io/log.ts";
import { toLatin1 } from "#std/bytes.ts";
import { parseConfig } from "#talos/document/parse.ts";
import { createConsole, problemOf } from "./console.ts";
import type { Say } from "./console.ts";
import { createHost, tellAddresses } from "./host.ts";
import type { Host } from "./host.ts";
import { findVolumes, mountVolumes, readConfig, readMeta } from "./volumes.ts";

/** What a Talos that was started from the network calls itself; an installed one is of its installer's version. */
const VERSION = "v1.13.0";

/** Ends when the machine is to start again: process 1 sees to that. */
export async function machined(): Promise<void> {
  const say = createConsole((text) => void process.stderr.write(text));
  // A timer alone does not keep the process alive, and waiting is most of what it does.
  setInterval(() => {}, 2 ** 30);
  try {
    await run(say);
  } catch (error) {
    say(`fatal: ${problemOf(error)}`);
    process.exit(1);
  }
}

async function run(say: Say): Promise<void> {
  say("this is no Talos: it stands in for one in Sidero's lab, and runs no containers");
  const line = parseCommandLine(toLatin1((await machine.read("/proc/cmdline")) ?? new Uint8Array()));
  demandArguments(line);
  await loadDrivers(machine, clock).settled;
  const host = await createHost(machine, line, say, VERSION);
  host.volumes = await findVolumes(machine);
  const plan = networkPlan(line);
  // Where there is IPv4, it is waited for: certificates are made out to the addresses that are there then.
  const family = plan.ipv4.how === "off" ? 6 : 4;
  const networking = bringUp({ machine, clock, log: logOf(say), plan, family, dhcp6: () => {} });
  if (host.volumes !== undefined) {
    await mountVolumes(machine, host.volumes);
    const meta = await readMeta(host.volumes);
    host.version = meta?.version ?? VERSION;
    host.uniqueToken = meta?.uniqueToken ?? host.uniqueToken;
    say(`${host.version} is installed on ${host.volumes.disk}`);
  }
  // A disk that has a configuration is never asked for another one: re-provisioning takes wiping it.
  // Loading what only some boots need takes an emulated machine seconds: here it goes on while DHCP waits, and is left out where nobody needs it.
  const installed = host.volumes && (await readConfig());
  void networking.then(() => report(host, installed)).catch((error: unknown) => say(problemOf(error)));
  const config = installed ?? (await (await import("./unconfigured.ts")).configure(host, networking));
  const { runConfigured } = await import("./configured.ts");
  return runConfigured(host, config, networking);
}

/** SideroLink, where somebody wants it: beside all else, as nothing here needs it. */
async function report(host: Host, installed: string | undefined): Promise<void> {
  if (!isLinked(host.line, installed)) return;
  const { joinLink, linkOf } = await import("./siderolink.ts");
  const link = linkOf(host, installed === undefined ? undefined : parseConfig(installed));
  if (link === undefined) return;
  await joinLink(host, link);
  tellAddresses(host);
  const { reportEvents, reportKernelLog } = await import("./reports.ts");
  if (link.logs !== undefined) reportKernelLog(host, link.logs);
  if (link.events !== undefined) await reportEvents(host, link.events);
}

function isLinked(line: readonly Argument[], installed: string | undefined): boolean {
  return argumentOf(line, "siderolink.api") !== undefined || (installed?.includes("SideroLinkConfig") ?? false);
}

/** Kernel self protection: Talos does not boot without (facts §6.1). */
function demandArguments(line: readonly Argument[]): void {
  const platform = argumentOf(line, "talos.platform");
  if (platform !== "metal") throw new Error(`talos.platform is ${platform ?? "missing"}, not metal`);
  if (argumentOf(line, "pti") !== "on") throw new Error("KSPP kernel parameter pti=on is missing");
  const slab = line.find(({ name }) => name === "slab_nomerge");
  if (slab === undefined || (slab.value ?? "") !== "") throw new Error("KSPP kernel parameter slab_nomerge is missing");
}

function logOf(say: Say): Log {
  const log: Log = { error: say, warn: say, info: say, debug: () => {}, with: () => log };
  return log;
}
