/**
 * Kernel command lines, read and written as Linux does (`next_arg` in lib/cmdline.c): arguments are separated by white space, `"` keeps white
 * space together, nothing escapes a `"`.
 */
import { Fault } from "#std/fault.ts";

/** `quiet` has no value, `slab_nomerge=` an empty one: Talos sees a difference. */
export interface Argument {
  readonly key: string;
  readonly value?: string;
}

/** Bytes with the final NUL on x86 and arm64 (COMMAND_LINE_SIZE); the kernel cuts longer ones without a word. */
export const COMMAND_LINE_LIMIT = 2048;

/** After it come arguments of init, which are nobody's to override. */
const INIT_MARK = "--";

/** The arguments of a command line, in order. Any text can be read. */
export function parseArguments(text: string): Argument[] {
  const found: Argument[] = [];
  for (let at = skipSpace(text, 0); at < text.length;) {
    const { argument, end } = nextArgument(text, at);
    found.push(argument);
    at = skipSpace(text, end);
  }
  return found;
}

/** The arguments, each as Linux reads it back. Throws a `caller` Fault `ipxe.argument` for one that it cannot read. */
export function formatArguments(all: readonly Argument[]): string {
  return all.map(formatArgument).join(" ");
}

/** As they are, in quotes only where that is needed. */
export function formatArgument(argument: Argument): string {
  const { key, value } = argument;
  const candidates = value === undefined ? [key, `"${key}"`] : [`${key}=${value}`, `${key}="${value}"`, `"${key}=${value}"`];
  const text = candidates.find((candidate) => reads(candidate, argument));
  if (text === undefined || !/^[ -~]+$/.test(text)) {
    const shown = JSON.stringify(value === undefined ? key : `${key}=${value}`);
    throw new Fault("ipxe.argument", `no kernel command line can have the argument ${shown}`, {
      fault: "caller",
      retry: "never",
      facts: { argument },
    });
  }
  return text;
}

/**
 * `base` with the keys of `extra` set: all of a key's arguments in `base` give way, at the place of the first, to all of them in `extra`; new
 * keys follow at the end. Upstream's extra arguments do the same.
 */
export function overrideArguments(base: readonly Argument[], extra: readonly Argument[]): Argument[] {
  const groups = new Map<string, Argument[]>();
  for (const argument of extra) {
    const group = groups.get(canonical(argument.key));
    if (group === undefined) groups.set(canonical(argument.key), [argument]);
    else group.push(argument);
  }
  const placed = new Set<string>();
  const { kernel, init } = split(base);
  const replaced = kernel.flatMap((argument) => {
    const key = canonical(argument.key);
    const group = groups.get(key);
    if (group === undefined) return [argument];
    if (placed.has(key)) return [];
    placed.add(key);
    return group;
  });
  const added = [...groups].flatMap(([key, group]) => (placed.has(key) ? [] : group));
  return [...replaced, ...added, ...init];
}

/** `all`, and after them those of `defaults` whose key it does not have. */
export function defaultArguments(all: readonly Argument[], defaults: readonly Argument[]): Argument[] {
  const { kernel, init } = split(all);
  const keys = new Set(kernel.map(({ key }) => canonical(key)));
  return [...kernel, ...defaults.filter(({ key }) => !keys.has(canonical(key))), ...init];
}

/** By their text, as upstream lists the arguments of its default Environment. */
export function sortArguments(all: readonly Argument[]): Argument[] {
  const texts = all.map((argument) => ({ argument, text: formatArgument(argument) }));
  return texts.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)).map(({ argument }) => argument);
}

/** To the kernel `a-b` and `a_b` are one parameter (`parameq` in kernel/params.c). */
function canonical(key: string): string {
  return key.replaceAll("-", "_");
}

function split(all: readonly Argument[]): { kernel: readonly Argument[]; init: readonly Argument[] } {
  const mark = all.findIndex(({ key, value }) => key === INIT_MARK && value === undefined);
  return mark === -1 ? { kernel: all, init: [] } : { kernel: all.slice(0, mark), init: all.slice(mark) };
}

/** Linux also counts byte 0xA0, which cuts UTF-8 in two: another reason why only ASCII is written. */
function isSpace(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text, at)) at++;
  return at;
}

/** The argument at `start`, where no space is, and where it ends. */
function nextArgument(text: string, start: number): { argument: Argument; end: number; isOpen: boolean } {
  const isQuoted = text[start] === '"';
  const begin = isQuoted ? start + 1 : start;
  let isOpen = isQuoted;
  let equals = begin;
  let end = begin;
  for (; end < text.length && (isOpen || !isSpace(text, end)); end++) {
    // A sign in the first place belongs to the key: Linux' "none found" is 0, too.
    if (equals === begin && text[end] === "=") equals = end;
    if (text[end] === '"') isOpen = !isOpen;
  }
  // A quote that opened the argument, or its value, takes a quote at the end with it, be it its own or not.
  const hasFinalQuote = end > begin && text[end - 1] === '"';
  if (equals === begin) return { argument: { key: text.slice(begin, isQuoted && hasFinalQuote ? end - 1 : end) }, end, isOpen };
  const isValueQuoted = text[equals + 1] === '"' && equals + 1 < end;
  const from = isValueQuoted ? equals + 2 : equals + 1;
  const to = hasFinalQuote && (isQuoted || isValueQuoted) ? end - 1 : end;
  return { argument: { key: text.slice(begin, equals), value: text.slice(from, Math.max(from, to)) }, end, isOpen };
}

/** Whether `text`, between other arguments, is this one and nothing else. */
function reads(text: string, { key, value }: Argument): boolean {
  if (text === "" || isSpace(text, 0)) return false;
  const { argument, end, isOpen } = nextArgument(text, 0);
  return end === text.length && !isOpen && argument.key === key && argument.value === value;
}
