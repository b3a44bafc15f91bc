/** What a machine of the rack is made of. */

/** What it does when it is switched on: option ROM under SeaBIOS, OVMF's own PXE client, or OVMF's HTTP boot. */
export type Firmware = "bios" | "uefi" | "uefi-http";

export const FIRMWARES: readonly Firmware[] = ["bios", "uefi", "uefi-http"];

export interface Nic {
  /** OVMF itself can only drive virtio. */
  readonly model: "virtio-net-pci" | "e1000" | "e1000e";
  /** `52:54:00:00:00:01` */
  readonly mac: string;
  /** False: nothing is plugged in. */
  readonly cabled: boolean;
  /** File of its option ROM. Absent: QEMU's own, an iPXE, under BIOS; none under UEFI, so that OVMF's PXE client is what boots. */
  readonly rom?: string;
}

export interface Disk {
  readonly model: "virtio-blk-pci" | "nvme" | "ide-hd";
  readonly gibibytes: number;
  readonly serial: string;
}

/** What a machine's firmware tries first. */
export type BootSource = "network" | "disk";

/** A BMC that speaks IPMI 2.0, cipher suite 3, on port 623 of an address of its own. */
export interface BmcDescription {
  /** Its address is 10.77.0.`host`. */
  readonly host: number;
  readonly user: string;
  /** At most 16 characters, as IPMI 1.5 has it. */
  readonly password: string;
}

export interface Description {
  readonly name: string;
  /** Absent: SMBIOS has none, as on some cheap boards. */
  readonly uuid?: string;
  readonly serial: string;
  readonly firmware: Firmware;
  /** Tried in this order. */
  readonly nics: readonly Nic[];
  readonly disks: readonly Disk[];
  /** As its firmware is set up; it goes on to the other. */
  readonly first: BootSource;
  /** Absent: it has none, and people press its buttons. */
  readonly bmc?: BmcDescription;
  readonly mebibytes: number;
  readonly cores: number;
  /** More for `-smbios`, such as `type=0,vendor=…`. */
  readonly smbios?: readonly string[];
}

/**
 * The rack's machine number `index`, from 1: a virtio NIC and a disk, UUID, MAC address and serial number made from the number.
 * `parts` are what is different.
 */
export function describe(index: number, parts: Partial<Description> = {}): Description {
  const hex = index.toString(16).padStart(2, "0");
  const name = parts.name ?? `machine-${index}`;
  return {
    name,
    uuid: `4c4c4544-0000-4${hex}0-8000-5254000000${hex}`,
    serial: `LAB${String(index).padStart(4, "0")}`,
    firmware: "bios",
    nics: [{ model: "virtio-net-pci", mac: macOf(index), cabled: true }],
    disks: [{ model: "virtio-blk-pci", gibibytes: 10, serial: `DISK${index}` }],
    first: "network",
    mebibytes: 768,
    cores: 1,
    ...parts,
  };
}

/** The BMC of machine number `index`. */
export function bmcOf(index: number): BmcDescription {
  return { host: 200 + index, user: "admin", password: `lab-${index}-secret` };
}

/** Address of a machine's NIC, both from 1. */
export function macOf(index: number, nic = 1): string {
  return ["52:54:00:00", nic, index]
    .map((part) => (typeof part === "number" ? part.toString(16).padStart(2, "0") : part))
    .join(":");
}
