/** IANA's "Processor Architecture Types" (dhcpv6-parameters): option 93 of RFC 4578 and option 61 of RFC 5970. */

export interface Architecture {
  readonly code: number;
  /** As the registry calls it. */
  readonly name: string;
  readonly firmware: "bios" | "uefi" | "u-boot" | "other";
  readonly processor: Processor;
  /** How the boot file is fetched, so whether its name is a path or a URL. */
  readonly transport: "tftp" | "http";
}

export type Processor =
  | "ia32"
  | "x64"
  | "arm32"
  | "arm64"
  | "riscv32"
  | "riscv64"
  | "riscv128"
  | "loongarch32"
  | "loongarch64"
  | "other";

type Row = readonly [code: number, name: string, firmware: Architecture["firmware"], processor: Processor, transport?: "http"];

/**
 * 7 and 9 both are x64: RFC 4578 printed 9 for it and 7 for EFI byte code, the registry has them the other way round, firmware
 * sends either, and byte code alone boots nowhere. The processor of a BIOS is what its real mode is: 16-bit code of an ia32.
 */
const ROWS: readonly Row[] = [
  [0, "x86 BIOS", "bios", "ia32"],
  [1, "NEC/PC98", "other", "other"],
  [2, "Itanium", "uefi", "other"],
  [3, "DEC Alpha", "other", "other"],
  [4, "Arc x86", "other", "other"],
  [5, "Intel Lean Client", "other", "other"],
  [6, "x86 UEFI", "uefi", "ia32"],
  [7, "x64 UEFI", "uefi", "x64"],
  [8, "EFI Xscale", "uefi", "other"],
  [9, "EBC", "uefi", "x64"],
  [10, "ARM 32-bit UEFI", "uefi", "arm32"],
  [11, "ARM 64-bit UEFI", "uefi", "arm64"],
  [12, "PowerPC Open Firmware", "other", "other"],
  [13, "PowerPC ePAPR", "other", "other"],
  [14, "POWER OPAL v3", "other", "other"],
  [15, "x86 UEFI boot from HTTP", "uefi", "ia32", "http"],
  [16, "x64 UEFI boot from HTTP", "uefi", "x64", "http"],
  [17, "EBC boot from HTTP", "uefi", "x64", "http"],
  [18, "ARM UEFI 32 boot from HTTP", "uefi", "arm32", "http"],
  [19, "ARM UEFI 64 boot from HTTP", "uefi", "arm64", "http"],
  [20, "PC/AT BIOS boot from HTTP", "bios", "ia32", "http"],
  [21, "ARM 32 U-Boot", "u-boot", "arm32"],
  [22, "ARM 64 U-Boot", "u-boot", "arm64"],
  [23, "ARM U-Boot 32 boot from HTTP", "u-boot", "arm32", "http"],
  [24, "ARM U-Boot 64 boot from HTTP", "u-boot", "arm64", "http"],
  [25, "RISC-V 32-bit UEFI", "uefi", "riscv32"],
  [26, "RISC-V 32-bit UEFI boot from HTTP", "uefi", "riscv32", "http"],
  [27, "RISC-V 64-bit UEFI", "uefi", "riscv64"],
  [28, "RISC-V 64-bit UEFI boot from HTTP", "uefi", "riscv64", "http"],
  [29, "RISC-V 128-bit UEFI", "uefi", "riscv128"],
  [30, "RISC-V 128-bit UEFI boot from HTTP", "uefi", "riscv128", "http"],
  [31, "s390 Basic", "other", "other"],
  [32, "s390 Extended", "other", "other"],
  [33, "MIPS 32-bit UEFI", "uefi", "other"],
  [34, "MIPS 64-bit UEFI", "uefi", "other"],
  [35, "Sunway 32-bit UEFI", "uefi", "other"],
  [36, "Sunway 64-bit UEFI", "uefi", "other"],
  [37, "LoongArch 32-bit UEFI", "uefi", "loongarch32"],
  [38, "LoongArch 32-bit UEFI boot from HTTP", "uefi", "loongarch32", "http"],
  [39, "LoongArch 64-bit UEFI", "uefi", "loongarch64"],
  [40, "LoongArch 64-bit UEFI boot from HTTP", "uefi", "loongarch64", "http"],
  [41, "ARM rpiboot", "other", "other"],
];

const BY_CODE = new Map(ROWS.map((row) => [row[0], row]));

/** Undefined for a number the registry does not have. */
export function architectureOf(number: number): Architecture | undefined {
  const row = BY_CODE.get(number);
  if (row === undefined) return undefined;
  const [code, name, firmware, processor, transport = "tftp"] = row;
  return { code, name, firmware, processor, transport };
}
