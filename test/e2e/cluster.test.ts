/**
 * The main job: three bare machines become a cluster of one control plane machine and two workers; one worker goes, then all of it. They tell of it by
 * SideroLink, and whoever is in the tunnel beside them does not reach them.
 */
import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { createCluster, isReady, offerTalos, type LabCluster } from "../../lab/cluster.ts";
import { accept, configureBmc } from "../../lab/demo/clean-up.ts";
import { bmcOf, describe } from "../../lab/description.ts";
import { followServers, isServerOf } from "../../lab/life.ts";
import type { Machine } from "../../lab/machine.ts";
import { bring, bringStandIn } from "../../lab/peers.ts";
import { inTurn } from "../../lab/rack.ts";
import type { Site } from "../../lab/site.ts";
import { peersOf, tunnelled } from "./tunnelled.ts";
import { historyOf, patience, recorded, served, siteFor, skip } from "./fixture.ts";

/** Seconds at leisure: to a Server, to a clean machine, from the cluster's objects to its Nodes, and from release to rest. */
const REGISTER = 20;
const WIPE = 40;
const CLUSTER = 150;
const RELEASE = 60;

const MACHINES = [1, 2, 3].map((index) =>
  describe(index, {
    bmc: bmcOf(index),
    first: "disk",
    firmware: index === 3 ? "uefi" : "bios",
    disks: [{ model: "virtio-blk-pci", gibibytes: 1, serial: `DISK${index}` }],
  }),
);

function isClean({ status }: Server): boolean {
  return status?.phase === "Available" && status.isClean === true && status.power === "off" && status.waiting === undefined;
}

/** Registered, known to its BMC, accepted and wiped: nobody's, and off. */
async function prepare(site: Site, machine: Machine): Promise<void> {
  for (const image of machine.disks) await image.fill();
  await machine.bootNext("network");
  await machine.on();
  await recorded(site, machine, "its registration", REGISTER, ({ status }) => status?.phase === "registered");
  await configureBmc(site.sidero, machine, site.bmcs.get(machine)!);
  await accept(site.sidero, machine);
  await served(site, machine, "wipe", WIPE, isClean);
}

/** Ready Nodes, by the Server that each of them is. */
async function readyNodes(cluster: LabCluster): Promise<Map<string, { readonly isControlPlane: boolean }>> {
  const nodes = (await cluster.nodes()).filter(isReady);
  return new Map(
    nodes.map(({ metadata, spec }) => [
      spec?.providerID?.replace("sidero://", "") ?? metadata.name!,
      { isControlPlane: "node-role.kubernetes.io/control-plane" in (metadata.labels ?? {}) },
    ]),
  );
}

async function until<T>(
  what: string,
  seconds: number,
  look: () => Promise<T | undefined>,
  say: () => Promise<string>,
): Promise<T> {
  let last: unknown;
  for (const deadline = performance.now() + patience(seconds); performance.now() < deadline; await setTimeout(1000)) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`${what} does not come:\n${await say()}`, { cause: last });
}

/** What an installed disk has, and a wiped one has not: a partition table, a boot loader's configuration, and the cluster's own. */
const TRACES = ["EFI PART", "Talos stand-in", "clusterName:"];

/** Which of them are on its disk, seen from outside. */
async function traces({ disks: [disk] }: Machine): Promise<string[]> {
  const handle = await open(disk!.path, "r");
  try {
    const found = new Set<string>();
    const block = Buffer.alloc(1024 * 1024);
    for (let at = 0; at < disk!.bytes; at += block.length) {
      await handle.read(block, 0, block.length, at);
      for (const text of TRACES) if (block.includes(text)) found.add(text);
    }
    return TRACES.filter((text) => found.has(text));
  } finally {
    await handle.close();
  }
}

test("three machines: a cluster, one worker less, and nothing", { skip }, async (context) => {
  bringStandIn();
  const site = await siteFor(context, "cluster", {
    machines: MACHINES,
    dhcp: "server",
    flags: { "auto-bmc-setup": "false", siderolink: "true", "siderolink-guests": "true" },
  });
  const { sidero, machines } = site;
  const servers: Server[] = [];
  const watching = followServers(sidero, (server) => servers.push(server));
  context.after(() => watching.stop());
  const began = performance.now();
  const mark = (what: string): void => context.diagnostic(`${((performance.now() - began) / 1000).toFixed(1)} s: ${what}`);
  await inTurn(machines, (machine) => prepare(site, machine));
  mark("three machines are clean and off");

  const files = await offerTalos(site, bringStandIn());
  context.after(() => files.stop());
  const cluster = await createCluster(site, bring().kubectl, {
    name: "lab",
    workers: 2,
    talosVersion: "v1.13.2",
    disk: "/dev/vda",
  });
  const say = async (): Promise<string> =>
    `${await cluster.run("describe").catch(String)}\n${await cluster.kubectl("get", "nodes").catch(String)}`;
  const nodes = await until(
    "a cluster of three ready Nodes",
    CLUSTER,
    async () => {
      const found = await readyNodes(cluster);
      return found.size === 3 ? found : undefined;
    },
    say,
  );
  mark("three Nodes are ready");
  context.diagnostic(await cluster.kubectl("get", "nodes", "-o", "wide"));
  assert.deepEqual(
    [...nodes.keys()].toSorted(),
    machines.map(({ description }) => description.uuid!).toSorted(),
    "Nodes are Servers",
  );
  assert.equal([...nodes.values()].filter(({ isControlPlane }) => isControlPlane).length, 1);
  context.diagnostic(await say());
  for (const machine of machines) assert.deepEqual(await traces(machine), TRACES);

  await tunnelled(site, context);
  mark("all machines are in the tunnel, and a guest reaches none of them");

  await cluster.run("scale", "--workers", "1");
  const left = await until(
    "a Node less",
    RELEASE,
    async () => ((await cluster.nodes()).length === 2 ? readyNodes(cluster) : undefined),
    say,
  );
  const released = machines.find(({ description }) => !left.has(description.uuid!))!;
  assert.equal(nodes.get(released.description.uuid!)!.isControlPlane, false);
  await served(site, released, "wipe when released", RELEASE, isClean);
  mark("the released worker is clean and off");
  assert.equal(released.isOn, false);
  assert.equal((await peersOf(site)).length, 3, "two machines and the guest");
  assert.deepEqual(await traces(released), []);
  assert.deepEqual(await released.disks[0]!.remains(), []);

  await cluster.run("delete", "--yes", "--no-wait");
  await Promise.all(machines.map((machine) => served(site, machine, "wipe after deletion", 2 * RELEASE, isClean)));
  mark("all machines are clean and off");
  for (const machine of machines) {
    assert.equal(machine.isOn, false);
    assert.deepEqual(await traces(machine), []);
  }
  const remaining = await sidero.kubectl("get", "clusters,machines,serverbindings,metalmachines", "-A", "-o", "name");
  assert.equal(remaining.trim(), "");
  context.diagnostic(historyOf(servers.filter((server) => isServerOf(server, released))).join("\n"));
});
