/** What Linux shows of a simulated machine: the files of /sys and /proc that the agent reads. */
import { createMemoryMachine } from "#io/memory/machine.ts";
import type { MemoryMachine } from "#io/memory/machine.ts";
import type { DiskModel, Identity } from "./model.ts";
import { smbiosFiles } from "./smbios.ts";

/** The interface the machine boots from. */
export const INTERFACE = "eth0";

export function linuxOn(identity: Identity, cidr: string, commandLine: string): MemoryMachine {
  const { uuid, serial, mac, model } = identity;
  const { memory, cores, firmware } = model;
  const machine = createMemoryMachine({
    ...smbiosFiles({ ...model, uuid, serial, modules: 4 }),
    "/proc/cmdline": commandLine,
    "/proc/uptime": `${(model.kernel / 1000).toFixed(2)} 0.00\n`,
    "/proc/meminfo": `MemTotal:       ${memory * 1024 * 1024} kB\n`,
    "/proc/cpuinfo": Array.from({ length: cores }, (_, i) => `processor\t: ${i}\ncore id\t: ${i}\n\n`).join(""),
    "/proc/sys/kernel/osrelease": "6.1.0-sim\n",
    "/proc/sys/kernel/arch": "x86_64\n",
    "/proc/sys/kernel/hostname": "(none)\n",
    ...(firmware === "uefi" && { "/sys/firmware/efi/fw_platform_size": "64\n" }),
    ...interfaceFiles(mac),
    ...Object.fromEntries(model.disks.flatMap((disk, i) => Object.entries(diskFiles(disk, i, serial)))),
  });
  machine.links.set(`/sys/class/net/${INTERFACE}/device`, "/sys/devices/pci0000:00/0000:00:19.0");
  for (const [i, { name, kind, removable }] of model.disks.entries()) {
    machine.links.set(`/sys/block/${name}`, devicePath(i, name, kind, removable === true));
  }
  machine.addressed.push({ interface: INTERFACE, cidr, internal: false });
  return machine;
}

function interfaceFiles(mac: string): Record<string, string> {
  const files = { address: mac, addr_assign_type: "0", ifindex: "2", flags: "0x1003", mtu: "1500" };
  const more = { type: "1", operstate: "up", carrier: "1", speed: "10000" };
  return Object.fromEntries(
    Object.entries({ ...files, ...more }).map(([name, value]) => [`/sys/class/net/${INTERFACE}/${name}`, `${value}\n`]),
  );
}

function diskFiles({ name, model, kind, size, removable }: DiskModel, index: number, serial: string): Record<string, string> {
  const own = serialOf(serial, name);
  const files: Record<string, string> = {
    size: String(size / 512),
    removable: removable === true ? "1" : "0",
    ro: "0",
    wwid: wwidOf(own),
    "queue/rotational": kind === "hdd" ? "1" : "0",
    "queue/logical_block_size": "512",
    "queue/physical_block_size": "4096",
    "queue/discard_max_bytes": kind === "hdd" ? "0" : "2147450880",
    "device/model": model,
    ...(kind === "nvme" ? { "device/serial": own } : { "device/type": "0", serial: own }),
  };
  const at = devicePath(index, name, kind, removable === true);
  return Object.fromEntries(Object.entries(files).map(([file, value]) => [`${at}/${file}`, `${value}\n`]));
}

/** Of the disk with this serial number. */
export function wwidOf(serial: string): string {
  return `naa.${Buffer.from(serial).toString("hex").padStart(16, "0").slice(-16)}`;
}

/** Of a disk; unlike any other's in the hall. */
export function serialOf(machine: string, disk: string): string {
  return `${machine}-${disk.toUpperCase()}`;
}

function devicePath(index: number, name: string, kind: DiskModel["kind"], isUsb: boolean): string {
  const root = "/sys/devices/pci0000:00";
  if (kind === "nvme") return `${root}/0000:00:1d.${index}/0000:0${index + 1}:00.0/nvme/nvme${index}/${name}`;
  if (isUsb) return `${root}/0000:00:14.0/usb2/2-1/2-1:1.0/host9/target9:0:0/9:0:0:0/block/${name}`;
  return `${root}/0000:00:17.0/ata${index + 1}/host${index}/target${index}:0:0/${index}:0:0:0/block/${name}`;
}
