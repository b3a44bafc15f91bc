/** Devices on the PCI bus, and the graphics processors and accelerators among them. */
import { toHex, uintBytes } from "#std/bytes.ts";
import type { PciNames } from "./pci-names.ts";
import type { Hardware } from "./smbios.ts";
import { devicesIn, linkName, numberOf } from "./tree.ts";
import type { Tree } from "./tree.ts";

const DEVICES = "/sys/bus/pci/devices";
/** PCI Code and ID Assignment §1.4 (display) and §1.19 (processing accelerators). */
const GPU_CLASSES: ReadonlySet<number> = new Set([0x03, 0x12]);
/** ASPEED and Matrox make the screen of the BMC, QEMU and its kin the one of virtual machines: no graphics processors to anybody. */
const SCREENS: ReadonlySet<number> = new Set([0x1a03, 0x102b, 0x1234, 0x1013, 0x15ad, 0x1414, 0x1b36, 0x80ee]);
const VIRTIO = 0x1af4;

export interface PciDevice {
  /** `0000:01:00.0` */
  readonly address: string;
  readonly class: number;
  readonly vendor: number;
  readonly device: number;
  readonly className: string;
  readonly vendorName: string;
  readonly deviceName: string;
  readonly driver: string;
}

/** Devices by address; those whose numbers cannot be read are left out. */
export function pciDevices(tree: Tree, names: PciNames): PciDevice[] {
  return devicesIn(tree, DEVICES).flatMap((address) => {
    const number = (name: string): number | undefined => numberOf(tree, `${DEVICES}/${address}/${name}`);
    const [vendor, device, code] = [number("vendor"), number("device"), number("class")];
    if (vendor === undefined || device === undefined || code === undefined) return [];
    return [
      {
        address,
        class: code & 0xff_ff_ff,
        vendor: vendor & 0xffff,
        device: device & 0xffff,
        className: names.className(code & 0xff_ff_ff),
        vendorName: names.vendorName(vendor),
        deviceName: names.deviceName(vendor, device),
        driver: linkName(tree, `${DEVICES}/${address}/driver`) ?? "",
      },
    ];
  });
}

/** The report of the devices, GPUs picked out. */
export function pciFacts(devices: readonly PciDevice[]): Hardware {
  const isGpu = ({ class: code, vendor }: PciDevice): boolean =>
    GPU_CLASSES.has(code >>> 16) && !SCREENS.has(vendor) && vendor !== VIRTIO;
  return {
    pciDevices: [...devices],
    gpus: devices.filter(isGpu).map(({ address, vendorName, deviceName, vendor, device, driver }) => ({
      pciAddress: address,
      vendorName,
      productName: deviceName || `${hex(vendor)}:${hex(device)}`,
      driver,
    })),
  };
}

function hex(id: number): string {
  return toHex(uintBytes(id, 2));
}
