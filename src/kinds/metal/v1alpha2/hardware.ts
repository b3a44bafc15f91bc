/** What a machine is made of: reported by the agent from SMBIOS and the kernel, and asked for by a ServerClass. */
import type { TypeOf } from "#schema/kit.ts";
import { array, boolean, enumeration, int32, int64, object, string } from "#schema/kit.ts";

export const SystemInformation = object({
  uuid: string().doc("SMBIOS UUID; also the Server's name."),
  manufacturer: string().doc("Who made the machine."),
  productName: string().doc("Model of the machine."),
  version: string().doc("Version of the model."),
  serialNumber: string().doc("Serial number of the machine."),
  skuNumber: string().doc("The maker's ordering number."),
  family: string().doc("Model family."),
});
export type SystemInformation = TypeOf<typeof SystemInformation>;

export const Processor = object({
  manufacturer: string().doc("Who made the processor."),
  productName: string().doc("Model of the processor."),
  serialNumber: string().doc("Serial number of the processor."),
  speed: int32().doc("Speed in MHz."),
  coreCount: int32().doc("Number of cores."),
  threadCount: int32().doc("Number of hardware threads."),
  socket: string().doc("Socket it sits in, as printed on the board."),
});
export type Processor = TypeOf<typeof Processor>;

export const ComputeInformation = object({
  totalCoreCount: int32().doc("Cores of all processors."),
  totalThreadCount: int32().doc("Hardware threads of all processors."),
  processorCount: int32().doc("Number of processors."),
  processors: array(Processor).doc("Processors, by socket."),
});

export const MemoryModule = object({
  manufacturer: string().doc("Who made the module."),
  productName: string().doc("Part number of the module."),
  serialNumber: string().doc("Serial number of the module."),
  type: string().doc("Technology, such as DDR4."),
  size: int32().doc("Size in MB."),
  speed: int32().doc("Speed in MT/s."),
  slot: string().doc("Slot it sits in, as printed on the board."),
  configuredSpeed: int32().doc("Speed it is run at, in MT/s."),
});

export const MemoryInformation = object({
  totalSize: string().doc('Size of all modules, such as "32 GB".'),
  moduleCount: int32().doc("Number of modules."),
  modules: array(MemoryModule).doc("Memory modules, by slot."),
});

export const StorageDevice = object({
  type: string().doc("SSD, HDD, NVMe, SD or Unknown."),
  size: int64().doc("Size in bytes."),
  productName: string().doc("Model of the device."),
  serialNumber: string().doc("Serial number of the device."),
  name: string().doc("Name the kernel gives it, such as sda."),
  deviceName: string().doc("Path of its device file, such as /dev/sda."),
  uuid: string().doc("UUID of the device, where it has one."),
  wwid: string().doc("World-wide identifier of the device."),
  rotational: boolean().doc("It has platters that turn."),
  byPath: string().doc("Where it is plugged in: its name in /dev/disk/by-path."),
  transport: string().doc(
    "How it is attached: nvme, sata, sas, usb, virtio or another; fc, iscsi and nvmf are storage networks.",
  ),
  logicalBlockSize: int32().doc("Bytes of the blocks it is addressed by."),
  physicalBlockSize: int32().doc("Bytes of the blocks it writes."),
  discard: boolean().doc("It can be told that blocks are unused."),
  removable: boolean().doc("Its medium can be taken out."),
  readOnly: boolean().doc("It cannot be written."),
  firmwareVersion: string().doc("Version of its firmware."),
});

export const StorageInformation = object({
  totalSize: string().doc('Size of all devices, such as "1116 GB".'),
  deviceCount: int32().doc("Number of devices."),
  devices: array(StorageDevice).doc("Block devices."),
});

export const LldpNeighbour = object({
  chassis: string().doc("Identifier of the switch, mostly a MAC address."),
  port: string().doc("Port of the switch."),
  portDescription: string().doc("What the switch calls the port."),
  systemName: string().doc("Name of the switch."),
  vlan: int32().doc("VLAN of the port."),
  managementAddress: string().doc("Address at which the switch is managed."),
});

export const NetworkInterface = object({
  index: int32().doc("Index the kernel gives it."),
  name: string().doc("Name of the interface, such as eth0."),
  flags: string().doc("Flags joined by bars, such as up|broadcast."),
  mtu: int32().doc("Maximum transmission unit in bytes."),
  mac: string().doc("Hardware address."),
  addresses: array(string()).doc("Addresses with their prefix lengths, such as 10.0.0.5/24."),
  model: string().doc("Maker and model of the network card."),
  speed: int32().doc("Speed of the link in Mbit/s."),
  driver: string().doc("Driver in the kernel."),
  permanentMac: string().doc("Hardware address in its ROM."),
  pciAddress: string().doc("Address on the PCI bus, such as 0000:01:00.0."),
  link: boolean().doc("There is a link."),
  lldp: LldpNeighbour.doc("What is at the other end of the cable, as it says itself."),
  firmwareVersion: string().doc("Version of its firmware."),
});

export const NetworkInformation = object({
  interfaceCount: int32().doc("Number of interfaces."),
  interfaces: array(NetworkInterface).doc("Network interfaces."),
});

export const Firmware = object({
  vendor: string().doc("Who made the firmware."),
  version: string().doc("Version of the firmware."),
  date: string().doc("When it was released, as the firmware writes it."),
  bootMode: enumeration("uefi", "bios").doc("How the machine booted last: uefi or bios."),
  secureBoot: boolean().doc("UEFI checks signatures of what it boots."),
});

export const Tpm = object({
  present: boolean().doc("The machine has a Trusted Platform Module."),
  version: string().doc("Version of its specification: 1.2 or 2.0."),
});

export const Baseboard = object({
  manufacturer: string().doc("Who made the board."),
  productName: string().doc("Model of the board."),
  version: string().doc("Version of the board."),
  serialNumber: string().doc("Serial number of the board."),
  assetTag: string().doc("Asset tag of the board."),
});

export const Chassis = object({
  manufacturer: string().doc("Who made the chassis."),
  type: string().doc("What it is, such as Rack Mount Chassis."),
  version: string().doc("Version of the chassis."),
  serialNumber: string().doc("Serial number of the chassis."),
  assetTag: string().doc("Asset tag of the chassis."),
});

export const PciDevice = object({
  address: string().doc("Address on the bus, such as 0000:01:00.0."),
  class: string().doc("Class, subclass and interface in hexadecimal, such as 020000."),
  vendor: string().doc("Vendor in hexadecimal, such as 8086."),
  device: string().doc("Device in hexadecimal, such as 1572."),
  className: string().doc("Class in words."),
  vendorName: string().doc("Vendor in words."),
  deviceName: string().doc("Device in words."),
  driver: string().doc("Driver in the kernel."),
});

export const Gpu = object({
  pciAddress: string().doc("Address on the PCI bus."),
  vendorName: string().doc("Who made it."),
  productName: string().doc("Model of the GPU."),
  driver: string().doc("Driver in the kernel."),
});

export const HardwareInformation = object({
  system: SystemInformation.doc("The machine as a whole."),
  compute: ComputeInformation.doc("Processors."),
  memory: MemoryInformation.doc("Memory."),
  storage: StorageInformation.doc("Disks."),
  network: NetworkInformation.doc("Network interfaces."),
  architecture: enumeration("amd64", "arm64").doc("amd64 or arm64."),
  firmware: Firmware.doc("BIOS or UEFI."),
  tpm: Tpm.doc("Trusted Platform Module."),
  baseboard: Baseboard.doc("Main board."),
  chassis: Chassis.doc("Enclosure."),
  pciDevices: array(PciDevice).doc("Devices on the PCI bus."),
  gpus: array(Gpu).doc("Graphics processors and accelerators."),
  kernelVersion: string().doc("Version of the agent's kernel."),
  agentVersion: string().doc("Version of the agent that found all this."),
  smbiosFlaws: array(string()).doc("What is wrong with the tables of the firmware."),
});
export type HardwareInformation = TypeOf<typeof HardwareInformation>;
