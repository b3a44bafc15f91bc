/** What the firmware's tables say of the machine, its processors and its memory, as the API has it. */
import type { MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { HardwareInformationSchema } from "#proto/api_pb.js";
import { Fault } from "#std/fault.ts";
import { decode } from "#wire/smbios/decode.ts";
import { uuidKind } from "#wire/smbios/identity.ts";
import type { MemoryDevice, Processor, Smbios } from "#wire/smbios/structure.ts";
import { textOf } from "./tree.ts";
import type { Tree } from "./tree.ts";

/** Fields of the report, as many as are known. */
export type Hardware = Exclude<
  MessageInitShape<typeof HardwareInformationSchema>,
  MessageShape<typeof HardwareInformationSchema>
>;

const TABLES = "/sys/firmware/dmi/tables";
const MIB = 1024 * 1024;

export interface SmbiosReading {
  readonly smbios: Smbios | undefined;
  /** What is wrong with the tables, for people. */
  readonly flaws: readonly string[];
}

/** The machine's tables; without them (some arm64 boards have none) all facts come from the kernel. */
export function readSmbios(tree: Tree): SmbiosReading {
  const [entryPoint, table] = [tree.files.get(`${TABLES}/smbios_entry_point`), tree.files.get(`${TABLES}/DMI`)];
  if (entryPoint === undefined || table === undefined) return { smbios: undefined, flaws: ["no SMBIOS tables"] };
  try {
    const smbios = decode(entryPoint, table);
    const { flaw, system } = smbios;
    const kind = system?.uuid === undefined ? "absent" : uuidKind(system.uuid);
    return {
      smbios,
      flaws: [
        ...(flaw === undefined ? [] : [`SMBIOS table at byte ${flaw.offset}: ${flaw.message}`]),
        ...(kind === "own" ? [] : [`SMBIOS UUID ${system?.uuid ?? ""} is ${kind}`]),
      ],
    };
  } catch (error) {
    if (!Fault.is(error)) throw error;
    return { smbios: undefined, flaws: [`SMBIOS: ${error.message}`] };
  }
}

/** System, firmware, board and chassis. */
export function systemFacts({ system, bios, baseboards, chassis }: Smbios) {
  const [board, enclosure] = [baseboards[0], chassis[0]];
  return {
    system: {
      uuid: system?.uuid ?? "",
      manufacturer: system?.manufacturer ?? "",
      productName: system?.product ?? "",
      version: system?.version ?? "",
      serialNumber: system?.serial ?? "",
      skuNumber: system?.sku ?? "",
      family: system?.family ?? "",
    },
    firmware: { vendor: bios?.vendor ?? "", version: bios?.version ?? "", date: bios?.releaseDate ?? "" },
    ...(board && {
      baseboard: {
        manufacturer: board.manufacturer ?? "",
        productName: board.product ?? "",
        version: board.version ?? "",
        serialNumber: board.serial ?? "",
        assetTag: board.assetTag ?? "",
      },
    }),
    ...(enclosure && {
      chassis: {
        manufacturer: enclosure.manufacturer ?? "",
        type: CHASSIS_TYPES[(enclosure.type ?? 0) - 1] ?? "",
        version: enclosure.version ?? "",
        serialNumber: enclosure.serial ?? "",
        assetTag: enclosure.assetTag ?? "",
      },
    }),
  } satisfies Hardware;
}

/**
 * Processors in populated sockets; where the tables count no cores (before SMBIOS 2.5, and some virtual machines), the kernel's count
 * of all is taken.
 */
export function computeFacts(smbios: Smbios | undefined, tree: Tree): Hardware {
  const populated = smbios?.processors.filter(({ isPopulated, isCentral }) => isPopulated && isCentral) ?? [];
  const kernel = cpuFacts(textOf(tree, "/proc/cpuinfo") ?? "");
  const processors = populated.length > 0 ? populated.map(processorFacts) : kernel.processors;
  const sum = (field: "coreCount" | "threadCount"): number => processors.reduce((total, each) => total + each[field], 0);
  return {
    compute: {
      totalCoreCount: sum("coreCount") || kernel.cores,
      totalThreadCount: sum("threadCount") || kernel.threads,
      processorCount: processors.length,
      processors,
    },
  };
}

function processorFacts(processor: Processor) {
  const { socket, manufacturer, version, serial, currentSpeed, maximumSpeed, cores, threads } = processor;
  return {
    manufacturer: manufacturer ?? "",
    productName: version ?? "",
    serialNumber: serial ?? "",
    speed: currentSpeed ?? maximumSpeed ?? 0,
    coreCount: cores ?? 0,
    threadCount: threads ?? cores ?? 0,
    socket: socket ?? "",
  };
}

/** Of /proc/cpuinfo: x86 says `physical id` and `core id` of every thread, arm64 neither. */
function cpuFacts(text: string) {
  const threads = text.split(/\n\s*\n/).flatMap((block) => {
    const fields = new Map(
      block.split("\n").map((line) => [line.split(":", 1)[0]!.trim(), line.slice(line.indexOf(":") + 1).trim()]),
    );
    return fields.has("processor") ? [fields] : [];
  });
  const socketOf = (thread: ReadonlyMap<string, string>): string => thread.get("physical id") ?? "0";
  const processors = [...new Set(threads.map(socketOf))].map((socket) => {
    const own = threads.filter((thread) => socketOf(thread) === socket);
    const first = own[0]!;
    return {
      manufacturer: first.get("vendor_id") ?? "",
      productName: first.get("model name") ?? "",
      serialNumber: "",
      speed: Math.round(Number(first.get("cpu MHz"))) || 0,
      coreCount: new Set(own.map((thread) => thread.get("core id") ?? thread.get("processor"))).size,
      threadCount: own.length,
      socket,
    };
  });
  return { processors, cores: processors.reduce((total, { coreCount }) => total + coreCount, 0), threads: threads.length };
}

/** Modules in their slots; empty slots are left out, as upstream does. Without tables: what the kernel has. */
export function memoryFacts(smbios: Smbios | undefined, tree: Tree): Hardware {
  const modules = smbios?.memoryDevices.filter(({ size }) => size !== 0) ?? [];
  const total = modules.reduce((sum, { size = 0 }) => sum + size, 0);
  const kernel = Number(/^MemTotal:\s*(\d{1,15}) kB/m.exec(textOf(tree, "/proc/meminfo") ?? "")?.[1] ?? 0) * 1024;
  return {
    memory: {
      totalSize: Math.floor((total || kernel) / MIB),
      moduleCount: modules.length,
      modules: modules.map(moduleFacts),
    },
  };
}

function moduleFacts({
  manufacturer,
  part,
  serial,
  type,
  size = 0,
  speed = 0,
  configuredSpeed = 0,
  locator,
  bank,
}: MemoryDevice) {
  return {
    manufacturer: manufacturer ?? "",
    productName: part ?? "",
    serialNumber: serial ?? "",
    type: type ?? "",
    size: Math.floor(size / MIB),
    speed,
    configuredSpeed,
    slot: locator ?? bank ?? "",
  };
}

/** DSP0134 §7.4.1, from 1. */
const CHASSIS_TYPES = [
  "Other",
  "Unknown",
  "Desktop",
  "Low Profile Desktop",
  "Pizza Box",
  "Mini Tower",
  "Tower",
  "Portable",
  "Laptop",
  "Notebook",
  "Hand Held",
  "Docking Station",
  "All in One",
  "Sub Notebook",
  "Space-saving",
  "Lunch Box",
  "Main Server Chassis",
  "Expansion Chassis",
  "SubChassis",
  "Bus Expansion Chassis",
  "Peripheral Chassis",
  "RAID Chassis",
  "Rack Mount Chassis",
  "Sealed-case PC",
  "Multi-system Chassis",
  "Compact PCI",
  "Advanced TCA",
  "Blade",
  "Blade Enclosure",
  "Tablet",
  "Convertible",
  "Detachable",
  "IoT Gateway",
  "Embedded PC",
  "Mini PC",
  "Stick PC",
] as const;
