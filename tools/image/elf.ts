/** As much of ELF (System V ABI, 64-bit little-endian) as the image needs: sections, dynamic symbols, needed libraries, and what is loaded at all. */

export interface Section {
  readonly name: string;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  /** Section whose strings this one uses. */
  readonly link: number;
}

const SHT_NOBITS = 8;
const PT_LOAD = 1;
const DT_NEEDED = 1;

/** Sections in the order of the header table; [] when the file is no 64-bit little-endian ELF. */
export function sectionsOf(file: Buffer): Section[] {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) return [];
  const table = Number(file.readBigUInt64LE(0x28));
  const [entrySize, count, names] = [file.readUInt16LE(0x3a), file.readUInt16LE(0x3c), file.readUInt16LE(0x3e)];
  const header = (index: number): number => table + index * entrySize;
  const strings = Number(file.readBigUInt64LE(header(names) + 0x18));
  return Array.from({ length: count }, (_, index) => {
    const at = header(index);
    return {
      name: textAt(file, strings + file.readUInt32LE(at)),
      address: Number(file.readBigUInt64LE(at + 0x10)),
      offset: Number(file.readBigUInt64LE(at + 0x18)),
      size: file.readUInt32LE(at + 4) === SHT_NOBITS ? 0 : Number(file.readBigUInt64LE(at + 0x20)),
      link: file.readUInt32LE(at + 0x28),
    };
  });
}

/** The bytes of a section, shared with `file`. */
export function sectionBytes(file: Buffer, name: string): Buffer | undefined {
  const section = sectionsOf(file).find((candidate) => candidate.name === name);
  return section && file.subarray(section.offset, section.offset + section.size);
}

/** File names of the shared libraries that the dynamic linker loads first. */
export function neededLibraries(file: Buffer): string[] {
  const sections = sectionsOf(file);
  const dynamic = sections.find(({ name }) => name === ".dynamic");
  if (dynamic === undefined) return [];
  const strings = sections[dynamic.link]!.offset;
  const needed: string[] = [];
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
    if (Number(file.readBigUInt64LE(at)) === DT_NEEDED) needed.push(textAt(file, strings + Number(file.readBigUInt64LE(at + 8))));
  }
  return needed;
}

/** The bytes of an exported object whose name fits, shared with `file`: writing to them changes the file. */
export function exportedObject(file: Buffer, pattern: RegExp): Buffer | undefined {
  const sections = sectionsOf(file);
  const symbols = sections.find(({ name }) => name === ".dynsym");
  if (symbols === undefined) return undefined;
  const strings = sections[symbols.link]!.offset;
  for (let at = symbols.offset; at < symbols.offset + symbols.size; at += 24) {
    if (!pattern.test(textAt(file, strings + file.readUInt32LE(at)))) continue;
    const section = sections[file.readUInt16LE(at + 6)]!;
    const start = Number(file.readBigUInt64LE(at + 8)) - section.address + section.offset;
    return file.subarray(start, start + Number(file.readBigUInt64LE(at + 16)));
  }
  return undefined;
}

/**
 * The program without what the kernel never loads (symbols, debugging, section headers): what strip(1) does, for any architecture
 * and without a cross-compiler's.
 */
export function stripped(file: Buffer): Buffer {
  const [table, entrySize, count] = [Number(file.readBigUInt64LE(0x20)), file.readUInt16LE(0x36), file.readUInt16LE(0x38)];
  let end = table + entrySize * count;
  for (let index = 0; index < count; index++) {
    const at = table + index * entrySize;
    if (file.readUInt32LE(at) !== PT_LOAD) continue;
    end = Math.max(end, Number(file.readBigUInt64LE(at + 8)) + Number(file.readBigUInt64LE(at + 0x20)));
  }
  const kept = Buffer.from(file.subarray(0, end));
  kept.fill(0, 0x28, 0x30);
  kept.fill(0, 0x3c, 0x40);
  return kept;
}

function textAt(file: Buffer, at: number): string {
  return file.toString("latin1", at, file.indexOf(0, at));
}
