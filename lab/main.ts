/** `make lab ARGS="--machines 4 --firmware bios,uefi"`: a rack to play with, until Ctrl-C. */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Bmc } from "./bmc/bmc.ts";
import { bmcOf, describe, FIRMWARES, type Firmware } from "./description.ts";
import { offerTalos } from "./cluster.ts";
import type { Files } from "./files.ts";
import { bring, bringStandIn } from "./peers.ts";
import { powerOn } from "./power-on.ts";
import { createScreen } from "./screen.ts";
import { openSite, type Dhcp, type Site } from "./site.ts";

const USAGE = `make lab ARGS="…"
  --machines N        how many (3)
  --firmware LIST     of bios, uefi, uefi-http; machines take them in turn (all three)
  --dhcp ours|dnsmasq Sidero gives addresses, or dnsmasq does and Sidero adds how to boot (ours)
  --memory MIB        of each machine (768)
  --flags "A=B C=D"   more flags of sidero up, without the dashes
  --no-bmc            machines without BMCs: people press their buttons
  --talos             offer what stands in for Talos, for clusters
  --off               do not switch the machines on`;

const DHCP: Readonly<Record<string, Dhcp>> = { ours: "server", dnsmasq: "proxy" };
const PATIENCE = 300;
const LOGS = join(import.meta.dirname, "../test-results/lab");

function wrong(problem: string): never {
  console.error(`${problem}\n${USAGE}`);
  process.exit(2);
}

function firmwareOf(text: string): Firmware {
  return FIRMWARES.find((each) => each === text) ?? wrong(`--firmware: there is no ${text}`);
}

function hints({ sidero, network, machines, bmcs }: Site): string {
  const lines = machines.map(({ description: { name, uuid }, serial }) => `  ${name}  ${uuid}  ${serial.path}`);
  const [bmc] = bmcs.values();
  return `
  alias lab='ip netns exec ${network.namespace} env KUBECONFIG=${sidero.kubeconfig}'
  lab kubectl get servers,bootrecords
  lab bin/sidero timeline ${machines[0]!.description.uuid}
  lab tcpdump -ni rack${bmc === undefined ? "" : `\n  lab ${ipmitool(bmc)} chassis status`}
Sidero's log: ${sidero.path}. Machines and what their serial lines say:
${lines.join("\n")}
Ctrl-C switches everything off.`;
}

function ipmitool({ address, description: { user, password } }: Bmc): string {
  return `ipmitool -I lanplus -C 3 -H ${address} -U ${user} -P ${password}`;
}

const OPTIONS = {
  machines: { type: "string", default: "3" },
  firmware: { type: "string", default: FIRMWARES.join(",") },
  dhcp: { type: "string", default: "ours" },
  memory: { type: "string", default: "768" },
  flags: { type: "string", default: "" },
  bmc: { type: "boolean", default: true },
  off: { type: "boolean", default: false },
  talos: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

function valuesOf(): ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"] {
  try {
    return parseArgs({ options: OPTIONS, allowNegative: true }).values;
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
}

const values = valuesOf();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const count = Number(values.machines);
if (!Number.isInteger(count) || count < 1 || count > 99) wrong(`--machines: ${values.machines} is no number of machines`);
const dhcp = DHCP[values.dhcp] ?? wrong(`--dhcp: there is no ${values.dhcp}`);
const firmwares = values.firmware.split(",").map(firmwareOf);
const flags = Object.fromEntries(
  values.flags
    .split(" ")
    .filter((each) => each !== "")
    .map((each) => [each.split("=", 1)[0]!, each.slice(each.indexOf("=") + 1)]),
);

const descriptions = Array.from({ length: count }, (_, index) =>
  describe(index + 1, {
    firmware: firmwares[index % firmwares.length]!,
    mebibytes: Number(values.memory),
    ...(values.bmc && { bmc: bmcOf(index + 1) }),
  }),
);
await rm(LOGS, { recursive: true, force: true });
const site = await openSite({ machines: descriptions, dhcp, logs: LOGS, flags, ...bring() });
const interrupted = once(process, "SIGINT");
let files: Files | undefined;
try {
  if (values.talos) files = await offerTalos(site, bringStandIn());
  console.log(hints(site));
  if (!values.off) await Promise.race([interrupted, powerOn(site, createScreen(process.stdout), PATIENCE)]);
  await interrupted;
} finally {
  await files?.stop();
  await site.close();
}
