/** The kernel's command line, `/proc/cmdline`: words, a value behind the first `=`, double quotes around what has spaces (kernel/params.c). */
export interface Argument {
  readonly name: string;
  /** Undefined for a bare word. */
  readonly value?: string;
}

/** The kernel allows 2048 bytes on x86 and arm64; firmware may pass more. */
const LIMIT = 65_536;

/** Arguments in order; what stands behind `--` is for the first program and comes along. */
export function parseCommandLine(text: string): Argument[] {
  const words = text.slice(0, LIMIT).match(/(?:"[^"]*(?:"|$)|[^\s"])+/g) ?? [];
  return words.map((word) => {
    const plain = word.replaceAll('"', "");
    const cut = plain.indexOf("=");
    return cut < 0 ? { name: plain } : { name: plain.slice(0, cut), value: plain.slice(cut + 1) };
  });
}

/** The last one wins, as with the kernel's own. */
export function argumentOf(line: readonly Argument[], name: string): string | undefined {
  return line.findLast((argument) => argument.name === name)?.value;
}
