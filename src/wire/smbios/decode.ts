import { formatUuid, swapUuid } from "#std/uuid.ts";
import { FORM_FACTORS, MEMORY_TYPES, TYPE } from "./constants.ts";
import { decodeEntryPoint } from "./entry-point.ts";
import { Fields } from "./fields.ts";
import type {
  Baseboard,
  Bios,
  Chassis,
  EntryPoint,
  MemoryArray,
  MemoryDevice,
  Processor,
  Smbios,
  Structure,
  System,
} from "./structure.ts";
import { decodeTable } from "./table.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/**
 * The machine's description of itself, of `smbios_entry_point` and `DMI` in `/sys/firmware/dmi/tables`. Throws the Faults of
 * {@link decodeEntryPoint} and {@link decodeTable}; a flawed table gives what could be read of it.
 */
export function decode(entryPoint: Uint8Array, table: Uint8Array): Smbios {
  const entry = decodeEntryPoint(entryPoint);
  const { structures, flaw } = decodeTable(table, entry);
  const all = <T>(type: number, read: (fields: Fields) => T): T[] =>
    structures.filter((structure) => structure.type === type).map((structure) => read(new Fields(structure)));
  return {
    version: `${entry.major}.${entry.minor}`,
    bios: all(TYPE.bios, readBios)[0],
    system: all(TYPE.system, (fields) => readSystem(fields, entry))[0],
    baseboards: all(TYPE.baseboard, readBaseboard),
    chassis: all(TYPE.chassis, readChassis),
    processors: all(TYPE.processor, readProcessor),
    memoryArrays: all(TYPE.memoryArray, readMemoryArray),
    memoryDevices: all(TYPE.memoryDevice, readMemoryDevice),
    structures,
    flaw,
  };
}

/** The structures of one type, for what is not decoded here. */
export function structuresOf(smbios: Smbios, type: number): Structure[] {
  return smbios.structures.filter((structure) => structure.type === type);
}

function readBios(fields: Fields): Bios {
  const extension = fields.byte(0x13) ?? 0;
  return {
    vendor: fields.string(0x04),
    version: fields.string(0x05),
    releaseDate: fields.string(0x08),
    romSize: readRomSize(fields),
    revision: readRevision(fields, 0x14),
    controllerRevision: readRevision(fields, 0x16),
    isUefi: (extension & 0x08) !== 0,
    isVirtual: (extension & 0x10) !== 0,
  };
}

/** §7.1: blocks of 64 KiB less one, or from 16 MiB on a number with a unit. */
function readRomSize(fields: Fields): number | undefined {
  const blocks = fields.byte(0x09);
  if (blocks === undefined || blocks !== 0xff) return blocks === undefined ? undefined : (blocks + 1) * 64 * KIB;
  const extended = fields.word(0x18);
  if (extended === undefined) return 16 * MIB;
  const unit = [MIB, GIB][extended >> 14];
  return unit === undefined ? undefined : (extended & 0x3fff) * unit;
}

/** 0xff in both bytes: not supported. */
function readRevision(fields: Fields, at: number): string | undefined {
  const [major, minor] = [fields.byte(at), fields.byte(at + 1)];
  return major === undefined || minor === undefined || (major === 0xff && minor === 0xff) ? undefined : `${major}.${minor}`;
}

function readSystem(fields: Fields, entry: EntryPoint): System {
  return {
    manufacturer: fields.string(0x04),
    product: fields.string(0x05),
    version: fields.string(0x06),
    serial: fields.string(0x07),
    uuid: readUuid(fields, entry),
    sku: fields.string(0x19),
    family: fields.string(0x1a),
  };
}

/** §7.2.1: from 2.6 on the first three fields have their least significant byte first. */
function readUuid(fields: Fields, { major, minor }: EntryPoint): string | undefined {
  const bytes = fields.bytes(0x08, 16);
  if (bytes === undefined) return undefined;
  return formatUuid(major > 2 || (major === 2 && minor >= 6) ? swapUuid(bytes) : bytes);
}

function readBaseboard(fields: Fields): Baseboard {
  return {
    manufacturer: fields.string(0x04),
    product: fields.string(0x05),
    version: fields.string(0x06),
    serial: fields.string(0x07),
    assetTag: fields.string(0x08),
  };
}

function readChassis(fields: Fields): Chassis {
  const type = fields.byte(0x05);
  // The SKU number comes behind the records of what the chassis contains (§7.4.4).
  const [count, length] = [fields.byte(0x13), fields.byte(0x14)];
  return {
    manufacturer: fields.string(0x04),
    // The highest bit is a lock.
    type: type === undefined ? undefined : type & 0x7f,
    version: fields.string(0x06),
    serial: fields.string(0x07),
    assetTag: fields.string(0x08),
    sku: count === undefined || length === undefined ? undefined : fields.string(0x15 + count * length),
  };
}

function readProcessor(fields: Fields): Processor {
  return {
    socket: fields.string(0x04),
    isPopulated: ((fields.byte(0x18) ?? 0) & 0x40) !== 0,
    isCentral: fields.byte(0x05) === 0x03,
    manufacturer: fields.string(0x07),
    version: fields.string(0x10),
    serial: fields.string(0x20),
    part: fields.string(0x22),
    maximumSpeed: fields.word(0x14) || undefined,
    currentSpeed: fields.word(0x16) || undefined,
    cores: readCount(fields, 0x23, 0x2a),
    enabledCores: readCount(fields, 0x24, 0x2c),
    threads: readCount(fields, 0x25, 0x2e),
  };
}

/** §7.5.6, §7.5.7, §7.5.8: 0xff says that the count is in the second field, 0 that nobody knows it. Before 3.0 0xff can only mean 255. */
function readCount(fields: Fields, first: number, second: number): number | undefined {
  const count = fields.byte(first);
  const wide = count === 0xff ? (fields.word(second) ?? count) : count;
  return wide === 0 || wide === 0xffff ? undefined : wide;
}

function readMemoryArray(fields: Fields): MemoryArray {
  const capacity = fields.double(0x07);
  const correction = fields.byte(0x06) ?? 0;
  return {
    handle: fields.handle,
    use: fields.byte(0x05) ?? 0,
    // In KiB, or from 2 TiB on in bytes (§7.17).
    capacity: capacity === 0x8000_0000 ? fields.quad(0x0f) : (capacity ?? 0) * KIB || undefined,
    slots: fields.word(0x0d) || undefined,
    // §7.17.3: 4 parity, 5 single-bit, 6 multi-bit, 7 CRC.
    hasErrorCorrection: correction >= 4 && correction <= 7,
  };
}

function readMemoryDevice(fields: Fields): MemoryDevice {
  return {
    array: fields.word(0x04) ?? 0xffff,
    size: readMemorySize(fields),
    locator: fields.string(0x10),
    bank: fields.string(0x11),
    formFactor: FORM_FACTORS[(fields.byte(0x0e) ?? 0) - 1],
    type: MEMORY_TYPES[(fields.byte(0x12) ?? 0) - 1],
    speed: readSpeed(fields, 0x15, 0x54),
    configuredSpeed: readSpeed(fields, 0x20, 0x58),
    manufacturer: fields.string(0x17),
    serial: fields.string(0x18),
    assetTag: fields.string(0x19),
    part: fields.string(0x1a),
  };
}

/** §7.18: MiB, or KiB where bit 15 is set; 0x7fff says that the extended size has it (§7.18.5), 0xffff that nobody knows. */
function readMemorySize(fields: Fields): number | undefined {
  const size = fields.word(0x0c);
  if (size === undefined || size === 0xffff) return undefined;
  if (size !== 0x7fff) return (size & 0x8000) === 0 ? size * MIB : (size & 0x7fff) * KIB;
  const extended = fields.double(0x1c);
  // A size of 32767 MiB has to be written as extended size; firmware before 2.7 has none.
  return extended === undefined ? size * MIB : (extended & 0x7fff_ffff) * MIB;
}

/** §7.18.4: 0 is unknown, 0xffff says that the speed is in the extended field. */
function readSpeed(fields: Fields, first: number, extended: number): number | undefined {
  const speed = fields.word(first);
  return (speed === 0xffff ? (fields.double(extended) ?? 0) & 0x7fff_ffff : speed) || undefined;
}
