/** What SMBIOS tables say (DMTF DSP0134). A field that is absent, "unknown" or "not specified" is undefined. */

export interface EntryPoint {
  readonly major: number;
  readonly minor: number;
  /** Bytes of the table: exactly for 2.x, at most for 3.x (§5.2). */
  readonly tableLength: number;
  /** Structures in the table; only 2.x says. */
  readonly structures: number | undefined;
}

/** §6.1: a header, a formatted area, strings. */
export interface Structure {
  readonly type: number;
  readonly handle: number;
  /** Where it begins in the table. */
  readonly offset: number;
  /** With the four bytes of the header, so that the specification's offsets are ours. */
  readonly formatted: Uint8Array;
  /** String number 1 is the first. */
  readonly strings: readonly string[];
}

/** §7.1 */
export interface Bios {
  readonly vendor: string | undefined;
  readonly version: string | undefined;
  /** As the firmware writes it, usually mm/dd/yyyy. */
  readonly releaseDate: string | undefined;
  /** In bytes. */
  readonly romSize: number | undefined;
  /** System BIOS release, `2.14`. */
  readonly revision: string | undefined;
  /** Embedded controller firmware release; on servers often the BMC's. */
  readonly controllerRevision: string | undefined;
  readonly isUefi: boolean;
  readonly isVirtual: boolean;
}

/** §7.2 */
export interface System {
  readonly manufacturer: string | undefined;
  readonly product: string | undefined;
  readonly version: string | undefined;
  readonly serial: string | undefined;
  /** As Linux, iPXE and dmidecode show it. May be no identity at all: {@link file://./identity.ts}. */
  readonly uuid: string | undefined;
  readonly sku: string | undefined;
  readonly family: string | undefined;
}

/** §7.3 */
export interface Baseboard {
  readonly manufacturer: string | undefined;
  readonly product: string | undefined;
  readonly version: string | undefined;
  readonly serial: string | undefined;
  readonly assetTag: string | undefined;
}

/** §7.4 */
export interface Chassis {
  readonly manufacturer: string | undefined;
  /** §7.4.1: 0x17 is a rack-mount chassis, 0x1c a blade. */
  readonly type: number | undefined;
  readonly version: string | undefined;
  readonly serial: string | undefined;
  readonly assetTag: string | undefined;
  readonly sku: string | undefined;
}

/** §7.5 */
export interface Processor {
  readonly socket: string | undefined;
  readonly isPopulated: boolean;
  /** Whether it is a central processor; others are coprocessors, GPUs and the like. */
  readonly isCentral: boolean;
  readonly manufacturer: string | undefined;
  /** The model's name. */
  readonly version: string | undefined;
  readonly serial: string | undefined;
  readonly part: string | undefined;
  /** In MHz. */
  readonly maximumSpeed: number | undefined;
  readonly currentSpeed: number | undefined;
  readonly cores: number | undefined;
  readonly enabledCores: number | undefined;
  readonly threads: number | undefined;
}

/** §7.17 */
export interface MemoryArray {
  readonly handle: number;
  /** §7.17.2: 3 is system memory. */
  readonly use: number;
  /** In bytes. */
  readonly capacity: number | undefined;
  readonly slots: number | undefined;
  readonly hasErrorCorrection: boolean;
}

/** §7.18: a slot, with a module or without. */
export interface MemoryDevice {
  readonly array: number;
  /** In bytes; 0 for an empty slot, undefined when there is a module of unknown size. */
  readonly size: number | undefined;
  readonly locator: string | undefined;
  readonly bank: string | undefined;
  /** `DIMM`, `SODIMM`, … */
  readonly formFactor: string | undefined;
  /** `DDR4`, `DDR5`, … */
  readonly type: string | undefined;
  /** In MT/s: what the module can do, and what it is set to. */
  readonly speed: number | undefined;
  readonly configuredSpeed: number | undefined;
  readonly manufacturer: string | undefined;
  readonly serial: string | undefined;
  readonly assetTag: string | undefined;
  readonly part: string | undefined;
}

export interface Smbios {
  /** `3.2` */
  readonly version: string;
  readonly bios: Bios | undefined;
  readonly system: System | undefined;
  readonly baseboards: readonly Baseboard[];
  readonly chassis: readonly Chassis[];
  readonly processors: readonly Processor[];
  readonly memoryArrays: readonly MemoryArray[];
  readonly memoryDevices: readonly MemoryDevice[];
  /** All of them in order, those of other types included. */
  readonly structures: readonly Structure[];
  /** Where and why reading the table stopped before its end; what came before is there. */
  readonly flaw: Flaw | undefined;
}

export interface Flaw {
  readonly offset: number;
  readonly message: string;
}
