/**
 * `make demo`: the whole road. A rack of three machines, with BMCs and with somebody's old data on their disks, is powered on. They register, each in its own way;
 * they are accepted, and so wiped and switched off: one is started for that by its BMC, the others are in the agent already, which makes an account for Sidero on theirs.
 * Then a cluster is asked for: Servers are picked, switched on, installed, bootstrapped, until all are Nodes; one worker is let go, and wiped. Disks are looked at from
 * outside, and what Sidero and the cluster know is read back by kubectl. ONCE=1 ends it there (exit 0, or 1 when something is not as it should be); otherwise all
 * stays up for you to play with until Ctrl-C.
 */
import { once } from "node:events";
import { tmpdir } from "node:os";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { styleText } from "node:util";
import { bmcOf, describe } from "../description.ts";
import type { Machine } from "../machine.ts";
import { createCluster, offerTalos, SHARED, type LabCluster } from "../cluster.ts";
import { bring, bringStandIn } from "../peers.ts";
import { powerOn } from "../power-on.ts";
import { createScreen } from "../screen.ts";
import { openSite, type Site } from "../site.ts";
import { cleanUp, configureBmc, type Cleaned } from "./clean-up.ts";
import { hasAll, openStory, type Story } from "./grow.ts";
import { summaryOf } from "./summary.ts";
import { sizeText, table } from "./table.ts";

/** What `kubectl get serverclasses` shows here. */
const CLASSES = "CLASS:.metadata.name,AVAILABLE:.status.serversAvailable[*]";

/** And of `kubectl get nodes`. */
const NODES =
  "NODE:.metadata.name,READY:.status.conditions[0].status,KUBELET:.status.nodeInfo.kubeletVersion,ADDRESS:.status.addresses[0].address,SERVER:.spec.providerID";

/** Seconds from the power button to a Server, and from acceptance to clean and off, on a machine that has a lot to do. */
const PATIENCE = 180;

const RACK = [
  describe(1, { name: "rack-1", mebibytes: 1024, bmc: bmcOf(1), first: "disk" }),
  describe(2, {
    name: "rack-2",
    firmware: "uefi",
    mebibytes: 2048,
    disks: [{ model: "nvme", gibibytes: 40, serial: "NVME2" }],
    bmc: bmcOf(2),
    first: "disk",
  }),
  describe(3, {
    name: "rack-3",
    firmware: "uefi-http",
    cores: 2,
    mebibytes: 1024,
    disks: [
      { model: "virtio-blk-pci", gibibytes: 10, serial: "DISK3A" },
      { model: "ide-hd", gibibytes: 20, serial: "DISK3B" },
    ],
    bmc: bmcOf(3),
    first: "disk",
  }),
];

/** Of Talos, as the machines are told. */
const VERSION = "v1.13.2";

let cluster: LabCluster | undefined;
const started = performance.now();
const screen = createScreen(process.stdout);

function step(text: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5);
  screen.print(`${styleText("dim", `${seconds}s`)} ${styleText("green", "✔")} ${text}`);
}

function show(title: string, text: string): void {
  screen.print(`\n${styleText("bold", title)}\n${text.trimEnd()}`);
}

/** What Sidero says that it has erased, and what is found on the disks from outside. Throws when something is left. */
async function inspect(cleaned: readonly Cleaned[]): Promise<string[][]> {
  const rows: string[][] = [];
  for (const { machine, server, seconds } of cleaned) {
    const erased = server.status?.wipe?.disks ?? [];
    for (const [index, { serial, gibibytes }] of machine.description.disks.entries()) {
      const image = machine.disks[index]!;
      const remains = await image.remains();
      if (remains.length > 0) throw new Error(`${machine.description.name}: ${serial} still holds old data at ${remains[0]}`);
      const record = erased.find((disk) => disk.serial === serial);
      if (record?.state !== "done") throw new Error(`${machine.description.name}: no record of ${serial} being erased`);
      const verified = record.verified === true ? "read back" : "not read back";
      const name = index === 0 ? machine.description.name : "";
      const total = index === 0 ? `${seconds.toFixed(1)} s` : "";
      rows.push([
        name,
        record.name,
        serial,
        sizeText(gibibytes * 1024 ** 3),
        record.method ?? "",
        verified,
        "nothing left",
        total,
      ]);
    }
  }
  return rows;
}

/** Somebody pulls the cord of the first: its BMC has to bring it back. Nobody tells Sidero of the others' BMCs. */
async function prepare({ sidero, machines, bmcs }: Site): Promise<void> {
  const first = machines[0]!;
  await first.off();
  await configureBmc(sidero, first, bmcs.get(first)!);
  step(`${first.description.name} is switched off again, and Sidero is told of its BMC; it is to find the others' itself`);
}

async function clean(site: Site): Promise<void> {
  const { sidero, machines } = site;
  screen.print("        All are accepted: they may be wiped.");
  const cleaned = await cleanUp(site, screen, PATIENCE);
  step("all machines are clean and off");

  await sidero.apply(await readFile(join(import.meta.dirname, "classes.yaml"), "utf8"));
  const all = `--for=jsonpath={.status.serversAvailable[${machines.length - 1}]}`;
  await sidero.kubectl("wait", "serverclass/any", all, "--timeout=15s");
  show("kubectl get servers", await sidero.kubectl("get", "servers"));
  const columns = `custom-columns=${CLASSES}`;
  show("kubectl get serverclasses -o custom-columns=…", await sidero.kubectl("get", "serverclasses", "-o", columns));

  const head = ["MACHINE", "DISK", "SERIAL", "SIZE", "ERASED BY", "VERIFIED", "SEEN FROM OUTSIDE", "ACCEPTED TO OFF"];
  show("Erased", table(head, await inspect(cleaned)));
  const hardware = cleaned.map((each) => [each.machine.description.name, ...hardwareOf(each), ...timesOf(each)]);
  show("Machines", table(["MACHINE", "BOOT", "CORES", "MEMORY", "STORAGE", "ADDRESS", "BMC", "STEPS (s)"], hardware));
}

/** Where each is to be installed: its disks differ. A person says it once, on the Server. */
async function chooseDisks({ sidero, machines }: Site): Promise<void> {
  for (const { description } of machines) {
    const disk = description.disks[0]!.model === "nvme" ? "/dev/nvme0n1" : "/dev/vda";
    const patch = { spec: { strategicPatches: [`machine: { install: { disk: ${disk} } }`] } };
    await sidero.kubectl("patch", "server", description.uuid!, "--type=merge", "-p", JSON.stringify(patch));
  }
}

/** From clean machines to a cluster, and from the cluster one machine back. */
async function grow(site: Site, journeys: Story["journeys"], story: Story): Promise<LabCluster> {
  const { sidero, machines } = site;
  await chooseDisks(site);
  cluster = await createCluster(site, bring().kubectl, { name: "lab", workers: machines.length - 1, talosVersion: VERSION });
  screen.print(
    `        sidero cluster create lab --control-planes 1 --workers ${machines.length - 1} --endpoint ${SHARED} --vip-link eth0`,
  );
  await story.until(() => hasAll(journeys, machines, "Node ready"), 4 * PATIENCE, "the cluster is not ready");
  step(`the cluster is ready: ${machines.length} Nodes`);
  show("kubectl get clusters,machines", await sidero.kubectl("get", "clusters,machines"));
  show("sidero cluster describe lab", await cluster.run("describe"));
  const columns = `custom-columns=${NODES}`;
  show(
    "With the cluster's own kubeconfig: kubectl get nodes -o custom-columns=…",
    await cluster.kubectl("get", "nodes", "-o", columns),
  );

  await cluster.run("scale", "--workers", String(machines.length - 2));
  screen.print(`        sidero cluster scale lab --workers ${machines.length - 2}`);
  const released = (): Machine | undefined => machines.find((machine) => journeys.of(machine).reached.has("wiped again, off"));
  await story.until(() => released() !== undefined, PATIENCE * 2, "no worker is clean and off");
  const machine = released()!;
  for (const image of machine.disks)
    if ((await image.remains()).length > 0) throw new Error(`${machine.description.name}: its disk has been written to`);
  if (await isInstalled(machine)) throw new Error(`${machine.description.name}: what was installed is still on its disk`);
  step(
    `${machine.description.name} is out of the cluster, wiped and off; nothing of what was installed is left on its disks, seen from outside`,
  );
  show("kubectl get servers", await sidero.kubectl("get", "servers"));
  show("With the cluster's own kubeconfig: kubectl get nodes", await cluster.kubectl("get", "nodes"));
  return cluster;
}

/** Seen from outside: a partition table, which an installed disk begins with. */
async function isInstalled({ disks }: Machine): Promise<boolean> {
  const handle = await open(disks[0]!.path, "r");
  try {
    const { buffer } = await handle.read(Buffer.alloc(1024), 0, 1024, 0);
    return buffer.includes("EFI PART");
  } finally {
    await handle.close();
  }
}

function hardwareOf({ server: { spec, status } }: Cleaned): string[] {
  const { firmware, compute, memory, storage } = spec?.hardware ?? {};
  const address = status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
  const facts = [firmware?.bootMode, compute?.totalCoreCount, memory?.totalSize, storage?.totalSize, address];
  return [...facts.map((fact) => String(fact ?? "")), spec?.bmc?.endpoint ?? "none"];
}

function timesOf({ steps, seconds }: Cleaned): string[] {
  const named = steps.map(({ phase, at }) => `${phase} ${at.toFixed(1)}`);
  return [[...named, `off ${seconds.toFixed(1)}`].join(" → ")];
}

async function main(site: Site): Promise<void> {
  const { sidero, network, machines } = site;
  const disks = machines.flatMap((machine: Machine) => machine.disks);
  for (const disk of disks) await disk.fill();
  step("Sidero is ready, alone on the rack's network: DHCP, TFTP and HTTP are its own. The disks hold somebody's old data");
  const files = await offerTalos(site, bringStandIn());
  const story = openStory(site, () => cluster, screen);
  try {
    screen.print("        Power on, F12.");
    const switchedOn = new Map<Machine, number>();
    await powerOn(site, screen, PATIENCE);
    for (const machine of machines) switchedOn.set(machine, machine.since);
    step(`${machines.length} machines have registered`);
    await prepare(site);
    await clean(site);
    await grow(site, story.journeys, story);
    show(
      "Steps",
      summaryOf(machines, story.journeys, (machine) => switchedOn.get(machine) ?? 0),
    );
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const what = `${machines.length} bare machines, powered on, were wiped, installed and are a cluster; one worker was released and is clean again`;
    show(
      "Summary",
      `${what}; ${seconds} s in all. What they run stands in for Talos (lab/talos): no Talos image comes with Sidero.`,
    );
    if (process.env["ONCE"] === "1") return;

    show(
      "It stays up. In another terminal:",
      `  alias lab='ip netns exec ${network.namespace} env KUBECONFIG=${sidero.kubeconfig}'\n  lab kubectl get servers,machines\n  lab bin/sidero cluster describe lab\nCtrl-C ends it.`,
    );
    await once(process, "SIGINT");
  } finally {
    await story.journeys.stop();
    await files.stop();
  }
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
