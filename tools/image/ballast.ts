/**
 * What Node has and the agent never uses, blanked in place: zeros cost nothing once compressed. A third of the image.
 *
 * Node carries 32 MB of language data (ICU): code pages, dictionaries, names of currencies in every language. The agent prints English and
 * compares by code point. Node also carries a compiler (SWC, as WebAssembly in base 64) that takes types out of TypeScript; the agent comes
 * as JavaScript.
 */
import { exportedObject } from "./elf.ts";

/** `icudt<version>_dat`: ICU's data as one object of the program. */
const DATA = /^icudt\d+_dat$/;
/** Magic of ICU's data header, in little-endian order. */
const MAGIC = 0x27da;
/** Roots, English, and the tables that belong to no language. */
const KEPT =
  /(?:^|\/)(?:root|en|en_US|pool|res_index|supplementalData|likelySubtags|keyTypeData|numberingSystems|timezoneTypes|zoneinfo64|metadata|ucadata|uprops|nfkc\w*|nfc|uts46|cnvalias)\.\w+$/;

/** Blanks the data of all languages but English in `program`. Returns how many bytes; throws when the data is not where it is expected. */
export function blankLanguages(program: Buffer): number {
  const data = exportedObject(program, DATA);
  if (data === undefined || data.readUInt16LE(2) !== MAGIC) throw new Error("node has no ICU data where it was expected");
  const table = data.readUInt16LE(0);
  const count = data.readUInt32LE(table);
  const items = Array.from({ length: count }, (_, index) => {
    const [name, start] = [data.readUInt32LE(table + 4 + 8 * index), data.readUInt32LE(table + 8 + 8 * index)];
    return { name: data.toString("latin1", table + name, data.indexOf(0, table + name)), start: table + start };
  });
  let blanked = 0;
  for (const [index, { name, start }] of items.entries()) {
    if (KEPT.test(name) && !name.includes("/translit/")) continue;
    const end = items[index + 1]?.start ?? data.length;
    data.fill(0, start, end);
    blanked += end - start;
  }
  return blanked;
}

/** WebAssembly begins with `\0asm`; the other two of Node's are some 70 kB. */
const COMPILER = /AGFzbQ[A-Za-z0-9+/=]{1000000,}/;

/** Blanks the compiler in `program`. Returns how many bytes; throws when there is none. */
export function blankCompiler(program: Buffer): number {
  // One character a byte, so that places in the text are places in the program.
  const found = COMPILER.exec(program.toString("latin1"));
  if (found === null) throw new Error("node has no WebAssembly where it was expected");
  program.fill("A", found.index, found.index + found[0].length);
  return found[0].length;
}
