/**
 * `make demo`: a rack of three machines that nobody has seen is powered on. Each boots its own way, the screen shows how far it is,
 * and minutes later kubectl reads back what Sidero knows of them. ONCE=1 ends it there (exit 0, or 1 when a machine did not come);
 * otherwise all stays up for you to play with until Ctrl-C.
 */
import { once } from "node:events";
import { tmpdir } from "node:os";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { styleText } from "node:util";
import { describe } from "../description.ts";
import { bring } from "../peers.ts";
import { powerOn } from "../power-on.ts";
import { createScreen } from "../screen.ts";
import { openSite, type Site } from "../site.ts";

/** Seconds from the power button to a Server, on a machine that has a lot to do. */
const PATIENCE = 180;

const RACK = [
  describe(1, { name: "rack-1", mebibytes: 1024 }),
  describe(2, { name: "rack-2", firmware: "uefi", mebibytes: 2048, disks: [{ model: "nvme", gibibytes: 40, serial: "NVME2" }] }),
  describe(3, { name: "rack-3", firmware: "uefi-http", cores: 2, mebibytes: 1024 }),
];

/** What `kubectl get servers` shows of the hardware, here. */
const COLUMNS = [
  "SERVER:.metadata.name",
  "SERIAL:.spec.hardware.system.serialNumber",
  "BOOT:.spec.hardware.firmware.bootMode",
  "CORES:.spec.hardware.compute.totalCoreCount",
  "MEMORY:.spec.hardware.memory.totalSize",
  "DISKS:.spec.hardware.storage.devices[*].deviceName",
  "STORAGE:.spec.hardware.storage.totalSize",
  "NIC:.spec.hardware.network.interfaces[*].driver",
  "ADDRESS:.status.addresses[0].address",
].join(",");

const started = performance.now();
const screen = createScreen(process.stdout);

function step(text: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5);
  screen.print(`${styleText("dim", `${seconds}s`)} ${styleText("green", "✔")} ${text}`);
}

function show(title: string, text: string): void {
  screen.print(`\n${styleText("bold", title)}\n${text.trimEnd()}`);
}

async function demonstrate({ sidero, machines }: Site): Promise<void> {
  const servers = JSON.parse(await sidero.kubectl("get", "servers", "-o", "json")) as { items: { metadata: { name: string } }[] };
  const names = servers.items.map(({ metadata }) => metadata.name);
  for (const { description } of machines) {
    if (!names.includes(description.uuid!))
      throw new Error(`${description.name} is no Server: there are only ${names.join(", ")}`);
  }
  show("kubectl get servers -o custom-columns=…", await sidero.kubectl("get", "servers", "-o", `custom-columns=${COLUMNS}`));
  show(`sidero timeline ${names[1]}`, await sidero.run("timeline", names[1]!, "--kubeconfig", sidero.kubeconfig));

  await sidero.apply(await readFile(join(import.meta.dirname, "classes.yaml"), "utf8"));
  for (const name of names) await sidero.kubectl("patch", "server", name, "--type=merge", "-p", '{"spec":{"accepted":true}}');
  const all = `--for=jsonpath={.status.serversAvailable[${names.length - 1}]}`;
  await sidero.kubectl("wait", "serverclass/any", all, "--timeout=15s");
  show("Accepted, they are in the classes they fit: kubectl get serverclasses", await sidero.kubectl("get", "serverclasses"));
}

async function main(site: Site): Promise<void> {
  step("Sidero is ready, alone on the rack's network: DHCP, TFTP and HTTP are its own");
  screen.print("        Power on.");
  await powerOn(site, screen, PATIENCE);
  step(`${site.machines.length} machines have registered`);
  await demonstrate(site);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  show("Summary", `${site.machines.length} bare machines, powered on, are Servers with all their hardware; ${seconds} s in all.`);
  if (process.env["ONCE"] === "1") return;

  const { sidero, network } = site;
  show(
    "It stays up. In another terminal:",
    `  alias lab='ip netns exec ${network.namespace} env KUBECONFIG=${sidero.kubeconfig}'\n  lab kubectl get servers,bootrecords\nCtrl-C ends it.`,
  );
  await once(process, "SIGINT");
}

const logs = await mkdtemp(join(tmpdir(), "sidero-demo-"));
try {
  const site = await openSite({ machines: RACK, dhcp: "server", logs, ...bring() });
  try {
    await main(site);
  } finally {
    await site.close();
  }
  await rm(logs, { recursive: true });
} catch (error) {
  console.error(`${styleText("red", "✘")} ${error instanceof Error ? error.message : String(error)}\nAll logs are in ${logs}`);
  process.exitCode = 1;
}
