/**
 * Where a disk is plugged in, by the path of its device in /sys: the name it has in /dev/disk/by-path, as udev's path_id builtin makes it
 * (systemd, udev-builtin-path_id.c).
 */

const PCI_ADDRESS = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;

/** `pci-0000:00:1f.2-ata-1`, of `/sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda`; empty when there is no such name. */
export function pathOfDisk(device: string): string {
  const parts = device.split("/");
  const pci = parts.findLastIndex((part) => PCI_ADDRESS.test(part));
  const platform = parts.indexOf("platform");
  if (pci < 0 && platform < 0) return "";
  const root = pci >= 0 ? `pci-${parts[pci]!}` : `platform-${parts[platform + 1] ?? ""}`;
  const below = parts.slice((pci >= 0 ? pci : platform + 1) + 1);
  return [root, busPart(below)].filter((part) => part !== "").join("-");
}

/** What comes behind the controller: port, target and unit, in the words of the bus. */
function busPart(below: readonly string[]): string {
  const find = (pattern: RegExp): RegExpExecArray | undefined =>
    below.map((part) => pattern.exec(part)).find((match) => match !== null) ?? undefined;
  const unit = find(/^(\d+):(\d+):(\d+):(\d+)$/);
  const usb = below.findLast((part) => /^\d+-[\d.]+:\d+\.\d+$/.test(part));
  if (usb !== undefined) {
    // `1-2:1.0` is interface 1.0 of the device at port 2 of bus 1; the controller is known already.
    const port = `usb-0:${usb.slice(usb.indexOf("-") + 1)}`;
    return unit === undefined ? port : `${port}-${scsiPart(unit)}`;
  }
  const nvme = find(/^nvme\d+(?:c\d+)?n(\d+)$/);
  if (nvme !== undefined) return `nvme-${nvme[1]!}`;
  const ata = find(/^ata(\d+)$/);
  if (ata !== undefined) return ataPart(ata[1]!, unit);
  const phy = find(/^end_device-\d+:(?:\d+:)?(\d+)$/);
  if (phy !== undefined) return `sas-phy${phy[1]!}-lun-${unit?.[4] ?? "0"}`;
  if (find(/^virtio\d+$/) !== undefined && unit === undefined) return "";
  return unit === undefined ? "" : scsiPart(unit);
}

/** Port, and for a port multiplier its target. */
function ataPart(port: string, unit: RegExpExecArray | undefined): string {
  const target = unit?.[3] ?? "0";
  return target === "0" ? `ata-${port}` : `ata-${port}.${target}`;
}

/** Host numbers depend on the order of discovery: udev counts from the controller's first, which is nearly always its only one. */
function scsiPart(unit: RegExpExecArray): string {
  return `scsi-0:${unit[2]!}:${unit[3]!}:${unit[4]!}`;
}

/** The bus that a disk hangs on: `nvme`, `sata`, `sas`, `usb`, `virtio`, `scsi`, `mmc`, and of storage networks `fc`, `iscsi`, `nvmf`; empty when nothing tells. */
export function transportOf(device: string, name: string): string {
  if (device.includes("/nvme-fabrics/")) return "nvmf";
  if (name.startsWith("nvme")) return "nvme";
  if (name.startsWith("mmcblk")) return "mmc";
  const parts = device.split("/");
  if (parts.some((part) => /^\d+-[\d.]+:\d+\.\d+$/.test(part))) return "usb";
  if (parts.some((part) => /^ata\d+$/.test(part))) return "sata";
  // Remote ports and sessions, as scsi_transport_fc and scsi_transport_iscsi name them.
  if (parts.some((part) => /^rport-\d+:\d+-\d+$/.test(part))) return "fc";
  if (parts.some((part) => /^session\d+$/.test(part))) return "iscsi";
  if (parts.some((part) => part.startsWith("end_device-"))) return "sas";
  if (parts.some((part) => /^virtio\d+$/.test(part))) return "virtio";
  return parts.some((part) => /^\d+:\d+:\d+:\d+$/.test(part)) ? "scsi" : "";
}
