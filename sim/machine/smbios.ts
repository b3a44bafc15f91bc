/** SMBIOS as a machine's firmware writes it (DSP0134 3.7): only what names the machine and says how large it is. */
import { concat, fromLatin1 } from "#std/bytes.ts";
import { parseUuid, swapUuid } from "#std/uuid.ts";

export interface SmbiosFacts {
  readonly uuid: string;
  readonly manufacturer: string;
  readonly product: string;
  readonly serial: string;
  readonly cpuManufacturer: string;
  readonly cpuVersion: string;
  readonly cores: number;
  /** GiB, in modules of the same size. */
  readonly memory: number;
  readonly modules: number;
}

/** The files below `/sys/firmware/dmi/tables`. */
export function smbiosFiles(facts: SmbiosFacts): Readonly<Record<string, Uint8Array>> {
  const table = concat([
    system(facts),
    processor(facts),
    memoryArray(facts.modules),
    ...Array.from({ length: facts.modules }, (_, i) => memoryDevice(facts, i)),
    structure(127, 0x7f00, new Uint8Array(0), []),
  ]);
  return {
    "/sys/firmware/dmi/tables/smbios_entry_point": entryPoint(table.length),
    "/sys/firmware/dmi/tables/DMI": table,
  };
}

/** §5.2.2, 64-bit. */
function entryPoint(tableLength: number): Uint8Array {
  const bytes = new Uint8Array(0x18);
  const view = new DataView(bytes.buffer);
  bytes.set(fromLatin1("_SM3_")!, 0);
  bytes.set([0x18, 3, 7, 0, 1], 6);
  view.setUint32(0x0c, tableLength, true);
  bytes[5] = -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
  return bytes;
}

/** Header, the formatted part behind it, and the strings that its bytes count from 1. */
function structure(type: number, handle: number, body: Uint8Array, strings: readonly string[]): Uint8Array {
  const header = Uint8Array.of(type, body.length + 4, handle & 0xff, handle >> 8);
  const texts = strings.map((text) => fromLatin1(`${text}\0`)!);
  const end = strings.length === 0 ? Uint8Array.of(0, 0) : Uint8Array.of(0);
  return concat([header, body, ...texts, end]);
}

/** §7.2. Offsets count from the header. */
function system({ uuid, manufacturer, product, serial }: SmbiosFacts): Uint8Array {
  const body = new Uint8Array(0x1b - 4);
  body.set([1, 2, 0, 3], 0);
  body.set(swapUuid(parseUuid(uuid)!), 4);
  body[0x18 - 4] = 6;
  return structure(1, 0x100, body, [manufacturer, product, serial]);
}

/** §7.5. */
function processor({ cpuManufacturer, cpuVersion, cores }: SmbiosFacts): Uint8Array {
  const body = new Uint8Array(0x30 - 4);
  const view = new DataView(body.buffer);
  body.set([1, 3, 0xfe, 2], 0);
  body[0x10 - 4] = 3;
  view.setUint16(0x14 - 4, 3600, true);
  view.setUint16(0x16 - 4, 2400, true);
  body[0x18 - 4] = 0x41;
  body.set([cores, cores, cores * 2], 0x23 - 4);
  return structure(4, 0x400, body, ["CPU0", cpuManufacturer, cpuVersion]);
}

/** §7.17: system memory, multi-bit correction. */
function memoryArray(modules: number): Uint8Array {
  const body = new Uint8Array(0x17 - 4);
  body.set([3, 3, 6], 0);
  new DataView(body.buffer).setUint16(0x0d - 4, modules, true);
  return structure(16, 0x1000, body, []);
}

/** §7.18: DDR4 DIMMs. */
function memoryDevice({ memory, modules }: SmbiosFacts, index: number): Uint8Array {
  const body = new Uint8Array(0x28 - 4);
  const view = new DataView(body.buffer);
  view.setUint16(0, 0x1000, true);
  view.setUint16(0x0c - 4, (memory / modules) * 1024, true);
  body[0x0e - 4] = 9;
  body.set([1, 0, 0x1a], 0x10 - 4);
  view.setUint16(0x15 - 4, 3200, true);
  return structure(17, 0x1100 + index, body, [`DIMM_A${index}`]);
}
