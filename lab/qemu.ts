/** A description as QEMU's command line. */

import type { BootSource, Description, Disk, Nic } from "./description.ts";

/** File descriptors on which QEMU finds its monitor and its serial line: sockets of whoever starts it. */
export const MONITOR = 3;
export const SERIAL = 4;

const OVMF = "/usr/share/OVMF";

/** Where a machine is plugged in and keeps its things. */
export interface Place {
  /** Tap interface of each NIC. */
  readonly taps: readonly string[];
  /** File of each disk. */
  readonly disks: readonly string[];
  /** File of the firmware's variables; only UEFI has any. */
  readonly variables: string;
  readonly accelerator: readonly string[];
  /** `address:port` where its BMC waits for the system interface (KCS). */
  readonly bmc?: string;
}

/** It starts stopped: the monitor pulls cables and lets it go. `first` is what it boots from, this time. */
export function qemuArguments(description: Description, place: Place, first = description.first): string[] {
  const { firmware, nics, disks, cores, mebibytes } = description;
  const order = bootOrder(description, first);
  const { taps, variables } = place;
  return [
    ["-name", description.name, "-nodefaults", "-display", "none", "-S"],
    ["-chardev", `socket,id=monitor,fd=${MONITOR}`, "-mon", "chardev=monitor,mode=control"],
    ["-chardev", `socket,id=serial,fd=${SERIAL}`, "-serial", "chardev:serial"],
    // Without graphics SeaBIOS and the option ROMs write to the serial line.
    ["-machine", "q35,graphics=off", ...place.accelerator, "-cpu", "max", "-smp", String(cores), "-m", String(mebibytes)],
    smbios(description).flatMap((value) => ["-smbios", value]),
    firmware === "bios" ? [] : flash(variables),
    firmware === "uefi-http" ? WITHOUT_PXE : [],
    ["-device", "virtio-rng-pci"],
    nics.flatMap((nic, index) => nicArguments(nic, index, order, taps[index]!, firmware === "bios")),
    disks.flatMap((disk, index) => diskArguments(disk, index, order, place.disks[index]!)),
    place.bmc === undefined ? [] : systemInterface(place.bmc),
  ].flat();
}

/** Device → its place in the order in which the firmware tries what it can boot, from 1. */
export function bootOrder({ nics, disks }: Description, first: BootSource): ReadonlyMap<string, number> {
  const network = nics.map((_, index) => nicName(index));
  const storage = disks.map((_, index) => diskName(index));
  const all = first === "network" ? [...network, ...storage] : [...storage, ...network];
  return new Map(all.map((name, index) => [name, index + 1]));
}

export function nicName(index: number): string {
  return `nic${index}`;
}

function diskName(index: number): string {
  return `unit${index}`;
}

/** What the operating system finds as /dev/ipmi0. The BMC comes and goes. */
function systemInterface(address: string): string[] {
  const [host, port] = address.split(":");
  const wire = `socket,id=kcs,host=${host},port=${port},reconnect=1`;
  return ["-chardev", wire, "-device", "ipmi-bmc-extern,id=bmc,chardev=kcs", "-device", "isa-ipmi-kcs,bmc=bmc,irq=5"];
}

function flash(variables: string): string[] {
  const drive = "if=pflash,format=raw";
  return ["-drive", `${drive},unit=0,readonly=on,file=${OVMF}/OVMF_CODE_4M.fd`, "-drive", `${drive},unit=1,file=${variables}`];
}

/** Variables as they leave the factory. */
export const FACTORY_VARIABLES = `${OVMF}/OVMF_VARS_4M.fd`;

/** HTTP boot is what OVMF comes to when it may not do PXE. */
const WITHOUT_PXE = ["IPv4PXESupport", "IPv6PXESupport"].flatMap((name) => [
  "-fw_cfg",
  `name=opt/org.tianocore/${name},string=n`,
]);

type Order = ReturnType<typeof bootOrder>;

function nicArguments({ model, mac, rom }: Nic, index: number, order: Order, tap: string, isBios: boolean): string[] {
  const file = rom ?? (isBios ? undefined : "");
  const id = nicName(index);
  const device = `${model},netdev=net${index},id=${id},mac=${mac},bootindex=${order.get(id)}`;
  const backend = `tap,id=net${index},ifname=${tap},script=no,downscript=no`;
  return ["-netdev", backend, "-device", file === undefined ? device : `${device},romfile=${escape(file)}`];
}

function diskArguments({ model, serial }: Disk, index: number, order: Order, file: string): string[] {
  const id = diskName(index);
  const device = `${model},drive=disk${index},id=${id},serial=${escape(serial)},bootindex=${order.get(id)}`;
  // What the machine discards is gone from the file.
  return ["-drive", `if=none,format=raw,discard=unmap,id=disk${index},file=${escape(file)}`, "-device", device];
}

function smbios({ name, uuid, serial, smbios = [] }: Description): string[] {
  const system = `type=1,manufacturer=Sidero Lab,product=Rack Machine,serial=${escape(serial)},family=${escape(name)}`;
  return [uuid === undefined ? system : `${system},uuid=${uuid}`, ...smbios];
}

/** QEMU's option syntax doubles commas. */
function escape(text: string): string {
  return text.replaceAll(",", ",,");
}
