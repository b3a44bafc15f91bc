/** The boot programs (iPXE and what else firmware may ask for), held in memory: TFTP and HTTP serve them, DHCP names them. */
import type { Disk } from "#io/disk.ts";
import type { Log } from "#io/log.ts";
import { Fault } from "#std/fault.ts";
import type { Architecture } from "#wire/dhcp/architecture.ts";

export interface Program {
  /** As it was asked for. */
  readonly name: string;
  /** Never changes. */
  readonly bytes: Uint8Array;
}

export interface Programs {
  /** By its name, or by one that another maker of iPXE gives to the same thing. Directories are divided by `/`. */
  get(name: string): Program | undefined;
  /** What to hand to firmware of that architecture, by TFTP and by HTTP alike; or for people why there is nothing. */
  programFor(architecture: Architecture): { readonly name: string } | { readonly refusal: string };
  /** What there is, sorted. */
  readonly names: readonly string[];
}

/** A boot program has up to a few MB; firmware images of single-board computers that are served beside them have more. */
const FILE_LIMIT = 32 * 1024 * 1024;
const TOTAL_LIMIT = 256 * 1024 * 1024;
/** Directories below the first one, as for boards that ask for `<serial>/start4.elf`. */
const DEPTH = 3;

/** Upstream's names, and what Debian's package and iPXE's own build call the same programs; the first that is there counts. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  "undionly.kpxe.0": ["undionly.kpxe"],
  "snp.efi": ["snponly.efi"],
  "snponly.efi": ["snp.efi"],
  "ipxe-arm64.efi": ["arm64/ipxe.efi"],
  // Debian has no other for arm64; it has the firmware's driver in it, too.
  "snp-arm64.efi": ["snponly-arm64.efi", "arm64/snponly.efi", "ipxe-arm64.efi"],
  "ipxe-ia32.efi": ["ipxe-i386.efi"],
  "snp-ia32.efi": ["snponly-ia32.efi", "snponly-i386.efi"],
};

/**
 * Programs for each kind of firmware, the best first. SNP, the firmware's own network driver, before iPXE's: it worked for the machine a
 * moment ago. A 64-bit program never goes to 32-bit firmware. U-Boot runs the programs of UEFI.
 */
const CHOICE: Readonly<Record<string, readonly string[]>> = {
  "bios ia32": ["undionly.kpxe"],
  "uefi x64": ["snp.efi", "ipxe.efi"],
  "uefi ia32": ["snp-ia32.efi", "ipxe-ia32.efi"],
  "uefi arm64": ["snp-arm64.efi", "ipxe-arm64.efi"],
  "u-boot arm64": ["snp-arm64.efi", "ipxe-arm64.efi"],
};

/**
 * Reads the directories, of which the first that has a file counts; one that is missing is as good as an empty one. What cannot be
 * read or is too large is left out and logged.
 */
export async function loadPrograms(
  disk: Pick<Disk, "read" | "list">,
  directories: readonly string[],
  log: Log,
): Promise<Programs> {
  const files = new Map<string, Uint8Array>();
  let total = 0;

  const load = async (path: string, name: string): Promise<void> => {
    if (files.has(name)) return;
    try {
      const bytes = await disk.read(path, Math.min(FILE_LIMIT, TOTAL_LIMIT - total));
      if (bytes === undefined) return;
      files.set(name, bytes);
      total += bytes.length;
    } catch (error) {
      log.warn(`boot programs: left out: ${Fault.from(error).message}`);
    }
  };
  const walk = async (directory: string, prefix: string, depth: number): Promise<void> => {
    for (const entry of await disk.list(directory)) {
      const [path, name] = [`${directory}/${entry}`, `${prefix}${entry}`];
      if (depth > 0 && (await disk.list(path)).length > 0) await walk(path, `${name}/`, depth - 1);
      else await load(path, name);
    }
  };

  for (const directory of directories) await walk(directory, "", DEPTH);
  return programsOf(files);
}

/** The programs of a map from names to bytes. */
export function programsOf(files: ReadonlyMap<string, Uint8Array>): Programs {
  const get = (name: string): Program | undefined => {
    const aliases = Object.hasOwn(ALIASES, name) ? ALIASES[name]! : [];
    for (const each of [name, ...aliases]) {
      const bytes = files.get(each);
      if (bytes !== undefined) return { name, bytes };
    }
    return undefined;
  };
  return {
    get,
    programFor(architecture) {
      const choice = CHOICE[`${architecture.firmware} ${architecture.processor}`];
      if (choice === undefined) return { refusal: `there is no boot program for ${architecture.name}` };
      const name = choice.find((each) => get(each) !== undefined);
      return name === undefined ? { refusal: `the boot program for ${architecture.name} is missing: ${choice[0]}` } : { name };
    },
    names: [...files.keys()].toSorted(),
  };
}
