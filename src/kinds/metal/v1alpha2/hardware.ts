/** What a machine is made of: reported by the agent from SMBIOS and the kernel, and asked for by a ServerClass. */
import type { TypeOf } from "#schema/kit.ts";
import { array, int32, int64, object, string } from "#schema/kit.ts";

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
});

export const StorageInformation = object({
  totalSize: string().doc('Size of all devices, such as "1116 GB".'),
  deviceCount: int32().doc("Number of devices."),
  devices: array(StorageDevice).doc("Block devices."),
});

export const NetworkInterface = object({
  index: int32().doc("Index the kernel gives it."),
  name: string().doc("Name of the interface, such as eth0."),
  flags: string().doc("Flags joined by bars, such as up|broadcast."),
  mtu: int32().doc("Maximum transmission unit in bytes."),
  mac: string().doc("Hardware address."),
  addresses: array(string()).doc("Addresses with their prefix lengths, such as 10.0.0.5/24."),
});

export const NetworkInformation = object({
  interfaceCount: int32().doc("Number of interfaces."),
  interfaces: array(NetworkInterface).doc("Network interfaces."),
});

export const HardwareInformation = object({
  system: SystemInformation.doc("The machine as a whole."),
  compute: ComputeInformation.doc("Processors."),
  memory: MemoryInformation.doc("Memory."),
  storage: StorageInformation.doc("Disks."),
  network: NetworkInformation.doc("Network interfaces."),
});
export type HardwareInformation = TypeOf<typeof HardwareInformation>;
