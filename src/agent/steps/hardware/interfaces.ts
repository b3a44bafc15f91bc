/** Network interfaces that are hardware, not what the kernel makes of them. */
import type { InterfaceAddress } from "#io/machine.ts";
import { parseMac } from "#std/address.ts";
import type { PciDevice } from "./pci.ts";
import type { Hardware } from "./smbios.ts";
import { devicesIn, linkName, numberOf, textOf } from "./tree.ts";
import type { Tree } from "./tree.ts";

const NET = "/sys/class/net";
/** `ARPHRD_ETHER` and `ARPHRD_INFINIBAND` (if_arp.h). */
const TYPES: ReadonlySet<number> = new Set([1, 32]);
/** Names of Go's net.Flags, which upstream reports, by bit of `IFF_…` (if.h). */
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [0x1, "up"],
  [0x2, "broadcast"],
  [0x8, "loopback"],
  [0x10, "pointtopoint"],
  [0x1000, "multicast"],
];
/** `NET_ADDR_PERM`: the address is the one in the ROM (netdevice.h). */
const PERMANENT = 0;

type Network = NonNullable<Hardware["network"]>;
export type Interface = NonNullable<Network["interfaces"]>[number];
/** By interface. */
export type Neighbours = ReadonlyMap<string, NonNullable<Interface["lldp"]>>;

/** Interfaces by index. VLANs, bridges and tunnels are no hardware: they have no device and are left out. */
export function networkFacts(
  tree: Tree,
  addresses: readonly InterfaceAddress[],
  devices: readonly PciDevice[],
  neighbours: Neighbours,
): Hardware {
  const interfaces = hardwareInterfaces(tree).map((name) => interfaceFacts(tree, name, addresses, devices, neighbours));
  interfaces.sort((a, b) => a.index - b.index);
  return { network: { interfaceCount: interfaces.length, interfaces } };
}

/** Names of interfaces with a device behind them and a hardware address. */
export function hardwareInterfaces(tree: Tree): string[] {
  return devicesIn(tree, NET).filter(
    (name) =>
      tree.links.has(`${NET}/${name}/device`) &&
      TYPES.has(numberOf(tree, `${NET}/${name}/type`) ?? -1) &&
      macOf(tree, name) !== undefined,
  );
}

/** `52:54:00:12:34:56`; undefined when it has none. InfiniBand's have twenty bytes. */
export function macOf(tree: Tree, name: string): string | undefined {
  const text = textOf(tree, `${NET}/${name}/address`)?.toLowerCase();
  return text !== undefined && /^[0-9a-f]{2}(?::[0-9a-f]{2}){5,19}$/.test(text) && /[1-9a-f]/.test(text) ? text : undefined;
}

function interfaceFacts(
  tree: Tree,
  name: string,
  addresses: readonly InterfaceAddress[],
  devices: readonly PciDevice[],
  neighbours: Neighbours,
) {
  const at = `${NET}/${name}`;
  const mac = macOf(tree, name)!;
  const pci = pciOf(tree.links.get(`${at}/device`) ?? "", devices);
  const flags = numberOf(tree, `${at}/flags`) ?? 0;
  // Reading `carrier` of an interface that is down fails: then nobody knows.
  const link = numberOf(tree, `${at}/carrier`);
  const lldp = neighbours.get(name);
  return {
    index: numberOf(tree, `${at}/ifindex`) ?? 0,
    name,
    flags: FLAGS.flatMap(([bit, word]) => ((flags & bit) === 0 ? [] : [word])).join("|"),
    mtu: numberOf(tree, `${at}/mtu`) ?? 0,
    mac,
    addresses: addresses
      .filter((each) => each.interface === name || each.interface.startsWith(`${name}.`))
      .map(({ cidr }) => cidr),
    model: pci === undefined ? "" : `${pci.vendorName} ${pci.deviceName}`.trim(),
    // -1 or 4294967295 when it is not known.
    speed: speedOf(numberOf(tree, `${at}/speed`)),
    driver: linkName(tree, `${at}/device/driver`) ?? "",
    permanentMac: permanentMac(tree, name, mac),
    pciAddress: pci?.address ?? "",
    ...(link === undefined ? {} : { link: link === 1 }),
    ...(lldp === undefined ? {} : { lldp }),
  } satisfies Interface;
}

function speedOf(speed: number | undefined): number {
  return speed === undefined || speed > 10_000_000 ? 0 : speed;
}

/** A bonded interface wears the bond's address; whether a lone one wears its own the kernel says. */
function permanentMac(tree: Tree, name: string, mac: string): string {
  const bonded = textOf(tree, `${NET}/${name}/bonding_slave/perm_hwaddr`)?.toLowerCase();
  if (bonded !== undefined && parseMac(bonded) !== undefined) return bonded;
  return numberOf(tree, `${NET}/${name}/addr_assign_type`) === PERMANENT ? mac : "";
}

/** The nearest PCI device above: virtio and USB interfaces hang below one. */
function pciOf(device: string, devices: readonly PciDevice[]): PciDevice | undefined {
  const address = device.split("/").findLast((part) => /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(part));
  // What hangs on USB is not the USB controller's model.
  if (device.includes("/usb")) return undefined;
  return devices.find((each) => each.address === address);
}
