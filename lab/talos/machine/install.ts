/**
 * Installing to a disk, as Talos' installer does: GUID partitions with Talos' labels, GRUB for a BIOS and systemd-boot for UEFI, and after that
 * no network is needed. The kernel and the initial RAM disk are those that this machine runs.
 */
import { readFileSync } from "node:fs";
import { copyFile, mkdir, open, readFile, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Machine } from "#io/machine.ts";
import { archive, file } from "../../../tools/image/cpio.ts";
import { FILES } from "../image/files.ts";
import type { Say } from "./console.ts";
import type { Install } from "../../../sim/talos/facts.ts";
import { createTable, TYPES } from "./gpt.ts";
import type { Partition } from "./gpt.ts";
import { placeGrub } from "./grub.ts";
import { blocks, findVolumes, makeFileSystem, mount, must, sizeOf, writeConfig, writeMeta, mountVolumes } from "./volumes.ts";
import type { Volumes } from "./volumes.ts";

const INSTALLER = "/run/installer";
const BOOT = "/run/boot";
/** The compressed system is the only one that is mounted from a file. */
const SYSTEM = "/dev/loop0";

/** Talos', but that its BOOT is a file system of its own; here GRUB reads the same one as UEFI. */
const PARTITIONS: readonly Partition[] = [
  { label: "EFI", type: TYPES.efi, mebibytes: 270 },
  { label: "BIOS", type: TYPES.biosBoot, mebibytes: 1 },
  { label: "META", type: TYPES.linux, mebibytes: 1 },
  { label: "STATE", type: TYPES.linux, mebibytes: 32 },
  { label: "EPHEMERAL", type: TYPES.linux },
];

/** As if the image had been made with these: without them a machine of the lab is mute, does not trust its timer, and takes longer for what nobody reads. */
const OWN_ARGUMENTS = ["console=ttyS0", "no_timer_check", "quiet"];
const ARGUMENTS = ["talos.platform=metal", "init_on_alloc=1", "slab_nomerge", "pti=on", "consoleblank=0", "printk.devkmsg=on"];

export interface InstallOptions {
  readonly machine: Machine;
  readonly say: Say;
  readonly install: Install;
  readonly version: string;
  readonly uniqueToken: string;
  /** The configuration that is kept. */
  readonly config: string;
}

/** Resolves when everything is on the disk, mounted. Throws when it cannot be done: no such disk, too small. */
export async function installSystem({ machine, say, install, version, uniqueToken, config }: InstallOptions): Promise<Volumes> {
  const disk = await chooseDisk(machine, install);
  const bytes = await sizeOf(machine, disk);
  say(`installing ${version} to ${disk} (${Math.round(bytes / 2 ** 30)} GiB)`);
  const table = createTable(bytes, PARTITIONS, randomUUID);
  const first = table.partitions.find(({ label }) => label === "BIOS")!.first;
  const grub = placeGrub(readFileSync(`${INSTALLER}/${FILES.bootSector}`), readFileSync(`${INSTALLER}/${FILES.core}`), first);
  await writeAt(disk, [
    [0, table.primary],
    [table.backupAt, table.backup],
    [0, grub.code],
    [first * 512, grub.core],
  ]);
  await must(machine, "/run/busybox", "blockdev", "--rereadpt", disk);
  const volumes = await appeared(machine, disk);
  const partition = (label: string): string => volumes.partitions.get(label)!;
  say("making file systems");
  await must(machine, `${INSTALLER}/${FILES.makeFat}`, "-F", "32", "-s", "8", "-n", "EFI", partition("EFI"));
  for (const label of ["STATE", "EPHEMERAL"]) await makeFileSystem(machine, partition(label), label);
  say("copying the system and its boot loaders");
  await mount(machine, partition("EFI"), BOOT, "vfat");
  await fillBoot([...ARGUMENTS, ...OWN_ARGUMENTS], install.extraKernelArgs);
  await must(machine, "umount", BOOT);
  await writeMeta(partition("META"), { version, uniqueToken });
  await mountVolumes(machine, volumes);
  await writeConfig(config);
  await must(machine, "sync");
  return volumes;
}

/** With GRUB, the configuration's arguments count; systemd-boot has those of the image only, as Talos has it. */
async function fillBoot(own: readonly string[], extra: readonly string[]): Promise<void> {
  for (const directory of ["EFI/BOOT", "loader/entries", "grub"]) await mkdir(`${BOOT}/${directory}`, { recursive: true });
  await copyFile(`${INSTALLER}/${FILES.systemdBoot}`, `${BOOT}/EFI/BOOT/BOOTX64.EFI`);
  await copyFile(`${INSTALLER}/${FILES.kernel}`, `${BOOT}/vmlinuz`);
  const system = archive([file("system.squashfs", await readFile(SYSTEM))]);
  await writeFile(`${BOOT}/initramfs`, Buffer.concat([system, await readFile(`${INSTALLER}/${FILES.start}`)]));
  await writeFile(`${BOOT}/loader/loader.conf`, "timeout 0\n");
  const entry = ["title Talos stand-in", "linux /vmlinuz", "initrd /initramfs", `options ${own.join(" ")}`];
  await writeFile(`${BOOT}/loader/entries/talos.conf`, `${entry.join("\n")}\n`);
  await writeFile(
    `${BOOT}/grub/grub.cfg`,
    `echo "GRUB starts the Talos stand-in"\nlinux /vmlinuz ${[...own, ...extra].map(quoted).join(" ")}\ninitrd /initramfs\nboot\n`,
  );
}

/** For GRUB's shell. */
function quoted(argument: string): string {
  return `'${argument.replaceAll("'", "")}'`;
}

async function chooseDisk(machine: Machine, { disk, selector }: Install): Promise<string> {
  const disks = (await blocks(machine)).filter((block) => block.label === undefined && block.path === block.disk);
  if (disk !== undefined) {
    if (disks.some(({ path }) => path === disk)) return disk;
    throw new Error(`there is no disk ${disk}; there are ${disks.map(({ path }) => path).join(", ") || "none"}`);
  }
  if (selector !== undefined && Object.keys(selector).some((key) => key !== "type" && key !== "size"))
    throw new Error("the stand-in knows no such diskSelector; name a disk");
  const sized = await Promise.all(disks.map(async ({ path }) => ({ path, bytes: await sizeOf(machine, path) })));
  const [smallest] = sized.toSorted((a, b) => a.bytes - b.bytes);
  if (smallest === undefined) throw new Error("there is no disk to install to");
  return smallest.path;
}

async function writeAt(path: string, pieces: readonly (readonly [number, Buffer])[]): Promise<void> {
  const handle = await open(path, "r+");
  try {
    for (const [position, bytes] of pieces) await handle.write(bytes, 0, bytes.length, position);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The kernel tells of new partitions in its own time. */
async function appeared(machine: Machine, disk: string): Promise<Volumes> {
  for (let tries = 0; tries < 200; tries++) {
    const volumes = await findVolumes(machine);
    if (volumes?.disk === disk && PARTITIONS.every(({ label }) => volumes.partitions.has(label))) return volumes;
    await setTimeout(50);
  }
  throw new Error(`the kernel does not see the partitions of ${disk}`);
}
