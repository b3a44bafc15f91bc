/** The lab's BMCs by what others made of IPMI: ipmitool asks, and real firmware does it. Nothing of Sidero is in it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { before, test, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Bmc } from "../../lab/bmc/bmc.ts";
import { bmcOf, describe, type Description } from "../../lab/description.ts";
import type { Machine } from "../../lab/machine.ts";
import { createRack } from "../../lab/rack.ts";
import { bringLab, withoutPeer } from "../peers/locate.ts";

const skip = withoutPeer("lab");
before(() => void (skip || bringLab()));

/** Seconds to firmware's first word, on a machine that has a lot to do. */
const SOON = 60;

/** A machine whose disk has a system on it, from which it boots unless its BMC says otherwise. */
async function equipped(context: TestContext, parts: Partial<Description> = {}): Promise<{ machine: Machine; bmc: Bmc }> {
  const disks = [{ model: "virtio-blk-pci", gibibytes: 1, serial: "DISK1" }] as const;
  const rack = await createRack([describe(1, { bmc: bmcOf(1), first: "disk", mebibytes: 256, disks, ...parts })]);
  context.after(() => rack.close());
  const machine = rack.machines[0]!;
  await machine.disks[0]!.fill();
  return { machine, bmc: rack.bmcs.get(machine)! };
}

async function powerOf(bmc: Bmc): Promise<string> {
  return (await bmc.ipmitool("chassis", "power", "status")).trim();
}

/** Which system it starts next is asked as ipmitool reads it: IPMI's parameter 5. */
async function bootDevice(bmc: Bmc): Promise<string> {
  return /Boot Device Selector : (.*)/.exec(await bmc.ipmitool("chassis", "bootparam", "get", "5"))![1]!;
}

/** A power cycle takes a second, in which the machine is off. */
async function restarted(machine: Machine, before: number): Promise<void> {
  while (!machine.isOn || machine.since === before) await setTimeout(20);
}

test("power, and what to boot from once", { skip }, async (context) => {
  const { machine, bmc } = await equipped(context);
  const old = new RegExp(machine.disks[0]!.greeting);
  assert.equal(await powerOf(bmc), "Chassis Power is off");
  assert.equal(await bootDevice(bmc), "No override");

  await bmc.ipmitool("chassis", "power", "on");
  await machine.serial.until(old, SOON);
  assert.equal(await powerOf(bmc), "Chassis Power is on");

  await bmc.ipmitool("chassis", "bootdev", "pxe");
  assert.equal(await bootDevice(bmc), "Force PXE");
  const { since } = machine;
  await bmc.ipmitool("chassis", "power", "cycle");
  await restarted(machine, since);
  await machine.serial.until(/iPXE .* starting execution/, SOON);
  // Starting uses it up.
  while ((await bootDevice(bmc)) !== "No override") await setTimeout(200);

  await bmc.ipmitool("chassis", "power", "reset");
  await machine.serial.until(old, SOON);
  await bmc.ipmitool("chassis", "bootdev", "pxe");
  await bmc.ipmitool("chassis", "power", "reset");
  await machine.serial.until(/iPXE .* starting execution/, SOON);

  await bmc.ipmitool("chassis", "power", "off");
  await bmc.ipmitool("chassis", "power", "off");
  assert.equal(await powerOf(bmc), "Chassis Power is off");
  assert.equal(machine.isOn, false);
  await bmc.ipmitool("chassis", "bootdev", "disk");
  await bmc.ipmitool("chassis", "bootdev", "none");
  await bmc.ipmitool("chassis", "power", "on");
  await machine.serial.until(old, SOON);
  await bmc.ipmitool("chassis", "bootdev", "cdrom");
  assert.equal(await bootDevice(bmc), "No override", "there is no such drive");
  assert.equal((await machine.disks[0]!.remains()).length, 544, "nothing of this writes to the disk");
});

test("the serial line over the network, both ways", { skip }, async (context) => {
  const { machine, bmc } = await equipped(context);
  const [command, args] = bmc.command("sol", "activate");
  // It wants a terminal.
  const quoted = [command, ...args].map((word) => `'${word}'`).join(" ");
  const sol = spawn("script", ["-qec", quoted, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"] });
  context.after(() => sol.kill("SIGKILL"));
  let text = "";
  sol.stdout.on("data", (piece: Buffer) => (text += piece.toString("latin1")));
  const until = async (pattern: RegExp): Promise<void> => {
    const deadline = performance.now() + SOON * 1000;
    while (!pattern.test(text)) {
      if (performance.now() > deadline) throw new Error(`${pattern} does not come: ${text}`);
      await setTimeout(50);
    }
  };
  await until(/SOL Session operational/);
  await bmc.ipmitool("chassis", "bootdev", "pxe");
  await bmc.ipmitool("chassis", "power", "on");
  await until(/Press Ctrl-B/);
  sol.stdin.write("\x02");
  await until(/iPXE>/);
  sol.stdin.write("show version\r");
  await until(/builtin\/version\S* = /);
  assert.match(machine.serial.tail(), /builtin\/version/, "the log has it as well");
  const ended = once(sol, "close");
  sol.stdin.write("\r~.");
  await ended;
});

test("UEFI boots from what the BMC says, too", { skip }, async (context) => {
  const { machine, bmc } = await equipped(context, { firmware: "uefi" });
  // The disk is nothing for UEFI: it says so, and goes on to the network.
  const disk = /BdsDxe: failed to load \w+ "UEFI Misc/;
  const network = /Start PXE over IPv4/;
  await bmc.ipmitool("chassis", "power", "on");
  await machine.serial.until(disk, SOON);
  await bmc.ipmitool("chassis", "bootdev", "pxe", "options=efiboot");
  await bmc.ipmitool("chassis", "power", "reset");
  await machine.serial.until(network, SOON);
  await assert.rejects(machine.serial.until(disk, 0.1), "the network came first");
});

test("a BMC that hangs, and comes back", { skip }, async (context) => {
  const { bmc } = await equipped(context);
  bmc.freeze();
  await assert.rejects(bmc.ipmitool("-N", "1", "-R", "1", "chassis", "power", "status"), /Unable to establish/);
  bmc.thaw();
  assert.equal(await powerOf(bmc), "Chassis Power is off");
});
