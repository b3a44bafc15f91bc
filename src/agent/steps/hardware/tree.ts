/**
 * What the kernel says of the hardware, read once: files of /sys and /proc by path. The readers of the hardware are pure functions of
 * such a tree, so that a machine can be captured and read again elsewhere.
 */
import type { Machine } from "#io/machine.ts";
import { toLatin1 } from "#std/bytes.ts";

export interface Tree {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Symbolic links and directories of devices: path → path without links. */
  readonly links: ReadonlyMap<string, string>;
}

/** What is read of each device of a class: files, links (`driver@`), and where the device itself is (`@`). */
interface Class {
  readonly directory: string;
  readonly names: readonly string[];
}

const PCI = ["vendor", "device", "class", "driver@"];
/** Below the directory of a disk. */
export const BLOCK_FILES: readonly string[] = [
  "size",
  "removable",
  "ro",
  "wwid",
  "uuid",
  "queue/rotational",
  "queue/logical_block_size",
  "queue/physical_block_size",
  "queue/discard_max_bytes",
  "serial",
  "device/model",
  "device/serial",
  "device/rev",
  "device/firmware_rev",
  "device/wwid",
  "device/type",
  "device/vpd_pg80",
  "device/vpd_pg83",
  "device/cid",
  "device/name",
  "device/sas_address",
  "device/transport",
];
const NET = [
  "ifindex",
  "flags",
  "mtu",
  "address",
  "addr_assign_type",
  "type",
  "operstate",
  "carrier",
  "speed",
  "device@",
  "device/driver@",
  "bonding_slave/perm_hwaddr",
];

const INTERFACES: Class = { directory: "/sys/class/net", names: NET };
const CLASSES: readonly Class[] = [
  INTERFACES,
  { directory: "/sys/bus/pci/devices", names: PCI },
  { directory: "/sys/block", names: ["@", ...BLOCK_FILES] },
  { directory: "/sys/class/tpm", names: ["tpm_version_major", "caps"] },
];

const SMBIOS_LIMIT = 1024 * 1024;
/** Path → most bytes. */
const SINGLES: Readonly<Record<string, number>> = {
  "/sys/firmware/dmi/tables/smbios_entry_point": 64,
  "/sys/firmware/dmi/tables/DMI": SMBIOS_LIMIT,
  "/sys/firmware/efi/fw_platform_size": 64,
  "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": 64,
  "/proc/cpuinfo": 4 * 1024 * 1024,
  "/proc/meminfo": 65_536,
  "/proc/sys/kernel/osrelease": 256,
  "/proc/sys/kernel/arch": 64,
};

/** More devices of one class than any machine has: the report stays bounded. */
const DEVICES_LIMIT = 4096;

/**
 * Reads everything that the readers of this folder look at, or only what names the machine: firmware and interfaces. Never rejects; what
 * cannot be read is not there.
 */
export async function captureTree(machine: Machine, part: "all" | "identity" = "all"): Promise<Tree> {
  const files = new Map<string, Uint8Array>();
  const links = new Map<string, string>();
  const file = async (path: string, limit?: number): Promise<void> => {
    const content = await machine.read(path, limit);
    if (content !== undefined) files.set(path, content);
  };
  const link = async (path: string): Promise<void> => {
    const target = await machine.resolve(path);
    if (target !== undefined) links.set(path, target);
  };
  await Promise.all(Object.entries(SINGLES).map(([path, limit]) => file(path, limit)));
  for (const { directory, names } of part === "all" ? CLASSES : [INTERFACES]) {
    for (const device of (await machine.list(directory)).slice(0, DEVICES_LIMIT)) {
      await Promise.all(
        names.map((name) => {
          const path = `${directory}/${device}/${name}`;
          return name.endsWith("@") ? link(path.replace(/\/?@$/, "")) : file(path);
        }),
      );
    }
  }
  return { files, links };
}

/** The text of a file, spaces and zero bytes around it gone; undefined when it is not there or empty. */
export function textOf(tree: Tree, path: string): string | undefined {
  const bytes = tree.files.get(path);
  if (bytes === undefined) return undefined;
  const text = toLatin1(bytes)
    .replaceAll(/[^\x20-\x7e\n\t]/g, " ")
    .trim();
  return text === "" ? undefined : text;
}

/** The number in a file, decimal or `0x…`; undefined for anything that is no number from 0 to 2^53. */
export function numberOf(tree: Tree, path: string): number | undefined {
  const text = textOf(tree, path);
  if (text === undefined || !/^(?:\d{1,16}|0x[0-9a-f]{1,13})$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Names of the devices below a directory that has something of them in the tree, sorted. */
export function devicesIn(tree: Tree, directory: string): string[] {
  const names = new Set<string>();
  for (const path of [...tree.files.keys(), ...tree.links.keys()]) {
    if (path.startsWith(`${directory}/`)) names.add(path.slice(directory.length + 1).split("/", 1)[0]!);
  }
  return [...names].toSorted();
}

/** The last part of where a link leads: `e1000e` of a driver. */
export function linkName(tree: Tree, path: string): string | undefined {
  return tree.links.get(path)?.split("/").at(-1);
}
