/** The hardware of a report as the Server's spec has it. Nothing is taken on trust: counts are counted, texts are cleaned, numbers checked. */
import { present } from "#schema/conversion.ts";
import type { HardwareInformation } from "#kinds/metal/v1alpha2/hardware.ts";
import { parseMac, formatMac } from "#std/address.ts";
import { StorageType } from "#proto/api_pb.js";
import type {
  ComputeInformation,
  HardwareInformation as Reported,
  MemoryInformation,
  NetworkInformation,
  NetworkInterface,
  StorageInformation,
} from "#proto/api_pb.js";
import { refusal } from "./faults.ts";

/** Section of HardwareInformation. */
type Section<Name extends keyof HardwareInformation> = HardwareInformation[Name];

const INT32 = 2 ** 31 - 1;
const MB_PER_GB = 1024;
const BYTES_PER_GB = 1024n ** 3n;
const STORAGE_TYPES: Readonly<Record<number, string>> = {
  [StorageType.SSD]: "SSD",
  [StorageType.HDD]: "HDD",
  [StorageType.NVMe]: "NVMe",
  [StorageType.SD]: "SD",
};

/** Sections that the machine did not report are absent. Fault `agent.malformed` names a number that is out of range. */
export function hardwareOf(reported: Reported): HardwareInformation {
  const { system, firmware, tpm, baseboard, chassis } = reported;
  return present({
    system: system && texts({ ...fieldsOf(system), uuid: system.uuid.toLowerCase() }),
    compute: reported.compute && computeOf(reported.compute),
    memory: reported.memory && memoryOf(reported.memory),
    storage: reported.storage && storageOf(reported.storage),
    network: reported.network && networkOf(reported.network),
    architecture: oneOf(["amd64", "arm64"], reported.architecture),
    firmware:
      firmware &&
      present({
        ...texts({ vendor: firmware.vendor, version: firmware.version, date: firmware.date }),
        bootMode: oneOf(["uefi", "bios"], firmware.bootMode),
        secureBoot: firmware.secureBoot,
      }),
    tpm: tpm && present({ present: tpm.present, version: text(tpm.version) }),
    baseboard: baseboard && texts(fieldsOf(baseboard)),
    chassis: chassis && texts(fieldsOf(chassis)),
    pciDevices: unlessEmpty(
      reported.pciDevices.map(({ class: code, vendor, device, ...rest }) => ({
        ...texts(fieldsOf(rest)),
        class: hex(code, 6),
        vendor: hex(vendor, 4),
        device: hex(device, 4),
      })),
    ),
    gpus: unlessEmpty(reported.gpus.map((gpu) => texts(fieldsOf(gpu)))),
    kernelVersion: text(reported.kernelVersion),
    agentVersion: text(reported.agentVersion),
    smbiosFlaws: unlessEmpty(reported.smbiosFlaws.map(clean)),
  });
}

/**
 * What the Server is to have on record after a report. Our agent reports everything there is; upstream's knows nothing of what we have added,
 * and either may fail to read a part: what is not reported stays.
 */
export function hardwareAfter(before: HardwareInformation, reported: HardwareInformation): HardwareInformation {
  const isOurs = reported.agentVersion !== undefined;
  const { system, compute, memory, storage, network } = before;
  return { ...(isOurs ? present({ system, compute, memory, storage, network }) : before), ...reported };
}

function computeOf({ totalCoreCount, totalThreadCount, processors }: ComputeInformation): Section<"compute"> {
  const path = "hardware.compute";
  const listed = processors.map((processor, i) => ({
    ...texts({
      manufacturer: processor.manufacturer,
      productName: processor.productName,
      serialNumber: processor.serialNumber,
      socket: processor.socket,
    }),
    speed: int32(processor.speed, `${path}.processors[${i}].speed`),
    coreCount: int32(processor.coreCount, `${path}.processors[${i}].core_count`),
    threadCount: int32(processor.threadCount, `${path}.processors[${i}].thread_count`),
  }));
  return {
    totalCoreCount: int32(totalCoreCount || sum(listed, "coreCount"), `${path}.total_core_count`),
    totalThreadCount: int32(totalThreadCount || sum(listed, "threadCount"), `${path}.total_thread_count`),
    processorCount: listed.length,
    processors: listed,
  };
}

function memoryOf({ totalSize, modules }: MemoryInformation): Section<"memory"> {
  const path = "hardware.memory.modules";
  const listed = modules.map((module, i) => ({
    ...texts({
      manufacturer: module.manufacturer,
      productName: module.productName,
      serialNumber: module.serialNumber,
      type: module.type,
      slot: module.slot,
    }),
    size: int32(module.size, `${path}[${i}].size`),
    speed: int32(module.speed, `${path}[${i}].speed`),
    ...(module.configuredSpeed === 0 ? {} : { configuredSpeed: int32(module.configuredSpeed, `${path}[${i}].configured_speed`) }),
  }));
  const total = totalSize || sum(listed, "size");
  return { totalSize: `${Math.floor(total / MB_PER_GB)} GB`, moduleCount: listed.length, modules: listed };
}

function storageOf({ totalSize, devices }: StorageInformation): Section<"storage"> {
  const total = totalSize || devices.reduce((bytes, { size }) => bytes + size, 0n);
  return {
    totalSize: `${total / BYTES_PER_GB} GB`,
    deviceCount: devices.length,
    devices: devices.map((device, i) => {
      const path = `hardware.storage.devices[${i}]`;
      return present({
        type: STORAGE_TYPES[device.type] ?? "Unknown",
        size: int64(device.size, `${path}.size`),
        ...texts({
          productName: device.model,
          serialNumber: device.serial,
          name: device.name,
          deviceName: device.deviceName,
          uuid: device.uuid,
          wwid: device.wwid,
          byPath: device.byPath,
          transport: device.transport,
          firmwareVersion: device.firmwareVersion,
        }),
        rotational: device.rotational,
        logicalBlockSize: int32(device.logicalBlockSize, `${path}.logical_block_size`) || undefined,
        physicalBlockSize: int32(device.physicalBlockSize, `${path}.physical_block_size`) || undefined,
        discard: device.discard,
        removable: device.removable,
        readOnly: device.readOnly,
      });
    }),
  };
}

function networkOf({ interfaces }: NetworkInformation): Section<"network"> {
  return {
    interfaceCount: interfaces.length,
    interfaces: interfaces.map((each, i) => interfaceOf(each, `hardware.network.interfaces[${i}]`)),
  };
}

function interfaceOf(
  reported: NetworkInterface,
  path: string,
): NonNullable<NonNullable<Section<"network">>["interfaces"]>[number] {
  const { lldp, addresses } = reported;
  return present({
    index: int32(reported.index, `${path}.index`),
    mtu: int32(reported.mtu, `${path}.mtu`),
    mac: macText(reported.mac),
    addresses: unlessEmpty(addresses.map(clean)),
    ...texts({
      name: reported.name,
      flags: reported.flags,
      model: reported.model,
      driver: reported.driver,
      pciAddress: reported.pciAddress,
      firmwareVersion: reported.firmwareVersion,
    }),
    permanentMac: macText(reported.permanentMac),
    speed: int32(reported.speed, `${path}.speed`) || undefined,
    link: reported.link,
    lldp:
      lldp &&
      present({
        ...texts({
          chassis: lldp.chassis,
          port: lldp.port,
          portDescription: lldp.portDescription,
          systemName: lldp.systemName,
          managementAddress: lldp.managementAddress,
        }),
        vlan: int32(lldp.vlan, `${path}.lldp.vlan`) || undefined,
      }),
  });
}

/** The texts of a message, without those that are empty. */
function texts<Name extends string>(fields: Readonly<Record<Name, string>>): { [N in Name]?: string } {
  const entries = Object.entries<string>(fields).flatMap(([name, value]) => {
    const cleaned = clean(value);
    return cleaned === "" ? [] : [[name, cleaned] as const];
  });
  return Object.fromEntries(entries) as { [N in Name]?: string };
}

/** A message's own fields: not its type's name, nor what its sender's version knows and ours does not. */
function fieldsOf<T extends object>(message: T): Omit<T, "$typeName" | "$unknown"> {
  return Object.fromEntries(Object.entries(message).filter(([name]) => !name.startsWith("$"))) as Omit<
    T,
    "$typeName" | "$unknown"
  >;
}

/** Control characters go, and those that turn lines around: texts end up on people's terminals. */
export function clean(value: string): string {
  return value.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "").trim();
}

function text(value: string): string | undefined {
  return clean(value) || undefined;
}

/** Ethernet addresses in the form that everything else knows them in. */
function macText(value: string): string | undefined {
  const bytes = parseMac(value);
  return bytes === undefined ? text(value) : formatMac(bytes);
}

function oneOf<const V extends string>(values: readonly V[], value: string): V | undefined {
  return values.find((each) => each === value.toLowerCase());
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

function int32(value: number, path: string): number {
  if (value > INT32) throw refusal("agent.malformed", `${path}: ${value} is more than ${INT32}`);
  return value;
}

function int64(value: bigint, path: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refusal("agent.malformed", `${path}: ${value} is too much`);
  return Number(value);
}

function sum<Name extends string>(items: readonly { readonly [N in Name]: number }[], name: Name): number {
  return items.reduce((total, item) => total + item[name], 0);
}

function unlessEmpty<T>(items: T[]): T[] | undefined {
  return items.length === 0 ? undefined : items;
}
