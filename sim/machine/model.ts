/** What kinds of machines there are in the hall: made up, in the proportions of real ones, each slow in its own way. */
import type { SeededEntropy } from "#io/memory/entropy.ts";
import { formatMac } from "#std/address.ts";

export interface DiskModel {
  readonly name: string;
  readonly model: string;
  readonly kind: "nvme" | "ssd" | "hdd";
  /** Bytes. */
  readonly size: number;
  /** A USB stick or virtual medium: never to be wiped. */
  readonly removable?: boolean;
  /** How many times faster than such disks are. */
  readonly haste?: number;
}

export interface Model {
  readonly manufacturer: string;
  readonly product: string;
  readonly cpuManufacturer: string;
  readonly cpuVersion: string;
  readonly cores: number;
  readonly memory: number;
  readonly firmware: "uefi" | "bios";
  /** How the firmware boots from the network. */
  readonly netBoot: "pxe" | "http";
  readonly bmc: "ipmi" | "redfish" | "http" | "none";
  /** Milliseconds from power-on to the first boot device. */
  readonly post: number;
  /** Milliseconds from the kernel's start to its first program. */
  readonly kernel: number;
  /** Milliseconds a system takes to shut down when the power button is pressed. */
  readonly shutdown: number;
  readonly disks: readonly DiskModel[];
}

/** What one machine is called. */
export interface Identity {
  readonly uuid: string;
  readonly serial: string;
  readonly mac: string;
  readonly model: Model;
}

const MIB = 1024 * 1024;
/** Small enough to be held in memory by the thousand; how disks are wiped does not depend on it. */
const SIZE = 4 * MIB;

const nvme = (index: number): DiskModel => ({
  name: `nvme${index}n1`,
  model: "SIM NVMe 960",
  kind: "nvme",
  size: SIZE,
});
const scsi = (letter: string, kind: "ssd" | "hdd"): DiskModel => ({
  name: `sd${letter}`,
  model: kind === "ssd" ? "SIM SSD 480" : "SIM HDD 4000",
  kind,
  size: SIZE,
});

export const MODELS: readonly Model[] = [
  {
    manufacturer: "Simco",
    product: "R100",
    cpuManufacturer: "GenuineIntel",
    cpuVersion: "Sim Xeon 4310",
    cores: 12,
    memory: 64,
    firmware: "uefi",
    netBoot: "pxe",
    bmc: "ipmi",
    post: 90_000,
    kernel: 9_000,
    shutdown: 12_000,
    disks: [scsi("a", "ssd"), scsi("b", "hdd")],
  },
  {
    manufacturer: "Simco",
    product: "R200",
    cpuManufacturer: "AuthenticAMD",
    cpuVersion: "Sim EPYC 7313",
    cores: 16,
    memory: 128,
    firmware: "uefi",
    netBoot: "http",
    bmc: "redfish",
    post: 150_000,
    kernel: 7_000,
    shutdown: 20_000,
    disks: [nvme(0), nvme(1)],
  },
  {
    manufacturer: "Oldco",
    product: "P5",
    cpuManufacturer: "GenuineIntel",
    cpuVersion: "Sim Xeon E5",
    cores: 8,
    memory: 32,
    firmware: "bios",
    netBoot: "pxe",
    bmc: "ipmi",
    post: 60_000,
    kernel: 14_000,
    shutdown: 30_000,
    disks: [scsi("a", "hdd"), { ...scsi("b", "ssd"), model: "SIM USB STICK", removable: true }],
  },
  {
    manufacturer: "QEMU",
    product: "Standard PC",
    cpuManufacturer: "QEMU",
    cpuVersion: "pc-q35",
    cores: 2,
    memory: 4,
    firmware: "uefi",
    netBoot: "pxe",
    bmc: "http",
    post: 3_000,
    kernel: 4_000,
    shutdown: 2_000,
    disks: [scsi("a", "ssd")],
  },
  {
    manufacturer: "Tinyco",
    product: "N1",
    cpuManufacturer: "GenuineIntel",
    cpuVersion: "Sim N100",
    cores: 4,
    memory: 16,
    firmware: "uefi",
    netBoot: "pxe",
    bmc: "none",
    post: 12_000,
    kernel: 8_000,
    shutdown: 5_000,
    disks: [nvme(0)],
  },
];

/** The `index`th machine of a hall; the same for the same seed. */
export function identityFor(index: number, entropy: SeededEntropy, models: readonly Model[] = MODELS): Identity {
  const model = models[index % models.length]!;
  const mac = formatMac(Uint8Array.of(0x52, 0x54, 0x01, index >> 16, (index >> 8) & 0xff, index & 0xff));
  return { uuid: entropy.uuid(), serial: `SIM${String(index).padStart(6, "0")}`, mac, model };
}
